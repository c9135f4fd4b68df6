#!/bin/sh
# cadmium-play --headless over files: frames equal ffmpeg's, lines are obeyed, errors are typed, and there
# is always an end line.
# usage: headless-test.sh PLAYER FOLDER
set -eu
player=$1
media=$2
if [ ! -e "$media/h264.mp4" ]; then
    echo "no media in $media"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/out" "$work/err" 2>/dev/null || true
    exit 1
}

# Plays with the arguments given; the status is in $status.
play() {
    status=0
    "$player" --headless --json-stats "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

has() {
    grep -q "$1" "$work/out" || fail "no line with $1"
}

for name in h264 h264-small av1; do
    [ -e "$media/$name.mp4" ] || continue
    play --fast --framemd5 "$work/sums" "$media/$name.mp4"
    [ "$status" = 0 ] || fail "$name: status $status"
    awk '{ print $3 }' "$work/sums" >"$work/got"
    awk '!/^#/ { print $NF }' "$media/$name.framemd5" >"$work/want"
    cmp -s "$work/got" "$work/want" || fail "$name: frames differ from ffmpeg's"
    awk '$1 <= last && NR > 1 { exit 1 } { last = $1 }' "$work/sums" || fail "$name: times"
    has '"event":"first_frame"'
    has '"event":"end".*"frames":100,"dropped":0'
done

# In real time four seconds take four seconds.
begin=$(date +%s%N)
play "$media/h264.mp4"
took=$((($(date +%s%N) - begin) / 1000000))
[ "$status" = 0 ] || fail "status $status"
if [ "$took" -lt 3500 ] || [ "$took" -gt 8000 ]; then fail "took $took ms"; fi

# Sound alone.
play --fast "$media/aac.mp4"
[ "$status" = 0 ] || fail "aac: status $status"
has '"event":"first_frame"'

# Bounds: pictures from 1 s up to 2 s, and no others.
play --fast --seek 1 --until 2 --framemd5 "$work/sums" "$media/h264.mp4"
[ "$status" = 0 ] || fail "until: status $status"
awk '$1 < 960000000 || $1 >= 2000000000 { exit 1 } END { if (NR < 24 || NR > 26) exit 1 }' \
    "$work/sums" || fail "until: wrong pictures"

# Lines on standard input.
status=0
{ sleep 1; echo 'seek 2.5'; sleep 1; echo pause; sleep 1; echo quit; sleep 5; } |
    "$player" --headless --json-stats "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "quit: status $status"
has '"event":"seek_done","to":2.5'
has '"event":"end"'

# A signal ends it in good order.
"$player" --headless --json-stats "$media/h264.mp4" >"$work/out" 2>"$work/err" </dev/null &
pid=$!
sleep 1
kill -TERM $pid
status=0
wait $pid || status=$?
[ "$status" = 0 ] || fail "signal: status $status"
has '"event":"end"'

# Typed errors, one line in words, an end line, and the status.
expect_error() {
    code=$1
    shift
    play "$@"
    [ "$status" = 1 ] || fail "$code: status $status"
    has "\"event\":\"error\",\"code\":\"$code\".*\"fatal\":true"
    has '"event":"end"'
    [ "$(grep -c '^cadmium-play: error: ' "$work/err")" = 1 ] || fail "$code: not one line in words"
}
expect_error FILE_NOT_FOUND "$work/none.mp4"
head -c 20000 /dev/zero >"$work/zeros.mp4"
expect_error 'M[A-Z]*_[A-Z_]*' "$work/zeros.mp4"

status=0
"$player" --what >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 2 ] || fail "usage: status $status"
"$player" --version | grep -q '^cadmium-play [0-9]' || fail "version"
"$player" --help | grep -q -- '--framemd5' || fail "help"
echo "all well"
