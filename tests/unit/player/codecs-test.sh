#!/bin/sh
# Every codec through the whole player: files, engine, sink. Pictures at their times equal ffmpeg's
# framemd5 line by line, 10 bits as yuv420p10le; runs of sound equal `-c:a pcm_f32le -f framemd5` line by
# line. Where the edit list cuts into a run that ffmpeg leaves whole, the rest of that run is not compared.
# usage: codecs-test.sh PLAYER MEDIA
set -eu
player=$1
media=$2
if [ ! -e "$media/hevc10.mp4" ]; then
    echo "no media in $media: fixture/media makes it where the ffmpeg program is"
    exit 77
fi
work=$(mktemp -d)
# Nothing is kept beside the test.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    tail -n 20 "$work"/out "$work"/err 2>/dev/null || true
    exit 1
}

play() {
    "$player" --headless --json-stats --fast "$@" >"$work/out" 2>"$work/err" </dev/null ||
        fail "$*: status $?"
    grep -q '"event":"end"' "$work/out" || fail "$*: no end"
}

for name in h264 h264-small hevc hevc10 vp9 vp9-10 av1 av1-10; do
    if [ ! -e "$media/$name.mp4" ]; then echo "$name: not made here"; continue; fi
    play --framemd5 "$work/sums" "$media/$name.mp4"
    awk '{ print $3 }' "$work/sums" >"$work/got"
    awk '!/^#/ { print $NF }' "$media/$name.framemd5" >"$work/want"
    cmp -s "$work/got" "$work/want" || fail "$name: pictures differ from ffmpeg's"
    awk '$1 != (NR - 1) * 40000000 { exit 1 } END { exit NR != 100 }' "$work/sums" ||
        fail "$name: not 100 pictures at 25 a second"
    echo "$name: $(wc -l <"$work/got") pictures"
done

# name, channels, samples of the first run, whether ffmpeg cuts it as well
while read -r name channels first same; do
    if [ ! -e "$media/$name.mp4" ]; then echo "$name: not made here"; continue; fi
    play --soundmd5 "$work/sums" "$media/$name.mp4"
    ffmpeg -v error -nostdin -i "$media/$name.mp4" -c:a pcm_f32le -f framemd5 - |
        awk '!/^#/ { print $NF }' >"$work/want"
    awk '{ print $5 }' "$work/sums" >"$work/got"
    skip=1
    [ "$same" = yes ] || skip=2
    tail -n +$skip "$work/got" >"$work/got.rest"
    tail -n +$skip "$work/want" >"$work/want.rest"
    cmp -s "$work/got.rest" "$work/want.rest" || fail "$name: sound differs from ffmpeg's"
    read -r pts rate of samples _ <"$work/sums"
    [ "$pts $rate $of $samples" = "0 48000 $channels $first" ] ||
        fail "$name begins with $pts $rate $of $samples"
    # Each run begins where the one before ended, to the nanosecond of rounding.
    awk 'NR > 1 && ($1 > end + 2 || $1 < end - 2) { exit 1 } { end = $1 + $4 * 1e9 / $2 }' \
        "$work/sums" || fail "$name: runs leave a gap"
    echo "$name: $(wc -l <"$work/got.rest") runs of sound"
done <<'LIST'
aac 2 1024 yes
flac 2 4608 yes
opus 2 648 yes
ac3 6 1280 no
eac3 6 1280 no
LIST
