#!/usr/bin/env bash
# Makes a title to play: a ladder of fragmented MP4 files with sidx, their licensed manifest and their MPD.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/make-title.sh [option...] [VIDEO]

Encodes VIDEO, or a minute of generated picture and sound, as a title: four H.264 rungs, one AV1 rung, closed
groups of pictures of two seconds, each file fragmented with its index at the front. Sound of the generated
title: AAC stereo in English and in German, E-AC-3 5.1 in English; of VIDEO: AAC stereo, and E-AC-3 5.1 where it
has six channels. A title that is there already and was made in the same way is left alone.

  --input VIDEO     the same as VIDEO
  --duration S      seconds (generated: 60; VIDEO: all of it)
  --out DIR         where the title goes (build/title)
  --preset NAME     standard, or small: little pictures and rates, for tests (standard)
  --base-url URL    what the URLs of manifest.json start with (http://127.0.0.1:8081/files)
  --title-id ID     viewable id in manifest.json (900100)
  --mockd PROGRAM   cadmium-mockd, which describes the files; built if it is not there
                    (build/release/bin/cadmium-mockd)
  --dash LIST       also as segments, by ffmpeg's DASH muxer: of number, time, periods, parted by commas,
                    each a folder with a manifest.mpd; see below
  --drm SCHEME      cenc or cbcs: pictures and sound are protected, by three keys; see below
  --of DIR          with --drm: protect the files of a title that is there, rather than encode
  --mux PROGRAM     cadmium-mux, which protects files; built if it is not there
                    (build/release/bin/cadmium-mux)
  --force           make it anew in any case
  --help            this text

DIR then holds video-<kbps>.mp4, audio-<language>.mp4, audio-en_51.mp4, text-en.ttml and text-de.ttml (subtitles),
manifest.json (a licensed manifest) and title.mpd (the same files by SegmentBase). Needs ffmpeg with libx264 and
libsvtav1.

  --drm: sound has a key, pictures up to 576 lines have one (small: up to 144), larger ones another. Keys and key
  ids follow from the title id and are for tests only. They are in DIR/.keys, which cadmium-mockd reads for its
  licence service and no server hands out: lines of KID:KEY and what the key is for.

  number            SegmentTemplate with $Number$ and duration
  time              SegmentTemplate with SegmentTimeline and $Time$
  periods           three periods: the title up to 6 s, 4 s of something else in another ladder, the title
                    from 6 s on, whose media times begin there (presentationTimeOffset); and cut.mpd, the
                    files of title.mpd in two periods that meet at 5 s, in mid-segment
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
input=
duration=
out=$root/build/title
preset=standard
base_url=http://127.0.0.1:8081/files
title_id=900100
mockd=$root/build/release/bin/cadmium-mockd
mux=$root/build/release/bin/cadmium-mux
drm=
of=
force=
dash=
other= # set: what is put in between

give_up() {
    echo "make-title: $1" >&2
    exit "${2:-1}"
}

while (($# > 0)); do
    case $1 in
    --input | --duration | --out | --preset | --base-url | --title-id | --mockd | --dash | --drm | --of | --mux)
        if (($# < 2)); then give_up "$1 needs a value" 2; fi
        name=${1#--}
        printf -v "${name//-/_}" '%s' "$2"
        shift
        ;;
    --force) force=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *)
        if [[ -n $input ]]; then give_up 'one VIDEO at a time' 2; fi
        input=$1
        ;;
    esac
    shift
done
if [[ -n $input && ! -r $input ]]; then give_up "$input: cannot be read" 2; fi
if [[ -n $duration && ! $duration =~ ^[0-9]+(\.[0-9]+)?$ ]]; then give_up '--duration takes seconds' 2; fi
for variant in ${dash//,/ }; do
    if [[ ! $variant =~ ^(number|time|periods)$ ]]; then give_up "--dash takes number, time, periods, not $variant" 2; fi
done
if [[ -n $drm && ! $drm =~ ^(cenc|cbcs)$ ]]; then give_up '--drm takes cenc or cbcs' 2; fi
if [[ -n $drm && -n $dash ]]; then give_up '--dash makes clear segments: it does not go with --drm' 2; fi
if [[ -n $of && -z $drm ]]; then give_up '--of wants --drm' 2; fi
if [[ -n $of && -n $input ]]; then give_up '--of takes a title, not a VIDEO' 2; fi
if [[ -n $of && ! -s $of/manifest.json ]]; then give_up "$of: there is no title" 2; fi
[[ -n $of ]] || command -v ffmpeg >/dev/null || give_up 'ffmpeg is missing: scripts/install-deps.sh demo'

# kbps, width, height, codec; the generated picture has the size that `source` says.
case $preset in
standard)
    ladder=('300 426 240 h264' '750 640 360 h264' '1750 960 540 h264' '3000 1280 720 h264' '1000 960 540 av1')
    audio_kbps=128
    surround_kbps=384
    source_width=1280
    sd_height=576
    av1_preset=10
    x264_preset=veryfast
    ;;
small)
    ladder=('60 160 90 h264' '120 192 108 h264' '240 256 144 h264' '400 320 180 h264' '180 256 144 av1')
    audio_kbps=48
    surround_kbps=192
    source_width=320
    sd_height=144
    av1_preset=12
    x264_preset=ultrafast
    ;;
*) give_up "no preset $preset: standard or small" 2 ;;
esac

probe() {
    ffprobe -v error "$@" -of default=noprint_wrappers=1:nokey=1 -i "$input" | head -n 1
}

# What the source is: a rate that makes two seconds a whole number of pictures, a length, and its sound.
rate=24
sounds=(en de en_51)
if [[ -n $input ]]; then
    input=$(realpath "$input")
    case $(probe -select_streams v:0 -show_entries stream=r_frame_rate) in
    '') give_up "$input: no picture in it" ;;
    25/1 | 50/1) rate=25 ;;
    esac
    sounds=(en)
    source_channels=$(probe -select_streams a:0 -show_entries stream=channels)
    if ((${source_channels:-0} >= 6)); then sounds+=(en_51); fi
    [[ -n $duration ]] || duration=$(probe -show_entries format=duration)
    [[ $duration =~ ^[0-9] ]] || give_up "$input: its length is not known; say --duration"
