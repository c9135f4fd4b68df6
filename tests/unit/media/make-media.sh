#!/bin/sh
# Makes small fragmented MP4 files for the tests of the media room, and what ffmpeg's framemd5 says of
# their pictures. Made once a build folder; without the ffmpeg program it says so and answers 77.
# usage: make-media.sh FOLDER
set -eu
out=$1
if ! command -v ffmpeg >/dev/null 2>&1; then
    echo "ffmpeg is missing: scripts/install-deps.sh demo"
    exit 77
fi
if [ -e "$out/done-2" ]; then exit 0; fi
mkdir -p "$out"
cd "$out"

run() {
    ffmpeg -v error -nostdin -y "$@"
}

fragments='-movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx+negative_cts_offsets -frag_duration 1000000'
picture='testsrc2=size=322x178:rate=25:duration=4'
small='testsrc2=size=160x90:rate=25:duration=4'
x264='-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0'

# Odd halves, cropping, B pictures: 322x178 is coded as 336x192.
# shellcheck disable=SC2086
run -f lavfi -i "$picture" $x264 -bf 3 -b:v 300k $fragments h264.mp4
# shellcheck disable=SC2086
run -f lavfi -i "$small" $x264 -bf 2 -b:v 100k $fragments h264-small.mp4
# shellcheck disable=SC2086
run -f lavfi -i 'sine=frequency=440:sample_rate=48000:duration=4' -ac 2 -c:a aac -b:a 64k \
    $fragments aac.mp4
if ffmpeg -v error -encoders 2>/dev/null | grep -q libsvtav1; then
    # shellcheck disable=SC2086
    SVT_LOG=1 run -f lavfi -i "$picture" -c:v libsvtav1 -preset 12 -g 25 -crf 45 -pix_fmt yuv420p \
        $fragments av1.mp4 2>/dev/null
fi
for file in h264 h264-small av1; do
    [ -e "$file.mp4" ] || continue
    run -i "$file.mp4" -fps_mode passthrough -f framemd5 "$file.framemd5"
done
: >done-2
