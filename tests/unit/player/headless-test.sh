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
# Nothing is kept beside the test.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME
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

# Sound alone: its rungs are told, a rung of the picture means nothing.
play --fast --rung 1 "$media/aac.mp4"
[ "$status" = 0 ] || fail "aac: status $status"
has '"event":"first_frame"'
has '"event":"rung","track":"audio","rung":0,"kbps":[0-9.]*}'
[ "$(grep -c -- '--rung means nothing' "$work/err")" = 1 ] || fail "aac: --rung is passed over"

# A rung beyond the ladder is the highest, and that is said.
play --fast --until 1 --rung 63 "$media/h264.mp4"
[ "$status" = 0 ] || fail "rung 63: status $status"
has '"event":"rung","track":"video","rung":0,'
grep -q -- '--rung 63: the ladder has 1 rung' "$work/err" || fail "rung 63 is not spoken of"

# Bounds: pictures from 1 s up to 2 s, and no others.
play --fast --seek 1 --until 2 --framemd5 "$work/sums" "$media/h264.mp4"
[ "$status" = 0 ] || fail "until: status $status"
awk '$1 < 960000000 || $1 >= 2000000000 { exit 1 } END { if (NR < 24 || NR > 26) exit 1 }' \
    "$work/sums" || fail "until: wrong pictures"

# What there is to choose from, without playing it.
status=0
"$player" --no-config --list-tracks "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "list: status $status"
grep -qx '\* video  0  322x178, H.264, [0-9]* kbit/s' "$work/out" || fail "list: no picture"
[ "$(wc -l <"$work/out")" = 1 ] || fail "list: more than the tracks"
play --list-tracks "$media/aac.mp4"
has '"event":"tracks","tracks":\[{"id":"0","type":"audio",.*"codec":"aac","channels":2,.*"selected":true}\]}'

# Lines on standard input.
status=0
{ sleep 1; echo 'seek 2.5'; echo 'rate 1.25'; echo 'rate 9'; echo 'track none'; sleep 1
    echo pause; sleep 1; echo quit; sleep 5; } |
    "$player" --headless --json-stats "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "quit: status $status"
has '"event":"seek_done","to":2.5'
has '"event":"rate","rate":1.25}'
has '"event":"error","code":"NO_SUCH_TRACK".*"fatal":false'
has '"event":"end"'
grep -q 'not understood: rate 9' "$work/err" || fail "rate 9 is passed over"

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

# Files and an output that cannot be written.
for option in --log --framemd5 --soundmd5 --tape; do
    expect_error FILE_UNWRITABLE "$option" "$work/none/file" "$media/aac.mp4"
    grep -q -- "$option $work/none/file cannot be written: No such" "$work/err" ||
        fail "$option: not said what is wrong"
done
if [ -c /dev/full ]; then
    for words in --help --version "--headless --fast --json-stats $media/aac.mp4" \
        "--headless --fast $media/aac.mp4"; do
        status=0
        # shellcheck disable=SC2086
        "$player" $words >/dev/full 2>"$work/err" </dev/null || status=$?
        [ "$status" = 1 ] || fail "a full disk, $words: status $status"
        grep -q 'standard output could not be written' "$work/err" || fail "a full disk, $words"
    done
    expect_error FILE_UNWRITABLE --fast --framemd5 /dev/full "$media/h264.mp4"
fi

# A line that is not understood comes back without what a terminal would obey.
status=0
printf 'a\033[2J\302\233\342\200\256b\nquit\n' |
    "$player" --headless "$media/h264.mp4" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 0 ] || fail "echo: status $status"
grep -q 'not understood: a?\[2J??b$' "$work/err" || fail "a control was echoed"

status=0
"$player" --what >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 2 ] || fail "usage: status $status"
"$player" --version | grep -q '^cadmium-play [0-9]' || fail "version"
"$player" --help | grep -q -- '--framemd5' || fail "help"
echo "all well"