else
    duration=${duration:-60}
fi

# How a title was made, this script included, to know one that needs no making.
recipe() {
    cksum <"$root/scripts/make-title.sh"
    printf '%s\n' "$preset" "$duration" "$rate" "$base_url" "$title_id" "$dash" "$drm"
    if [[ -n $of ]]; then stat -c '%n %s %Y' "$of"/*.mp4; fi
    if [[ -n $input ]]; then stat -c '%n %s %Y' "$input"; fi
}

if [[ -z $force && -s $out/manifest.json && $(cat "$out/recipe" 2>/dev/null) == "$(recipe)" ]]; then
    echo "make-title: $out is there already"
    exit 0
fi

# need PROGRAM   builds one of ours where it is not there
need() {
    local name=${1##*/}
    if [[ -x $1 ]]; then return; fi
    if [[ $1 != "$root/build/release/bin/$name" ]]; then give_up "$1: no such program" 2; fi
    echo "make-title: building $name"
    (cd "$root" && cmake --preset release >/dev/null && cmake --build build/release --target "bin/$name" >/dev/null) ||
        give_up "$name did not build"
}
need "$mockd"
if [[ -n $drm ]]; then need "$mux"; fi

# A drifting sky, a game of life, a clock and a frame number (no font is needed), and a white square with
# each beep.
generated_picture() {
    if [[ -n $other ]]; then
        printf 'testsrc=s=%dx%d:r=%d:d=%s' "$source_width" $((source_width * 9 / 16)) "$rate" "$duration"
        return
    fi
    local w=$source_width h=$((source_width * 9 / 16))
    local k=$((w * 10 / 1280))
    printf 'gradients=s=%dx%d:r=%d:n=5:c0=0x101830:c1=0x2a4d8f:c2=0xc2552d:c3=0x1f7a6b:c4=0x402060' $w $h "$rate"
    printf ':speed=0.012:seed=5:duration=%s,format=yuv420p[sky];' "$duration"
    printf 'life=s=%dx%d:r=8:mold=4:ratio=0.15:seed=7' $((w / 4)) $((h / 4))
    printf ':life_color=0xf2e6c9:death_color=0x7a5a3a:mold_color=0x000000,'
    printf 'scale=%d:%d:flags=neighbor,format=yuv420p,fps=%d[life];' $w $h "$rate"
    printf 'testsrc2=s=640x360:r=%d,crop=100:36:2:2,' "$rate"
    printf 'scale=%d:%d:flags=neighbor,format=yuv420p[clock];' $((k * 40)) $((k * 14))
    printf '[sky][life]blend=c0_mode=screen:c0_opacity=0.45:c1_mode=normal:c2_mode=normal[ground];'
    printf '[ground][clock]overlay=%d:%d:format=yuv420,' $((k * 5)) $((k * 5))
    printf "drawbox=x=%d:y=%d:w=%d:h=%d:color=white:t=fill:enable='lt(mod(t\\,1)\\,0.1)'" \
        $((w - k * 12)) $((k * 5)) $((k * 7)) $((k * 7))
}

