#!/bin/sh
# 100 seeded sessions with faults of hosts, and every scenario, recorded and played back: the decision logs are
# equal as text, and no tape of a session is larger than 1 % of the media that it stands for.
# usage: tape_test.sh SIM DATA
set -u
sim=$1
data=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# replayed WHAT   the tape gives the decisions of the log
replayed() {
    if ! "$sim" --replay "$work/tape" --log "$work/again" >"$work/told" || ! cmp "$work/log" "$work/again" ||
        ! grep -q 'end=whole' "$work/told" || ! grep -q 'the same decisions' "$work/told"; then
        echo "$1: $(cat "$work/told")"
        diff "$work/log" "$work/again" | head -n 10
        exit 1
    fi
}

scenarios=0
for file in "$(dirname "$0")"/*.scn "$(dirname "$0")"/both/*.scn; do
    if ! "$sim" --scenario "$file" --log "$work/log" --tape "$work/tape" >"$work/out" 2>&1; then
        echo "$file: $(head -c 300 "$work/out")"
        exit 1
    fi
    replayed "$file"
    scenarios=$((scenarios + 1))
done

# A part of one, told in detail: its decisions are the beginning of the whole.
"$sim" --scenario "$(dirname "$0")/seek-storm.scn" --log "$work/log" --tape "$work/tape" >"$work/out" 2>&1
"$sim" --replay "$work/tape" --until 30 --explain >"$work/told" || exit 1
grep 'decide:' "$work/told" >"$work/part"
if ! grep -q 'end=until' "$work/told" || ! grep -q '  <- command' "$work/told" || ! grep -q '  -> http_start' "$work/told" ||
    [ "$(wc -l <"$work/part")" -lt 20 ] ||
    ! head -n "$(wc -l <"$work/part")" "$work/log" | cmp - "$work/part"; then
    echo 'a part of a tape: not the beginning of the whole'
    exit 1
fi
"$sim" --replay "$0" >"$work/out" 2>&1
if [ $? -ne 2 ] || ! grep -q 'this is no tape' "$work/out"; then
    echo "no tape: $(cat "$work/out")"
    exit 1
fi

tapes=0
media=0
most=0
seed=1
while [ "$seed" -le 100 ]; do
    trace=$data/trace-steady.trace
    if [ $((seed % 3)) -eq 0 ]; then trace=$data/trace-walk.trace; fi
    "$sim" --engine --ladder "$data/ladder-small.json" --trace "$trace" --session-s 300 --hosts 3 \
        --faults 15 --seed "$seed" --log "$work/log" --tape "$work/tape" >"$work/out" 2>"$work/err"
    status=$?
    if [ "$status" -gt 1 ]; then
        echo "seed $seed: exit status $status: $(head -c 300 "$work/err")"
        exit 1
    fi
    replayed "seed $seed"
    bytes=$(sed -n 's/.*"bytes":\([0-9]*\),"refreshes".*/\1/p' "$work/out")
    size=$(wc -c <"$work/tape")
    tapes=$((tapes + size))
    media=$((media + bytes))
    share=$((size * 100000 / (bytes + 1)))
    if grep -q '"state":"ended"' "$work/out" && [ "$share" -gt "$most" ]; then most=$share; fi
    seed=$((seed + 1))
done
echo "$scenarios scenarios, 100 tapes, 100 equal decision logs; $tapes bytes of tape for $media of media, in thousandths of a percent" \
    "$((tapes * 100000 / media)), at most $most"
# As a whole, and of every session that was played to its end.
[ $((tapes * 100)) -lt "$media" ] && [ "$most" -lt 1000 ]
