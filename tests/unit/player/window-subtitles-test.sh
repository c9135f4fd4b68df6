#!/bin/sh
# Subtitles in a window of a virtual display, of a title from the mocks: they are where the document says, larger
# for who wants them so, change and go by a key while it is paused, and make room for the controls.
# usage: window-subtitles-test.sh KEYS MOCKD TITLE   (KEYS is test_player_window_keys)
set -eu
keys=$1
mockd=$2
title=$3
. "$(dirname "$0")/window-display.sh"
if [ ! -e "$title/text-en.ttml" ]; then
    echo "no title with subtitles in $title"
    exit 77
fi
open_display
"$mockd" --title-dir "$title" --ready-file "$work/ready.json" >/dev/null 2>&1 &
service=$!
await "$work/ready.json"
base=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready.json")

# Paused at 1 s, with keys from descriptor 4.
start() {
    rm -f "$work/keys"
    mkfifo "$work/keys"
    "$keys" --no-store --json-stats --start 1 --start-paused "$@" --title 900100 "$base" \
        <"$work/keys" >"$work/out" 2>"$work/err" &
    playing=$!
    exec 4>"$work/keys"
    sleep 3
}

press() {
    printf %s "$1" >&4
    sleep 2
}

stop() {
    printf q >&4
    exec 4>&-
    status=0
    wait "$playing" || status=$?
    playing=
    [ "$status" = 0 ] || fail "status $status"
}

# White pixels in a region of a picture, in thousands of them.
white() {
    convert "$work/$1.png" -crop "$2" +repage -fill black +opaque white -format '%[fx:round(mean*w*h)]' info:
}

# The region lies between the seek bar and the middle of the film, where nothing else is white; the document's is
# the box at 10 to 90 percent of the width, 70 to 90 of the height.
wide=1024x120+128+500
start --subtitles en
shoot english 900100
start_white=$(white english $wide)
[ "$start_white" -ge 1000 ] || fail "no subtitles: $start_white white pixels"
# The controls are shown while it is paused: nothing of the words lies over the seek bar.
convert "$work/english.png" -crop "$wide" +repage "$work/english-words.png"
press v
shoot german 900100
convert "$work/german.png" -crop "$wide" +repage "$work/german-words.png"
[ "$(white german $wide)" -ge 1000 ] || fail 'no German subtitles while paused'
if cmp -s "$work/english-words.png" "$work/german-words.png"; then fail 'the language did not change'; fi
press v
shoot none 900100
[ "$(white none $wide)" -lt 100 ] || fail "subtitles that were turned off: $(white none $wide)"
press v
shoot again 900100
convert "$work/again.png" -crop "$wide" +repage "$work/again-words.png"
[ "$(compare -metric AE "$work/english-words.png" "$work/again-words.png" null: 2>&1)" -lt 2000 ] ||
    fail 'English again is not what it was'
stop
grep -q '"event":"track","track":"text","id":"T:de"' "$work/out" || fail 'German is not told'
grep -q '"event":"track","track":"text","id":""' "$work/out" || fail 'none is not told'

start --subtitles en --subtitle-size 50
shoot small 900100
[ "$(white small $wide)" -ge 100 ] || fail 'no small subtitles'
[ "$(white small $wide)" -lt $((start_white / 2)) ] || fail "half the size: $(white small $wide) of $start_white"
stop

# Nobody asked for any.
start
shoot plain 900100
[ "$(white plain $wide)" -lt 100 ] || fail 'subtitles that nobody asked for'
stop
echo "$start_white white pixels, all well"