# A beep a second, a tone that sweeps from side to side and a little noise; each language has tones of its
# own. Of 5.1 every channel has one: left 330, right 392, centre 523 and the beep, LFE 60, surround 659 and
# 784 Hz.
generated_sound() {
    local pitch=1000 tone=330 k
    if [[ $1 == de ]]; then pitch=700 tone=220; fi
    if [[ -n $other ]]; then pitch=400 tone=150; fi
    local beep="0.35*sin(2*PI*$pitch*t)*lt(mod(t\\,1)\\,0.1)"
    local sweep="0.1*sin(2*PI*($tone*t+350*sin(0.6*t)))"
    local noise='0.02*(random(0)-0.5)'
    if [[ $1 == *_51 ]]; then
        local channels=()
        for k in 330 392 523 60 659 784; do channels+=("0.1*sin(2*PI*$k*t)"); done
        channels[2]+="+$beep"
        printf "aevalsrc=exprs='%s':c=5.1:s=48000" "$(IFS='|'; printf '%s' "${channels[*]}")"
    else
        printf "aevalsrc=exprs='%s+%s*(0.5+0.5*sin(0.5*t))+%s|%s+%s*(0.5-0.5*sin(0.5*t))+%s':s=48000" \
            "$beep" "$sweep" "$noise" "$beep" "$sweep" "$noise"
    fi
}

# Sound number $2, named $1, as a filter chain that ends in [a$2].
sound_chain() {
    if [[ -z $input ]]; then
        generated_sound "$1"
    elif [[ ${source_channels:-0} == 0 ]]; then
        printf 'anullsrc=r=48000:cl=stereo'
    else
        local layout=stereo
        if [[ $1 == *_51 ]]; then layout=5.1; fi
        printf '[0:a:0]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=%s,apad' $layout
    fi
    # The encoder of E-AC-3 takes frames of its own size only.
    if [[ $1 == *_51 ]]; then printf ',asetnsamples=n=1536:p=1'; fi
    printf '[a%d]' "$2"
}

