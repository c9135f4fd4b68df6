#!/usr/bin/env bash
# cadmium-mux as a program: what it says of wrong usage and of files it cannot protect, and that the same call
# makes the same file.
# usage: mux-test.sh MUX TITLE_DIR
set -u
mux=$1
title=$2
failed=0
key=00112233445566778899aabbccddeeff:0f0e0d0c0b0a09080706050403020100

if [[ ! -s $title/video-60.mp4 ]]; then
    echo 'no file to protect'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tells STATUS WORDS ARGUMENT...
tells() {
    local status=$1 words=$2
    shift 2
    "$mux" "$@" >"$work/out" 2>"$work/err"
    local got=$?
    if [[ $got != "$status" ]] || ! grep -q -e "^cadmium-mux: .*$words" "$work/err"; then
        echo "FAILED $*: $got, $(cat "$work/err")"
        failed=1
    fi
    if [[ -e $work/x.mp4 ]]; then echo "FAILED $*: a file was left"; failed=1; fi
}
tells 2 '--scheme is missing' --key "$key" a b
tells 2 '--key is missing' --scheme cenc a b
tells 2 'takes cenc or cbcs' --scheme cens --key "$key" a b
tells 2 '--key takes KID:KEY' --scheme cenc --key "${key%00}" a b
tells 2 '--pssh-kid takes' --scheme cenc --key "$key" --pssh-kid zz a b
tells 2 '--iv-seed takes' --scheme cenc --key "$key" --iv-seed -1 a b
tells 2 'two files' --scheme cenc --key "$key" a
tells 1 'No such file' --scheme cenc --key "$key" "$work/none.mp4" "$work/x.mp4"
head -c 700 "$title/video-60.mp4" >"$work/short.mp4"
tells 1 'no track' --scheme cenc --key "$key" "$work/short.mp4" "$work/x.mp4"
head -c 60000 "$title/video-60.mp4" >"$work/cut.mp4"
tells 1 'broken' --scheme cenc --key "$key" "$work/cut.mp4" "$work/x.mp4"
printf 'no media at all, just words' >"$work/words.mp4"
tells 1 'no track' --scheme cbcs --key "$key" "$work/words.mp4" "$work/x.mp4"
"$mux" --help | grep -q '^usage: cadmium-mux' || { echo 'FAILED --help'; failed=1; }

for scheme in cenc cbcs; do
    for i in 1 2; do
        "$mux" --scheme $scheme --key "$key" --iv-seed 5 "$title/video-60.mp4" "$work/$scheme-$i.mp4" || failed=1
    done
    cmp "$work/$scheme-1.mp4" "$work/$scheme-2.mp4" || failed=1
    "$mux" --scheme $scheme --key "$key" --iv-seed 6 "$title/video-60.mp4" "$work/other.mp4" || failed=1
    if cmp -s "$work/$scheme-1.mp4" "$work/other.mp4"; then echo 'FAILED: seeds do nothing'; failed=1; fi
done
tells 1 'protected already' --scheme cenc --key "$key" "$work/cenc-1.mp4" "$work/x.mp4"
exit $failed
