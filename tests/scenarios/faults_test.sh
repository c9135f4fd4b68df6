#!/bin/sh
# Seeded sessions with faults of hosts: each ends, as played or in a typed error, with every invariant
# held; the same seed gives the same bytes.
# usage: faults_test.sh SIM DATA
set -u
sim=$1
data=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ended=0
failed=0
hit=0
play() {
    "$sim" --engine --check --ladder "$data/ladder-small.json" --trace "$data/trace-steady.trace" \
        --session-s 300 --hosts 3 --faults 15 --seed "$1" --log "$2.log" >"$2" 2>"$2.err"
}
seed=1
while [ "$seed" -le 60 ]; do
    play "$seed" "$work/a"
    status=$?
    if [ "$status" -gt 1 ]; then
        echo "seed $seed: exit status $status: $(head -c 300 "$work/a.err")"
        exit 1
    fi
    if grep -q '"state":"ended"' "$work/a"; then
        ended=$((ended + 1))
    elif grep -q '"state":"failed","error":"[A-Z_]*"' "$work/a"; then
        failed=$((failed + 1))
    else
        echo "seed $seed: neither ended nor failed"
        exit 1
    fi
    if grep -q 'failed id=' "$work/a.log"; then hit=$((hit + 1)); fi
    if [ $((seed % 20)) -eq 0 ]; then
        play "$seed" "$work/b"
        cmp "$work/a" "$work/b" && cmp "$work/a.log" "$work/b.log" || exit 1
    fi
    seed=$((seed + 1))
done
echo "$ended ended, $failed failed by a typed error, requests failed in $hit of 60"
# The faults must be felt, and three hosts that are ill in turns are no reason to fail often.
[ "$hit" -ge 50 ] && [ "$ended" -ge 50 ]
