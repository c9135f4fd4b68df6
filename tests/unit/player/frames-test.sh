#!/bin/sh
# The pictures of a title from the mocks: at each fixed rung, H.264 and AV1, every one equals ffmpeg's; with
# rungs changing on a thin line, times still follow each other without gap or repeat, and each picture is
# the one of its rung.
# usage: frames-test.sh PLAYER MOCKD TITLE
set -eu
player=$1
mockd=$2
title=$3
if [ ! -e "$title/manifest.json" ]; then
    echo "no title in $title"
    exit 77
fi
work=$(mktemp -d)
# Nothing is kept beside the test.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME
fast=
thin=

finish() {
    [ -z "$fast" ] || kill "$fast" 2>/dev/null || true
    [ -z "$thin" ] || kill "$thin" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    tail -n 20 "$work"/*.out "$work"/*.err 2>/dev/null || true
    exit 1
}

# The address of the service that $1.json tells.
base() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s "$work/$1.json" ] && break
        sleep 0.3
    done
    sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/$1.json"
}

"$mockd" --title-dir "$title" --ready-file "$work/fast.json" >/dev/null 2>&1 &
fast=$!
"$mockd" --title-dir "$title" --ready-file "$work/thin.json" --rate-kbps 260 >/dev/null 2>&1 &
thin=$!

# In real time, beside the rest: the line is thinner than the highest rung.
"$player" --headless --json-stats --framemd5 "$work/switch.sums" --title 900100 "$(base thin)" \
    >"$work/switch.out" 2>"$work/switch.err" </dev/null &
switching=$!

rung=0
while :; do
    "$player" --headless --json-stats --fast --rung "$rung" --framemd5 "$work/$rung.sums" \
        --title 900100 "$(base fast)" >"$work/rung.out" 2>"$work/rung.err" </dev/null ||
        fail "rung $rung: status $?"
    kbps=$(sed -n 's/.*"event":"rung".*"kbps":\([0-9]*\).*/\1/p' "$work/rung.out" | head -n 1)
    file="$title/video-$kbps.mp4"
    [ -e "$file" ] || fail "rung $rung: no file for $kbps kbit/s"
    if [ "$rung" -gt 0 ] && [ "$kbps" = "$before" ]; then break; fi
    before=$kbps
    ffmpeg -v error -nostdin -i "$file" -fps_mode passthrough -f framemd5 - |
        awk '!/^#/ { print $NF }' >"$work/$rung.want"
    awk '{ print $3 }' "$work/$rung.sums" >"$work/$rung.got"
    cmp -s "$work/$rung.got" "$work/$rung.want" || fail "rung $rung: pictures differ from ffmpeg's"
    awk -v r="$rung" '$2 != r { exit 1 }' "$work/$rung.sums" || fail "rung $rung: another rung"
    echo "rung $rung ($kbps kbit/s): $(wc -l <"$work/$rung.sums") pictures"
    rung=$((rung + 1))
    if [ "$rung" -ge "$(find "$title" -name 'video-*.mp4' | wc -l)" ]; then break; fi
done

wait "$switching" || fail "switching: status $?"
awk 'NR > 1 && $1 <= last { exit 1 } { last = $1 }' "$work/switch.sums" || fail "times do not rise"
cut -d ' ' -f 1 "$work/switch.sums" >"$work/switch.times"
cut -d ' ' -f 1 "$work/0.sums" >"$work/fixed.times"
cmp -s "$work/switch.times" "$work/fixed.times" || fail "times have a gap or a repeat"
# Line by line the sum is the one that this rung has there.
awk -v dir="$work" '{
    file = dir "/" $2 ".sums"
    for (i = have[$2]; i < NR; i++) getline line < file
    have[$2] = NR
    row = line
    split(row, f, " ")
    if (f[1] != $1 || f[3] != $3) { print "picture " NR ": " $0 " but " row; exit 1 }
}' "$work/switch.sums" >"$work/compare.out" || fail "a picture is not of its rung"
rungs=$(cut -d ' ' -f 2 "$work/switch.sums" | sort -u | wc -l)
[ "$rungs" -ge 2 ] || fail "there was no change of rung"
echo "switching: $rungs rungs, $(wc -l <"$work/switch.sums") pictures"
