#!/usr/bin/env bash
# How much faster than real time the simulator plays, process start included, with every engine room
# running. Run by hand: it prints ratios and judges nothing.
# usage: sim-speed.sh [BUILD_DIR] [SESSION_SECONDS]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build/release}
seconds=${2:-7200}
sim=$build/bin/cadmium-sim
data=$root/tests/data
[[ -x $sim ]] || { echo "sim-speed: $sim does not exist: build first" >&2; exit 2; }
printf '%-28s %-28s %10s %12s\n' ladder trace seconds 'x real time'
for ladder in "$data"/ladder-*.json "$root"/../shared/data/ladders/bbb-3s.json; do
    [[ -r $ladder ]] || continue
    for trace in "$data"/trace-*.trace; do
        best=
        for _ in 1 2 3 4 5; do
            from=$EPOCHREALTIME
            "$sim" --engine --ladder "$ladder" --trace "$trace" --session-s "$seconds" >/dev/null
            to=$EPOCHREALTIME
            took=$((${to/[.,]/} - ${from/[.,]/}))
            if [[ -z $best || $took -lt $best ]]; then best=$took; fi
        done
        printf '%-28s %-28s %10s %12s\n' "$(basename "$ladder" .json)" "$(basename "$trace" .trace)" \
            "$(awk "BEGIN { printf \"%.3f\", $best / 1e6 }")" "$((seconds * 1000000 / best))"
    done
done
