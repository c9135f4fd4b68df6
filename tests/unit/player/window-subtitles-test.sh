#!/bin/sh
# Subtitles in a window of a virtual display, of a title from the mocks: they are where the document says, larger
# for who wants them so, change and go by a key while it is paused, and make room for the controls.
# usage: window-subtitles-test.sh KEYS MOCKD TITLE   (KEYS is test_player_window_keys)
set -eu
keys=$1
mockd=$2
title=$3
for program in Xvfb import convert; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
if [ ! -e "$title/text-en.ttml" ]; then
    echo "no title with subtitles in $title"
    exit 77
fi
# As in window-test.sh: what lies behind the window keeps memory to the end.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
work=$(mktemp -d)
server=
service=
playing=

finish() {
    [ -z "$playing" ] || kill "$playing" 2>/dev/null || true
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/out" "$work/err" 2>/dev/null || true
    exit 1
}

# Waits until a file has something in it.
await() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if [ -s "$1" ]; then return; fi
        sleep 0.25
    done
    fail "nothing in $1"
}

Xvfb -displayfd 3 -screen 0 1600x900x24 3>"$work/display" >/dev/null 2>&1 &
server=$!
"$mockd" --title-dir "$title" --ready-file "$work/ready.json" >/dev/null 2>&1 &
service=$!
await "$work/display"
await "$work/ready.json"
base=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready.json")
DISPLAY=:$(cat "$work/display")
SDL_AUDIODRIVER=dummy
SDL_RENDER_DRIVER=software
export DISPLAY SDL_AUDIODRIVER SDL_RENDER_DRIVER

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

shoot() {
    import -window '900100 - cadmium-play' "$work/$1.png" || fail 'no window'
    [ "$(convert "$work/$1.png" -format '%wx%h' info:)" = 1280x720 ] || fail "the window's size"
}

# White pixels in a region of a picture, in thousands of them.
white() {
    convert "$work/$1.png" -crop "$2" +repage -fill black +opaque white -format '%[fx:round(mean*w*h)]' info:
}

# The region lies between the seek bar and the middle of the film, where nothing else is white; the document's is
# the box at 10 to 90 percent of the width, 70 to 90 of the height.
wide=1024x120+128+500
start --subtitles en
shoot english
start_white=$(white english $wide)
[ "$start_white" -ge 1000 ] || fail "no subtitles: $start_white white pixels"
# The controls are shown while it is paused: nothing of the words lies over the seek bar.
convert "$work/english.png" -crop "$wide" +repage "$work/english-words.png"
press v
shoot german
convert "$work/german.png" -crop "$wide" +repage "$work/german-words.png"
[ "$(white german $wide)" -ge 1000 ] || fail 'no German subtitles while paused'
if cmp -s "$work/english-words.png" "$work/german-words.png"; then fail 'the language did not change'; fi
press v
shoot none
[ "$(white none $wide)" -lt 100 ] || fail "subtitles that were turned off: $(white none $wide)"
press v
shoot again
convert "$work/again.png" -crop "$wide" +repage "$work/again-words.png"
[ "$(compare -metric AE "$work/english-words.png" "$work/again-words.png" null: 2>&1)" -lt 2000 ] ||
    fail 'English again is not what it was'
stop
grep -q '"event":"track","track":"text","id":"T:de"' "$work/out" || fail 'German is not told'
grep -q '"event":"track","track":"text","id":""' "$work/out" || fail 'none is not told'

start --subtitles en --subtitle-size 50
shoot small
[ "$(white small $wide)" -ge 100 ] || fail 'no small subtitles'
[ "$(white small $wide)" -lt $((start_white / 2)) ] || fail "half the size: $(white small $wide) of $start_white"
stop

# Nobody asked for any.
start
shoot plain
[ "$(white plain $wide)" -lt 100 ] || fail 'subtitles that nobody asked for'
stop
echo "$start_white white pixels, all well"
