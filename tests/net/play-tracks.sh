#!/usr/bin/env bash
# Languages and 5.1 are switched while the title plays: what is heard changes within a stated time and without a
# gap of more than a frame, and video knows nothing of it: no request, no picture twice, late or missing. A seek
# and other speeds keep the track.
# usage: play-tracks.sh PLAY MOCKD TITLE_DIR [languages|formats]   one half of it, or both
set -u
. "$(dirname "$0")/play.bash"
if [[ ! -s $title/audio-en_51.mp4 ]]; then
    echo 'no title with several tracks to play'
    exit 77
fi

# The sums of a file's sound, as the player would print them: "FILE md5" for each frame of it.
sums_of() {
    ffmpeg -v error -i "$title/audio-$1.mp4" -c:a pcm_f32le -f framemd5 - | awk -v name="$1" -F', *' '!/^#/ { print $6, name }'
}
for name in en de; do sums_of $name; done >"$work/sums"

# What was heard, in order: "pts_ms track" where the track changes. A run that was cut, or the first of a decoder,
# is no whole frame of any file and belongs to what follows it. 5.1 is known by its channels: decoders of E-AC-3
# add noise of their own.
heard() {
    awk 'NR == FNR { track[$1] = $2; next }
        { name = $3 == 6 ? "en_51" : $5 in track ? track[$5] : last }
        name != last { last = name; printf "%d %s\n", $1 / 1e6, last }' "$work/sums" "$work/sound"
}
tracks_heard() { heard | cut -d' ' -f2 | tr '\n' ' '; }

# The longest hole between a run of sound and the next, us, and how often one begins before the last ended.
hole_us() {
    awk '{ if (NR > 1 && $1 - end > most) most = $1 - end; end = $1 + $4 * 1e9 / $2 } END { printf "%d\n", most / 1000 }' "$work/sound"
}
overlaps() { awk 'NR > 1 && end - $1 > 1e6 { n++ } { end = $1 + $4 * 1e9 / $2 } END { print n + 0 }' "$work/sound"; }

# Plays with commands: pairs of seconds to wait and a command.   with_commands COMMANDS OPTION...
with_commands() {
    local commands=$1
    shift
    mkfifo "$work/fifo" 2>/dev/null
    : >"$log"
    {
        while read -r wait command; do
            sleep "$wait"
            echo "$command"
        done <<<"$commands"
        exec sleep 60
    } >"$work/fifo" &
    local writer=$!
    run --soundmd5 "$work/sound" "$@" <"$work/fifo"
    kill $writer 2>/dev/null
    wait $writer 2>/dev/null
}

video_is_untouched() {
    check "$1: status" $status 0
    check "$1: errors" "$(events error)" 0
    check "$1: stalls" "$(field end stalls)" 0
    check "$1: dropped" "$(field end dropped)" 0
    check "$1: pictures" "$(awk 'NR > 1 && ($1 - last > 41666668 || $1 <= last) { n++ } { last = $1 } END { print n + 0 }' "$work/frames")" 0
    check "$1: pictures are the file's" "$(paste -d' ' <(cut -d' ' -f3 "$work/frames") "$work/expected" |
        awk '$1 != $2' | wc -l)" 0
    check "$1: video twice" "$(grep '"asset":"video-' "$log" |
        sed 's/.*"asset":"\([^"]*\)".*"first":\([0-9]*\),"last":\([0-9]*\),.*/\1 \2 \3/' | sort -k1,1 -k2,2n |
        awk '$1 == asset && $2 <= last { print } { asset = $1; last = $3 }')" ''
}

serve
ffmpeg -v error -i "$title/video-240.mp4" -map v:0 -fps_mode passthrough -f framemd5 - | awk -F', *' '!/^#/ { print $6 }' \
    >"$work/expected"

languages() {
# --- English, German, 5.1 and back, with a short buffer and with a long one ---
for buffer in 4 60; do
    with_commands '3 track A:de:2:heaac-2-dash
4 track A:en:6:ddplus-5.1-dash
4 track A:en:2:heaac-2-dash' --buffer-s $buffer --rung 3 --framemd5 "$work/frames" --title 900100 "$base"
    what="buffer of $buffer s"
    video_is_untouched "$what"
    check "$what: heard" "$(tracks_heard)" 'en de en_51 en '
    check "$what: told" "$(grep '"event":"track"' "$work/events" | grep -c '"track":"audio"')" 3
    # One frame of AAC lasts 21.3 ms, one of E-AC-3 32.
    check_that "$what: hole of $(hole_us) us" test "$(hole_us)" -le 32100
    check "$what: heard twice" "$(overlaps)" 0
    check "$what: all pictures" "$(wc -l <"$work/frames")" 480
    heard | sed "s/^/$what: /"
done
}

formats() {
# --- a seek and other speeds keep what was chosen ---
with_commands '1 track A:de:2:heaac-2-dash
2 seek 12
1 rate 1.5
3 rate 1' --rung 3 --framemd5 "$work/frames" --title 900100 "$base"
check 'seek: status' $status 0
check 'seek: errors' "$(events error)" 0
check 'seek: done' "$(events seek_done)" 1
check 'seek: heard' "$(tracks_heard)" 'en de '
check 'seek: stalls' "$(field end stalls)" 0
check_that "seek: sound goes on from 12 s" test "$(awk '$1 >= 12e9' "$work/sound" | wc -l)" -gt 200

# --- the same of an MPD, by the names it has for its tracks ---
"$play" --headless --json-stats --list-tracks "$base/files/title.mpd" </dev/null >"$work/list" 2>"$work/err"
german=$(sed 's/{/\n{/g' "$work/list" | grep '"language":"de"' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
check_that 'MPD: a German track' test -n "$german"
with_commands "3 track $german" --rung 2 --framemd5 "$work/frames" "$base/files/title.mpd"
video_is_untouched 'MPD'
check 'MPD: heard' "$(tracks_heard)" 'en de '
check_that "MPD: hole of $(hole_us) us" test "$(hole_us)" -le 32100

# --- segments of their own, over three periods: the second has no German, which is heard again in the third ---
"$play" --headless --json-stats --list-tracks "$base/files/periods/manifest.mpd" </dev/null >"$work/list" 2>"$work/err"
german=$(sed 's/{/\n{/g' "$work/list" | grep '"language":"de"' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
with_commands "1 track $german" --rung 1 --framemd5 "$work/frames" "$base/files/periods/manifest.mpd"
check 'periods: status' $status 0
check 'periods: errors' "$(events error)" 0
check 'periods: stalls' "$(field end stalls)" 0
check 'periods: pictures' "$(wc -l <"$work/frames")" 576
check_that "periods: hole of $(hole_us) us" test "$(hole_us)" -le 32100
check 'periods: German is asked for to the end' "$(grep -o '"asset":"periods/a/5-000[01][0-9].m4s"' "$log" | tail -n 1)" \
    '"asset":"periods/a/5-00011.m4s"'

# --- a track that is not there is one error, and nothing changes ---
with_commands '2 track A:fr:2:heaac-2-dash' --until 5 --title 900100 "$base"
check 'no such track: code' "$(field error code)" NO_SUCH_TRACK
check 'no such track: fatal' "$(field error fatal)" false
check 'no such track: heard' "$(tracks_heard)" 'en '
}

if [[ ${4:-languages} == languages ]]; then languages; fi
if [[ ${4:-formats} == formats ]]; then formats; fi
unserve
finish
