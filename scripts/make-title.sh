#!/usr/bin/env bash
# Makes a title to play: a ladder of fragmented MP4 files with sidx, and their licensed manifest.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/make-title.sh [option...] [VIDEO]

Encodes VIDEO, or a minute of generated picture and sound, as a title: four H.264 rungs, one AV1 rung, AAC
stereo, closed groups of pictures of two seconds, each file fragmented with its index at the front. A title
that is there already and was made in the same way is left alone.

  --input VIDEO     the same as VIDEO
  --duration S      seconds (generated: 60; VIDEO: all of it)
  --out DIR         where the title goes (build/title)
  --preset NAME     standard, or small: little pictures and rates, for tests (standard)
  --base-url URL    what the URLs of manifest.json start with (http://127.0.0.1:8081/files)
  --title-id ID     viewable id in manifest.json (900100)
  --mockd PROGRAM   cadmium-mockd, which describes the files; built if it is not there
                    (build/release/bin/cadmium-mockd)
  --force           make it anew in any case
  --help            this text

DIR then holds video-<kbps>.mp4, audio-en.mp4 and manifest.json. Needs ffmpeg with libx264 and libsvtav1.
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
force=

give_up() {
    echo "make-title: $1" >&2
    exit "${2:-1}"
}

while (($# > 0)); do
    case $1 in
    --input | --duration | --out | --preset | --base-url | --title-id | --mockd)
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
command -v ffmpeg >/dev/null || give_up 'ffmpeg is missing: scripts/install-deps.sh demo'

# kbps, width, height, codec; the generated picture has the size that `source` says.
case $preset in
standard)
    ladder=('300 426 240 h264' '750 640 360 h264' '1750 960 540 h264' '3000 1280 720 h264' '1000 960 540 av1')
    audio_kbps=128
    source_width=1280
    av1_preset=10
    x264_preset=veryfast
    ;;
small)
    ladder=('60 160 90 h264' '120 192 108 h264' '240 256 144 h264' '400 320 180 h264' '180 256 144 av1')
    audio_kbps=48
    source_width=320
    av1_preset=12
    x264_preset=ultrafast
    ;;
*) give_up "no preset $preset: standard or small" 2 ;;
esac

probe() {
    ffprobe -v error "$@" -of default=noprint_wrappers=1:nokey=1 -i "$input" | head -n 1
}

# What the source is: a rate that makes two seconds a whole number of pictures, and a length.
rate=24
has_audio=yes
if [[ -n $input ]]; then
    input=$(realpath "$input")
    case $(probe -select_streams v:0 -show_entries stream=r_frame_rate) in
    '') give_up "$input: no picture in it" ;;
    25/1 | 50/1) rate=25 ;;
    esac
    [[ -n $(probe -select_streams a:0 -show_entries stream=index) ]] || has_audio=
    [[ -n $duration ]] || duration=$(probe -show_entries format=duration)
    [[ $duration =~ ^[0-9] ]] || give_up "$input: its length is not known; say --duration"
else
    duration=${duration:-60}
fi

# How a title was made, this script included, to know one that needs no making.
recipe() {
    cksum <"$root/scripts/make-title.sh"
    printf '%s\n' "$preset" "$duration" "$rate" "$base_url" "$title_id"
    if [[ -n $input ]]; then stat -c '%n %s %Y' "$input"; fi
}

if [[ -z $force && -s $out/manifest.json && $(cat "$out/recipe" 2>/dev/null) == "$(recipe)" ]]; then
    echo "make-title: $out is there already"
    exit 0
fi

if [[ ! -x $mockd ]]; then
    if [[ $mockd != "$root/build/release/bin/cadmium-mockd" ]]; then give_up "$mockd: no such program" 2; fi
    echo 'make-title: building cadmium-mockd'
    (cd "$root" && cmake --preset release >/dev/null && cmake --build build/release --target bin/cadmium-mockd >/dev/null) ||
        give_up 'cadmium-mockd did not build'
