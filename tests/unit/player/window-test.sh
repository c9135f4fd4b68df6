#!/bin/sh
# cadmium-play in a window of a virtual display: the film, the controls and their fading, the figures, the
# error screen; and what mouse and keys do.
# usage: window-test.sh PLAYER HAND FOLDER
set -eu
player=$1
hand=$2
media=$3
. "$(dirname "$0")/window-display.sh"
if [ ! -e "$media/h264.mp4" ]; then
    echo "no media in $media"
    exit 77
fi
open_display

# Mean red, green, blue and deviation of a region of a picture, 0..255.
look() {
    convert "$1" -crop "$2" +repage -format \
        '%[fx:round(mean.r*255)] %[fx:round(mean.g*255)] %[fx:round(mean.b*255)] %[fx:round(standard_deviation*255)]' \
        info:
}

# The region $2 of picture $1 has about the colour $3 $4 $5.
is() {
    look "$1" "$2" | awk -v r="$3" -v g="$4" -v b="$5" '
        function off(x, y) { return x - y > 12 || y - x > 12 }
        { exit off($1, r) || off($2, g) || off($3, b) }'
}

# The region $3 of picture $2, called $1, has about the colour $4 $5 $6.
expect() {
    is "$work/$2.png" "$3" "$4" "$5" "$6" || fail "$1: $(look "$work/$2.png" "$3"), not $4 $5 $6"
}

# The region is not flat: there is something on it.
lively() {
    deviation=$(look "$work/$2.png" "$3" | awk '{ print $4 }')
    [ "$deviation" -ge "$4" ] || fail "$1: deviation $deviation"
}

start() {
    "$player" --no-config --json-stats "$@" >"$work/out" 2>"$work/err" </dev/null &
    playing=$!
}

stop() {
    kill -TERM "$playing"
    status=0
    wait "$playing" || status=$?
    playing=
    [ "$status" = "$1" ] || fail "status $status"
    grep -q '"event":"end"' "$work/out" || fail "no end line"
}

# Paused: the film, and the controls stay.
start --start-paused --overlay "$media/h264.mp4"
sleep 5
shoot paused h264.mp4
lively "film" paused 400x200+760+220 8
lively "title" paused 140x30+40+34 30
lively "play button" paused 30x30+38+665 40
expect "panel of the figures" paused 6x300+46+120 23 25 31
lively "figures" paused 300x100+190+100 20
kill -0 "$playing" || fail "it ended while paused"
stop 0
grep -q '"event":"first_frame"' "$work/out" || fail "no first frame"

# HDR is converted for the window, and a note in the corner says so.
if [ -e "$media/hevc10.mp4" ]; then
    start --start-paused "$media/hevc10.mp4"
    sleep 3
    shoot hdr hevc10.mp4
    expect "ground of the note" hdr 5x20+1040+38 31 15 37
    lively "note about HDR" hdr 130x20+1090+38 40
    stop 0
fi

# Playing: what was played is in colour; three seconds later nothing lies over the film.
start --speed 0.5 "$media/h264.mp4"
sleep 2.5
shoot shown h264.mp4
expect "played part" shown 30x4+60+634 255 176 31
sleep 3.5
shoot hidden h264.mp4
if is "$work/hidden.png" 30x4+60+634 255 176 31; then fail "the controls did not fade"; fi
# It ends by itself.
status=0
wait "$playing" || status=$?
playing=
[ "$status" = 0 ] || fail "end: status $status"

# A failure is told on the screen, in words, and stays there.
start "$media/none.mp4"
sleep 2
shoot error none.mp4
expect "ground of the error screen" error 300x600+20+20 14 17 22
expect "button to try again" error 12x40+448+458 255 176 31
lively "title of the failure" error 300x40+490+222 40
lively "code at the bottom" error 300x20+490+666 12
stop 1
grep -q 'FILE_NOT_FOUND' "$work/out" || fail "no typed error"

# Mouse and keys: one seek for a drag, one for a key, one change of speed; q quits.
status=0
SDL_VIDEODRIVER=dummy "$hand" "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "hand: status $status"
seeks=$(grep -c '"event":"seek_done"' "$work/out") || true
[ "$seeks" = 2 ] || fail "hand: $seeks seeks, not 2"
grep -q '"event":"seek_done","to":[12]\.' "$work/out" || fail "hand: the drag went elsewhere"
grep -q '"event":"rate","rate":0.75' "$work/out" || fail "hand: no change of speed"
grep -q '"event":"error"' "$work/out" && fail "hand: an error"

# What was missing is there now: Enter tries again, and it plays to its end.
status=0
SDL_VIDEODRIVER=dummy "$hand" "$work/late.mp4" "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "again: status $status"
grep -q '"code":"FILE_NOT_FOUND"' "$work/out" || fail "again: it did not fail at first"
grep -q '"event":"first_frame"' "$work/out" || fail "again: nothing was shown"
grep -q '"event":"end".*"position":[34]' "$work/out" || fail "again: it did not end at its end"
echo "all well"