# The whole filter graph: one source, split, scaled for each rung.
graph() {
    local n=${#ladder[@]} i w h
    if [[ -n $input ]]; then
        printf '[0:v:0]fps=%d,format=yuv420p' "$rate"
    else
        generated_picture
    fi
    printf ',split=%d' "$n"
    for ((i = 0; i < n; i++)); do printf '[s%d]' $i; done
    for ((i = 0; i < n; i++)); do
        read -r _ w h _ <<<"${ladder[i]}"
        printf ';[s%d]scale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1,' $i "$w" "$h"
        printf 'format=yuv420p[v%d]' $i
    done
    for ((i = 0; i < ${#sounds[@]}; i++)); do
        printf ';'
        sound_chain "${sounds[i]}" $i
    done
}

# Turns what ffmpeg tells of its progress into one line that counts up (a terminal) or a line for each tenth.
show_progress() {
    local tty=
    if [[ -t 1 ]]; then tty=yes; fi
    awk -F= -v total="$duration" -v tty="$tty" '
    $1 == "out_time_us" && $2 + 0 > 0 {
        percent = int($2 / total / 10000)
        if (percent > 100) percent = 100
        if (tty) printf "\rmake-title: encoding %3d %%", percent
        else if (int(percent / 10) > tenth) { tenth = int(percent / 10); print "make-title: encoding " percent " %" }
        fflush()
    }
    END { if (tty) print "" }'
}

# Appends to `arguments`: the source, and each rung's encoder.
arguments_of_pictures() {
    local group=$((rate * 2)) i=0 k kbps codec
    arguments+=(-hide_banner -nostdin -v error -y -progress pipe:1 -nostats)
    if [[ -n $input ]]; then arguments+=(-i "$input"); fi
    arguments+=(-filter_complex "$(graph)")
    for ((k = 0; k < ${#ladder[@]}; k++)); do
        read -r kbps _ _ codec <<<"${ladder[k]}"
        arguments+=(-map "[v$k]" "-g:v:$i" "$group" "-b:v:$i" "${kbps}k")
        if [[ $codec == h264 ]]; then
            arguments+=("-c:v:$i" libx264 "-preset:v:$i" "$x264_preset" "-profile:v:$i" main "-bf:v:$i" 2
                "-maxrate:v:$i" "$((kbps * 3 / 2))k" "-bufsize:v:$i" "$((kbps * 2))k"
                "-keyint_min:v:$i" "$group" "-sc_threshold:v:$i" 0)
        else
            arguments+=("-c:v:$i" libsvtav1 "-preset:v:$i" "$av1_preset"
                "-svtav1-params:v:$i" "keyint=$group:irefresh-type=2")
        fi
        if [[ $# -gt 0 ]]; then arguments+=("$@" "$part/video-$kbps.mp4"); else i=$((i + 1)); fi
    done
}

# Appends to `arguments`: each sound's encoder.
arguments_of_sound() {
    local i=0 k sound
    for ((k = 0; k < ${#sounds[@]}; k++)); do
        sound=${sounds[k]}
        arguments+=(-map "[a$k]" "-metadata:s:a:$i" "language=${sound%%_*}" "-flags:a:$i" +bitexact)
        if [[ $sound == *_51 ]]; then
            arguments+=("-c:a:$i" eac3 "-b:a:$i" "${surround_kbps}k" "-ac:a:$i" 6)
        else
            # Without noise substitution, so that a decoder gives the same from wherever it begins.
            arguments+=("-c:a:$i" aac "-aac_pns:a:$i" 0 "-b:a:$i" "${audio_kbps}k" "-ac:a:$i" 2)
        fi
        if [[ $# -gt 0 ]]; then arguments+=("$@" "$part/audio-$sound.mp4"); else i=$((i + 1)); fi
    done
}

encode() {
    local common=(-t "$duration" -map_metadata -1 -map_chapters -1 -fflags +bitexact -flags:v +bitexact+cgop -f mp4)
    local fragments=+delay_moov+default_base_moof+global_sidx+skip_trailer
    local arguments=()
    arguments_of_pictures "${common[@]}" -movflags "+frag_keyframe$fragments"
    arguments_of_sound "${common[@]}" -frag_duration 2000000 -movflags "$fragments"
    # libsvtav1 greets on standard error whatever the log level.
    SVT_LOG=1 ffmpeg "${arguments[@]}" 2>"$part/ffmpeg.log" | show_progress
}

# dash FOLDER TIMELINE MEDIA   the title, its H.264 rungs, by ffmpeg's DASH muxer: a set of pictures and one for
# each sound. MEDIA is what segments are called.
dash() {
    local folder=$1 sets='id=0,streams=v' i rung
    local arguments=() rungs=()
    for rung in "${ladder[@]}"; do
        if [[ $rung == *h264 ]]; then rungs+=("$rung"); fi
    done
    local ladder=("${rungs[@]}")
    mkdir -p "$folder"
    arguments_of_pictures
    arguments_of_sound
    for ((i = 0; i < ${#sounds[@]}; i++)); do
        sets+=" id=$((i + 1)),streams=$((${#ladder[@]} + i))"
    done
    ffmpeg "${arguments[@]}" -t "$duration" -map_metadata -1 -fflags +bitexact -flags:v +bitexact+cgop \
        -f dash -seg_duration 2 -use_template 1 -use_timeline "$2" -adaptation_sets "$sets" \
        -init_seg_name 'init-$RepresentationID$.m4s' -media_seg_name "\$RepresentationID\$-$3.m4s" \
        "$folder/manifest.mpd" >"$part/progress" 2>"$part/ffmpeg.log"
    local status=$?
    if ((status)); then tail -n 20 "$part/ffmpeg.log" >&2; fi
    rm -f "$part/progress" "$part/ffmpeg.log"
    return $status
}

dash_number() { dash "$part/number" 0 '$Number%05d$'; }
# The first segment of sound begins before 0, with what the encoder is ahead, and is named by that time, while
# the MPD, which cannot say so, has 0: it gets the name that a player will ask for.
dash_time() {
    local file
    dash "$part/time" 1 '$Time$' || return 1
    for file in "$part"/time/*--[0-9]*.m4s; do
        if [[ -e $file ]]; then mv "$file" "${file%--*}-0.m4s"; fi
    done
}

# id_of WORDS   16 bytes that follow from the title id, in hexadecimal; for tests, not for secrets
id_of() { printf 'cadmium test title %s %s' "$title_id" "$1" | sha256sum | cut -c 1-32; }

# key_of FILE   which key protects it
key_of() {
    local kbps height rung
    case ${1##*/} in
    audio-*) echo audio ;;
    *)
        kbps=${1##*/video-}
        for rung in "${ladder[@]}"; do
            read -r rung _ height _ <<<"$rung"
            if [[ $rung == "${kbps%.mp4}" ]]; then break; fi
            height=
        done
        if [[ -z $height ]]; then give_up "$1: no rung of preset $preset"; fi
        if ((height <= sd_height)); then echo sd; else echo hd; fi
        ;;
    esac
}

# Protects every file of a folder, here: in place; IVs of files with one key must differ, so they follow from names.
protect() {
    local file name role seed pssh roles=(audio sd hd)
    for role in "${roles[@]}"; do printf '%s:%s %s\n' "$(id_of "kid $role")" "$(id_of "key $role")" "$role"; done >"$part/.keys"
    chmod 600 "$part/.keys"
    for file in "$1"/video-*.mp4 "$1"/audio-*.mp4; do
        name=${file##*/}
        role=$(key_of "$file") || return 1
        seed=$(printf '%s %s' "$title_id" "$name" | cksum | cut -d' ' -f1)
        pssh=(--pssh-kid "$(id_of 'kid audio')")
        if [[ $role != audio ]]; then pssh=(--pssh-kid "$(id_of 'kid sd')" --pssh-kid "$(id_of 'kid hd')"); fi
        "$mux" --scheme "$drm" --key "$(id_of "kid $role"):$(id_of "key $role")" --iv-seed "$seed" "${pssh[@]}" \
            "$file" "$part/$name.new" || return 1
        mv "$part/$name.new" "$part/$name"
    done
}

# period MPD ID START DURATION OFFSET BASE   the one period of an MPD as one of several; seconds.
period() {
    awk -v id="$2" -v start="$3" -v duration="$4" -v offset="$5" -v base="$6" '
    /<Period / {
        printf "  <Period id=\"%s\" start=\"PT%sS\" duration=\"PT%sS\">\n", id, start, duration
        if (base != "") printf "    <BaseURL>%s</BaseURL>\n", base
        inside = 1
        next
    }
    /<Segment(Template|Base) / {
        match($0, /timescale="[0-9]+"/)
        scale = substr($0, RSTART + 11, RLENGTH - 12)
        sub(/ presentationTimeOffset="[0-9]+"/, "")
        sub(/timescale=/, "presentationTimeOffset=\"" offset * scale "\" timescale=")
    }
    inside
    /<\/Period>/ { exit }' "$1"
}

# mpd SECONDS PROFILE   a static MPD around the periods on standard input.
mpd() {
    echo '<?xml version="1.0" encoding="utf-8"?>'
    printf '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:%s:2011" type="static"' "$2"
    printf ' mediaPresentationDuration="PT%sS" minBufferTime="PT4S">\n' "$1"
    cat
    echo '</MPD>'
}

dash_periods() {
    local splice=6 insert=4 cut=5 folder=$part/periods
    local rest=$(awk "BEGIN { print $duration - $splice }")
    if [[ $rest == -* || $rest == 0 ]]; then give_up "--dash periods takes a title of more than $splice s"; fi
    dash "$folder/a" 1 '$Number%05d$' || return 1
    (
        # What is put in has fewer rungs, one sound and times of its own.
        ladder=("${ladder[0]}" "${ladder[2]}")
        sounds=(en)
        duration=$insert
        input=
        other=yes
        dash "$folder/b" 1 '$Number%05d$'
    ) || return 1
    {
        period "$folder/a/manifest.mpd" a 0 $splice 0 a/
        period "$folder/b/manifest.mpd" b $splice $insert 0 b/
        period "$folder/a/manifest.mpd" c $((splice + insert)) "$rest" $splice a/
    } | mpd "$(awk "BEGIN { print $duration + $insert }")" isoff-live >"$folder/manifest.mpd"
    rm "$folder/a/manifest.mpd" "$folder/b/manifest.mpd"
    {
        period "$part/title.mpd" a 0 $cut 0 ''
        period "$part/title.mpd" b $cut "$(awk "BEGIN { print $duration - $cut }")" $cut ''
    } | mpd "$duration" isoff-on-demand >"$part/cut.mpd"
}

mkdir -p "$(dirname "$out")"
out=$(realpath -m "$out")
part=$out.part.$$
trap 'rm -rf "$part" "$part.old"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$part"

start=$SECONDS
if [[ -n $of ]]; then
    echo "make-title: $drm of $of"
else
    echo "make-title: ${#ladder[@]} rungs, ${#sounds[@]} of sound, $duration s of ${input:-generated picture}"
    if ! encode; then
        tail -n 20 "$part/ffmpeg.log" >&2
        give_up 'ffmpeg failed'
    fi
    rm -f "$part/ffmpeg.log"
fi
if [[ -n $drm ]]; then protect "${of:-$part}" || give_up 'the files could not be protected'; fi
"$mockd" --describe "$part" --write-text || give_up 'no subtitles could be written'
"$mockd" --describe "$part" --title-id "$title_id" --base-url "$base_url" >"$part/manifest.json" ||
    give_up 'the files are not as they should be'
"$mockd" --describe "$part" --mpd >"$part/title.mpd" || give_up 'the files have no MPD'
for variant in ${dash//,/ }; do "dash_$variant" || give_up "no DASH variant $variant"; done
recipe >"$part/recipe"

# In with the new title in one step, out with the old one.
if [[ -e $out ]]; then mv -T "$out" "$part.old"; fi
mv -T "$part" "$out"
rm -rf "$part.old"
for file in "$out"/*.mp4; do
    printf '  %-20s %9d bytes\n' "${file##*/}" "$(stat -c %s "$file")"
done
echo "make-title: $out in $((SECONDS - start)) s"
