#!/usr/bin/env bash
# The title that make-title.sh made is what players may count on: groups of two seconds, one fragment each,
# whole second index at the front, times from 0, several languages, MPDs that ffmpeg reads too, and a second call
# that does nothing.
# usage: make-title-test.sh SOURCE_DIR MOCKD TITLE_DIR
set -u
source_dir=$1
mockd=$2
title=$3
failed=0
null=/dev/null

if [[ ! -s $title/manifest.json ]] || ! command -v ffprobe >/dev/null; then
    echo 'no title to look at'
    exit 77
fi

check() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED $1: '$2', not '$3'"
        failed=1
    fi
}

# Big-endian number of $3 bytes at offset $2 of file $1.
number_at() {
    printf '%d' "0x$(od -An -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n')"
}

# Prints "type offset size" of each top-level box.
boxes() {
    local size at=0 n
    size=$(stat -c %s "$1")
    while ((at < size)); do
        n=$(number_at "$1" "$at" 4)
        printf '%s %d %d\n' "$(tail -c +$((at + 5)) "$1" | head -c 4)" "$at" "$n"
        if ((n < 8)); then return; fi
        at=$((at + n))
    done
}

# The sizes that the version 1 sidx at offset $2 gives, one a line.
sidx_sizes() {
    local count at=$(($2 + 40)) i
    count=$(number_at "$1" $(($2 + 38)) 2)
    for ((i = 0; i < count; i++)); do
        number_at "$1" $((at + 12 * i)) 4
        echo
    done
}

# A reference of the index is one moof and its mdat, and nothing follows the last.
look_at_boxes() {
    local list front fragments sizes
    list=$(boxes "$1")
    front=$(echo "$list" | head -n 3 | cut -d' ' -f1 | tr '\n' ' ')
    check "$1: boxes at the front" "$front" 'ftyp moov sidx '
    check "$1: boxes behind" "$(echo "$list" | tail -n +4 | cut -d' ' -f1 | sort -u | tr '\n' ' ')" 'mdat moof '
    fragments=$(echo "$list" | tail -n +4 | awk '$1 == "moof" { moof = $3 } $1 == "mdat" { print moof + $3 }')
    sizes=$(sidx_sizes "$1" "$(echo "$list" | awk '$1 == "sidx" { print $2 }')")
    check "$1: index and fragments" "$sizes" "$fragments"
    check "$1: fragments" "$(echo "$fragments" | wc -l)" 10
}

packets() {
    ffprobe -v error -show_entries packet=pts_time,flags -of csv=p=0 "$1"
}

