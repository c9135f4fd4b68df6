#!/bin/sh
# 100 seeded sessions with faults of hosts, recorded and played back: the decision logs are equal as text, and
# no tape is larger than 1 % of the media that it stands for.
# usage: tape_test.sh SIM DATA
set -u
sim=$1
data=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
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
    if ! "$sim" --replay "$work/tape" --log "$work/again" >"$work/told"; then
        echo "seed $seed: $(cat "$work/told")"
        diff "$work/log" "$work/again" | head -n 10
        exit 1
    fi
    if ! cmp "$work/log" "$work/again" || ! grep -q 'end=whole' "$work/told"; then
        echo "seed $seed: $(cat "$work/told")"
        exit 1
    fi
    bytes=$(sed -n 's/.*"bytes":\([0-9]*\),"refreshes".*/\1/p' "$work/out")
    size=$(wc -c <"$work/tape")
    tapes=$((tapes + size))
    media=$((media + bytes))
    share=$((size * 100000 / (bytes + 1)))
    if grep -q '"state":"ended"' "$work/out" && [ "$share" -gt "$most" ]; then most=$share; fi
    seed=$((seed + 1))
done
echo "100 tapes, 100 equal decision logs; $tapes bytes of tape for $media of media, in thousandths of a percent" \
    "$((tapes * 100000 / media)), at most $most"
# As a whole, and of every session that was played to its end.
[ $((tapes * 100)) -lt "$media" ] && [ "$most" -lt 1000 ]