fi

# A drifting sky, a game of life, a clock and a frame number (no font is needed), and a white square with
# each beep. The sound is the beep, a tone that sweeps from side to side and a little noise.
generated_picture() {
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

generated_sound() {
    local beep='0.35*sin(2*PI*1000*t)*lt(mod(t\,1)\,0.1)'
    local sweep='0.1*sin(2*PI*(330*t+350*sin(0.6*t)))'
    local noise='0.02*(random(0)-0.5)'
    printf "aevalsrc=exprs='%s+%s*(0.5+0.5*sin(0.5*t))+%s|%s+%s*(0.5-0.5*sin(0.5*t))+%s':s=48000" \
        "$beep" "$sweep" "$noise" "$beep" "$sweep" "$noise"
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
    if [[ -z $input ]]; then
        printf ';%s[a]' "$(generated_sound)"
    elif [[ -n $has_audio ]]; then
        printf ';[0:a:0]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo,apad[a]'
    else
        printf ';anullsrc=r=48000:cl=stereo[a]'
    fi
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

encode() {
    local group=$((rate * 2)) i kbps codec
    local common=(-t "$duration" -map_metadata -1 -map_chapters -1 -fflags +bitexact -flags:v +bitexact+cgop -f mp4
        -movflags +frag_keyframe+delay_moov+default_base_moof+global_sidx+skip_trailer)
    local arguments=(-hide_banner -nostdin -v error -y -progress pipe:1 -nostats)
    if [[ -n $input ]]; then arguments+=(-i "$input"); fi
    arguments+=(-filter_complex "$(graph)")
    for ((i = 0; i < ${#ladder[@]}; i++)); do
        read -r kbps _ _ codec <<<"${ladder[i]}"
        arguments+=(-map "[v$i]" -g "$group" -b:v "${kbps}k")
        if [[ $codec == h264 ]]; then
            arguments+=(-c:v libx264 -preset "$x264_preset" -profile:v main -bf 2 -maxrate "$((kbps * 3 / 2))k"
                -bufsize "$((kbps * 2))k" -keyint_min "$group" -sc_threshold 0)
        else
            arguments+=(-c:v libsvtav1 -preset "$av1_preset" -svtav1-params "keyint=$group:irefresh-type=2")
        fi
        arguments+=("${common[@]}" "$part/video-$kbps.mp4")
    done
    arguments+=(-map '[a]' -c:a aac -b:a "${audio_kbps}k" -ac 2 -frag_duration 2000000 -flags:a +bitexact "${common[@]}"
        -movflags +delay_moov+default_base_moof+global_sidx+skip_trailer "$part/audio-en.mp4")
    # libsvtav1 greets on standard error whatever the log level.
    SVT_LOG=1 ffmpeg "${arguments[@]}" 2>"$part/ffmpeg.log" | show_progress
}

mkdir -p "$(dirname "$out")"
out=$(realpath -m "$out")
part=$out.part.$$
trap 'rm -rf "$part" "$part.old"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$part"

start=$SECONDS
echo "make-title: ${#ladder[@]} rungs and sound, $duration s of ${input:-generated picture}"
if ! encode; then
    tail -n 20 "$part/ffmpeg.log" >&2
    give_up 'ffmpeg failed'
fi
rm -f "$part/ffmpeg.log"
"$mockd" --describe "$part" --title-id "$title_id" --base-url "$base_url" >"$part/manifest.json" ||
    give_up 'the files are not as they should be'
recipe >"$part/recipe"

# In with the new title in one step, out with the old one.
if [[ -e $out ]]; then mv -T "$out" "$part.old"; fi
mv -T "$part" "$out"
rm -rf "$part.old"
for file in "$out"/*.mp4; do
    printf '  %-20s %9d bytes\n' "${file##*/}" "$(stat -c %s "$file")"
done
echo "make-title: $out in $((SECONDS - start)) s"