for file in "$title"/*.mp4; do look_at_boxes "$file"; done
for file in "$title"/video-*.mp4; do
    check "$file: pictures" "$(packets "$file" | wc -l)" 480
    check "$file: key pictures" "$(packets "$file" | grep K | cut -d. -f1 | tr '\n' ' ')" '0 2 4 6 8 10 12 14 16 18 '
    check "$file: first in order" "$(packets "$file" | cut -d, -f1 | sort -g | head -n 1)" 0.000000
done
check 'H.264 rungs' "$(grep -o '"content_profile":"h264' "$title/manifest.json" | wc -l)" 4
check 'AV1 rungs' "$(grep -o '"content_profile":"av1-main' "$title/manifest.json" | wc -l)" 1
check 'stereo' "$(grep -o '"content_profile":"heaac-2-dash"' "$title/manifest.json" | wc -l)" 2
check '5.1' "$(grep -o '"channels":"5.1","language":"[a-z]*"' "$title/manifest.json")" '"channels":"5.1","language":"en"'
for lang in en de; do
    check "text-$lang.ttml: cues" "$(grep -c '<p ' "$title/text-$lang.ttml")" 8
    check "text-$lang.ttml: language" "$(grep -o 'xml:lang="[a-z]*"' "$title/text-$lang.ttml")" "xml:lang=\"$lang\""
done
check 'subtitles' "$(grep -o '"downloadableIds":{"imsc1.1":"text-[a-z]*"}' "$title/manifest.json" | wc -l)" 2
check 'subtitles in title.mpd' "$(grep -c '<BaseURL>text-[a-z]*[.]ttml</BaseURL>' "$title/title.mpd")" 2
check 'no keys' "$(find "$title" -name .keys)$(grep -c 'ContentProtection' "$title/title.mpd")" 0
check 'first sound' "$(grep -o '"audioTrackId":"[^"]*"' "$title/manifest.json")" '"audioTrackId":"A:en:2:heaac-2-dash"'

# What the channel $2 of a file has most of, in Hz: the tones differ by language and by channel.
crossings() {
    ffmpeg -v error -t 8 -i "$1" -filter:a "pan=mono|c0=$2,lowpass=f=1200" -f f32le - | od -An -v -tf4 -w4 |
        awk '{ if ($1 > 0.02) { if (low) n++; low = 0 } else if ($1 < -0.02) low = 1 } END { print int(n / 8) }'
}
near() { check_that "$1: about $3 Hz, not $2" test $((100 * ($2 > $3 ? $2 - $3 : $3 - $2))) -lt $((10 * $3)); }
check_that() {
    local what=$1
    shift
    "$@" || { echo "FAILED $what"; failed=1; }
}
check 'channels of 5.1' "$(ffprobe -v error -show_entries stream=codec_name,channels -of csv=p=0 "$title/audio-en_51.mp4" | head -n 1)" eac3,6,
near 'front left' "$(crossings "$title/audio-en_51.mp4" FL)" 330
near 'side right' "$(crossings "$title/audio-en_51.mp4" SR)" 784
en=$(crossings "$title/audio-en.mp4" FL)
de=$(crossings "$title/audio-de.mp4" FL)
check_that "English and German sound alike: $en and $de" test $((en - de)) -ge 50

# An index range is the sidx and the initialisation all before it, for each file of title.mpd.
while read -r file from to end; do
    check "$file: index at $from" "$(tail -c +$((from + 5)) "$title/$file" | head -c 4)" sidx
    check "$file: index to $to" "$((from + $(number_at "$title/$file" "$from" 4)))" $((to + 1))
    check "$file: initialisation" "$end" $((from - 1))
done < <(awk '/<BaseURL>/ { gsub(/ *<\/?BaseURL>/, ""); file = $0 }
    /<SegmentBase/ { match($0, /indexRange="[0-9]+-[0-9]+/); split(substr($0, RSTART + 12, RLENGTH - 12), a, "-") }
    /<Initialization/ { match($0, /-[0-9]+/); print file, a[1], a[2], substr($0, RSTART + 1, RLENGTH - 1) }' "$title/title.mpd")
check 'files of title.mpd' "$(grep -c '<SegmentBase' "$title/title.mpd")" "$(find "$title" -maxdepth 1 -name '*.mp4' | wc -l)"
# ffmpeg's own reader agrees, where it can: it skips the first entry of a SegmentTimeline beside a startNumber,
# knows neither several periods nor their offsets, and gives up at subtitles that are files.
plain=plain-$$.mpd
trap 'rm -f "$title/$plain"' EXIT
awk '/<AdaptationSet / { inside = /contentType="text"/ } !inside { print } /<\/AdaptationSet>/ { inside = 0 }' \
    "$title/title.mpd" >"$title/$plain"
for mpd in "$plain" number/manifest.mpd; do
    check "$mpd: pictures" "$(ffprobe -v error -select_streams v:1 -count_packets -show_entries stream=nb_read_packets \
        -of csv=p=0 "$title/$mpd" 2>"$null" | head -n 1)" 480
    check "$mpd: languages" "$(ffprobe -v error -select_streams a -show_entries stream_tags=language -of csv=p=0 \
        "$title/$mpd" 2>"$null" |
        grep -o '[a-z]*' | sort | tr '\n' ' ')" 'de en en '
done
# Of a timeline, the sums of its entries are the times in the names of its files.
for id in 0 4 6; do
    check "times of $id" "$(awk -v id="<Representation id=\"$id\"" '$0 ~ id { on = 1 } /<\/Representation>/ { on = 0 }
        on && /<S / { n = match($0, / r="[0-9]+"/) ? substr($0, RSTART + 4) + 1 : 1
            match($0, / d="[0-9]+"/); d = substr($0, RSTART + 4) + 0
            for (i = 0; i < n; i++) { print t + 0; t += d } }' "$title/time/manifest.mpd" | tr '\n' ' ')" \
        "$(find "$title/time" -name "$id-*.m4s" | sed "s/.*\/$id-\(.*\)[.]m4s/\1/" | sort -n | tr '\n' ' ')"
done
check 'periods' "$(grep -o '<Period [^>]*' "$title/periods/manifest.mpd" | cut -d'"' -f4,6 | tr '\n' ' ')" \
    'PT0S"PT6S PT6S"PT4S PT10S"PT14S '
check 'offsets' "$(grep -o 'presentationTimeOffset="[0-9]*" timescale="[0-9]*"' "$title/periods/manifest.mpd" | sort -u |
    awk -F'"' '$2 { print $2 / $4 }' | tr '\n' ' ')" '6 6 '

before=$(stat -c '%i %Y' "$title/manifest.json")
"$source_dir/scripts/make-title.sh" --preset small --duration 20 --dash number,time,periods --mockd "$mockd" --out "$title" | grep -q 'there already' ||
    { echo 'FAILED: made again'; failed=1; }
check 'untouched' "$(stat -c '%i %Y' "$title/manifest.json")" "$before"

# A video of another shape and rate, without sound, read from a file; a broken one leaves nothing behind.
work=$(mktemp -d)
trap 'rm -rf "$work" "$title/$plain"' EXIT
ffmpeg -v error -f lavfi -i testsrc2=s=200x200:r=50 -t 4 -c:v libx264 -preset ultrafast "$work/in.mkv"
if "$source_dir/scripts/make-title.sh" --preset small --mockd "$mockd" --out "$work/title" "$work/in.mkv" >"$work/log" 2>&1; then
    check 'square pictures' "$(grep -o '"res_w":180,"res_h":180' "$work/title/manifest.json" | wc -l)" 1
    check 'rate of the source kept' "$(grep -o '"framerate_value":25,' "$work/title/manifest.json" | wc -l)" 5
    check 'duration' "$(grep -o '"duration":[0-9]*' "$work/title/manifest.json")" '"duration":4000'
else
    cat "$work/log"
    failed=1
fi
head -c 3000 /dev/urandom >"$work/broken.mkv"
if "$source_dir/scripts/make-title.sh" --mockd "$mockd" --out "$work/none" "$work/broken.mkv" >/dev/null 2>&1; then
    echo 'FAILED: a title of a broken video'
    failed=1
fi
for arguments in '--drm cens' '--drm cenc --dash number' '--of x' "--drm cenc --of $work" '--drm cenc --of x in.mkv'; do
    # shellcheck disable=SC2086
    "$source_dir/scripts/make-title.sh" --mockd "$mockd" --out "$work/none" $arguments >"$work/log" 2>&1
    check "status of $arguments" $? 2
    check "a reason for $arguments" "$(grep -c '^make-title: ' "$work/log")" 1
done
check 'left behind' "$(find "$work" -name 'none*')" ''
exit $failed
