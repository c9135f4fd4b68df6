#!/bin/sh
# cadmium-play in a window of a virtual display: there is a picture, there are figures over it, a failure
# is told on the screen.
# usage: window-test.sh PLAYER FOLDER
set -eu
player=$1
media=$2
for program in Xvfb import convert; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
if [ ! -e "$media/h264.mp4" ]; then
    echo "no media in $media"
    exit 77
fi
# Libraries behind the window (D-Bus, Mesa) keep memory to the end, partly in modules that are unloaded
# by then, which a leak checker cannot name. Leaks are looked for in the runs without a window.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
work=$(mktemp -d)
server=
playing=

finish() {
    [ -z "$playing" ] || kill "$playing" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/out" "$work/err" 2>/dev/null || true
    exit 1
}

# The server names a free display by itself.
Xvfb -displayfd 3 -screen 0 1024x640x24 3>"$work/display" >/dev/null 2>&1 &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$work/display" ] && break
    sleep 0.5
done
[ -s "$work/display" ] || fail "no virtual display"
DISPLAY=:$(cat "$work/display")
SDL_AUDIODRIVER=dummy
SDL_RENDER_DRIVER=software
export DISPLAY SDL_AUDIODRIVER SDL_RENDER_DRIVER

# Mean and deviation of the brightness of a region, 0..1000.
region() {
    convert "$1" -crop "$2" +repage -colorspace Gray \
        -format '%[fx:round(mean*1000)] %[fx:round(standard_deviation*1000)]' info:
}

start() {
    "$player" --json-stats "$@" >"$work/out" 2>"$work/err" </dev/null &
    playing=$!
}

shoot() {
    import -window root "$work/$1.png"
}

# The window is 960x540 in the middle of 1024x640: from 32,50 on.
start --overlay "$media/h264.mp4"
sleep 2
shoot picture
# shellcheck disable=SC2046
set -- $(region "$work/picture.png" 400x200+500+300)
[ "$1" -gt 100 ] || fail "the picture is black: mean $1"
[ "$2" -gt 50 ] || fail "the picture is flat: deviation $2"
white=$(convert "$work/picture.png" -crop 480x160+32+50 +repage -fill black +opaque '#F0F0F0' \
    -fill white -opaque '#F0F0F0' -format '%[fx:round(mean*w*h)]' info:)
[ "$white" -gt 500 ] || fail "no text over the picture: $white pixels"
kill -TERM "$playing"
status=0
wait "$playing" || status=$?
playing=
[ "$status" = 0 ] || fail "status $status"
grep -q '"event":"first_frame"' "$work/out" || fail "no first frame"
grep -q '"event":"end"' "$work/out" || fail "no end line"

# Without the overlay that corner is picture too: the text was no accident.
start "$media/h264.mp4"
sleep 2
shoot plain
white=$(convert "$work/plain.png" -crop 480x160+32+50 +repage -fill black +opaque '#F0F0F0' \
    -fill white -opaque '#F0F0F0' -format '%[fx:round(mean*w*h)]' info:)
[ "$white" -lt 200 ] || fail "text where none should be: $white pixels"
# It ends by itself.
status=0
wait "$playing" || status=$?
playing=
[ "$status" = 0 ] || fail "end: status $status"

# A failure is told on the screen and stays there.
start "$work/none.mp4"
sleep 2
shoot error
white=$(convert "$work/error.png" -fill black +opaque '#F0F0F0' -fill white -opaque '#F0F0F0' \
    -format '%[fx:round(mean*w*h)]' info:)
[ "$white" -gt 500 ] || fail "no words on the screen: $white pixels"
kill -TERM "$playing"
status=0
wait "$playing" || status=$?
playing=
[ "$status" = 1 ] || fail "error: status $status"
grep -q 'FILE_NOT_FOUND' "$work/out" || fail "no typed error"
grep -q '"event":"end"' "$work/out" || fail "no end line after an error"
echo "all well"
