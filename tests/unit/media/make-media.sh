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
if [ -e "$out/done-3" ]; then exit 0; fi
mkdir -p "$out"
cd "$out"

run() {
    ffmpeg -v error -nostdin -y "$@"
}

fragments='-frag_duration 1000000
    -movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx+negative_cts_offsets'
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
has() {
    ffmpeg -v error -encoders 2>/dev/null | grep -q " $1 "
}

# One of each other codec; a second is a segment, as above. HDR10: what ffmpeg writes of the screen is
# known to the tests.
hdr='-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc'
screen='master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)'
x265='-c:v libx265 -preset ultrafast -tag:v hvc1'
keys='keyint=25:min-keyint=25:scenecut=0:open-gop=0:log-level=none'
if has libx265; then
    # shellcheck disable=SC2086
    run -f lavfi -i "$picture" $x265 -pix_fmt yuv420p -x265-params "$keys:bframes=3" -b:v 200k \
        $fragments hevc.mp4
    # shellcheck disable=SC2086
    run -f lavfi -i "$small" $x265 -pix_fmt yuv420p10le $hdr -b:v 200k -x265-params \
        "$keys:hdr10=1:repeat-headers=0:$screen:max-cll=993,401" $fragments hevc10.mp4
fi
if has libvpx-vp9; then
    vp9='-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -b:v 200k'
    # shellcheck disable=SC2086
    run -f lavfi -i "$picture" $vp9 -pix_fmt yuv420p $fragments vp9.mp4
    # shellcheck disable=SC2086
    run -f lavfi -i "$small" $vp9 -pix_fmt yuv420p10le -profile:v 2 $fragments vp9-10.mp4
fi
if has libsvtav1; then
    # shellcheck disable=SC2086
    SVT_LOG=1 run -f lavfi -i "$small" -c:v libsvtav1 -preset 12 -g 25 -crf 45 -pix_fmt yuv420p10le \
        $fragments av1-10.mp4 2>/dev/null
fi
for file in h264 h264-small av1 hevc hevc10 vp9 vp9-10 av1-10; do
    [ -e "$file.mp4" ] || continue
    run -i "$file.mp4" -fps_mode passthrough -f framemd5 "$file.framemd5"
done

# Six tones, one a channel.
tones=
for hertz in 440 550 660 80 770 880; do tones="$tones|0.2*sin(2*PI*$hertz*t)"; done
six="aevalsrc=exprs=${tones#|}:c=5.1:s=48000:d=4"
two='aevalsrc=exprs=0.2*sin(2*PI*440*t)|0.2*sin(2*PI*550*t):c=stereo:s=48000:d=4'
fragments="$fragments+delay_moov" # AC-3 tells its configuration with the first packet
# shellcheck disable=SC2086
run -f lavfi -i "$six" -c:a ac3 -b:a 384k $fragments ac3.mp4
# shellcheck disable=SC2086
run -f lavfi -i "$six" -c:a eac3 -b:a 256k $fragments eac3.mp4
# shellcheck disable=SC2086
run -f lavfi -i "$two" -c:a flac -strict experimental $fragments flac.mp4
# shellcheck disable=SC2086
has libopus && run -f lavfi -i "$two" -c:a libopus -b:a 96k $fragments opus.mp4
# What ffmpeg hears: 32-bit floats as they come, and what it would send down a cable.
for file in aac ac3 eac3 flac opus; do
    [ -e "$file.mp4" ] || continue
    run -i "$file.mp4" -f f32le -c:a pcm_f32le "$file.f32"
done
for file in ac3 eac3; do run -i "$file.mp4" -c copy -f spdif "$file.spdif"; done
: >done-3
