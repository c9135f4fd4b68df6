#!/usr/bin/env bash
# Two builds of cadmium-sim decide the same: over ladders, traces and scenarios both print the same bytes, and
# log the same decisions, each of them twice.
# usage: compare-builds.sh BUILD_A BUILD_B      build folders, with bin/cadmium-sim in them
# Exit status: 0 the same, 1 they differ or fail, 77 a build is absent. CAD_SHARED_DATA: the shared corpora
# (../shared/data beside the project); without them only what is in tests/data is compared.
set -uo pipefail

if (($# != 2)); then
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 1
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shared=${CAD_SHARED_DATA:-$here/../../../shared/data}
sims=("$1/bin/cadmium-sim" "$2/bin/cadmium-sim")
for sim in "${sims[@]}"; do
    if [[ ! -x $sim ]]; then
        echo "no $sim: build cadmium_sim_cli there"
        exit 77
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0
failed=0

fail() {
    echo "FAILED: $1"
    echo "repeat: cadmium-sim ${*:2}"
    failed=$((failed + 1))
}

# The bytes of one run: what is printed, what is logged, the exit status.
run() {
    local sim=$1 out=$2
    shift 2
    "$sim" "$@" --log "$work/log" >"$out" 2>&1
    echo "exit $?" >>"$out"
    cat "$work/log" >>"$out"
    rm -f "$work/log"
}

# same ARGUMENTS...   both builds, twice each, against the first run
same() {
    run "${sims[0]}" "$work/first" "$@"
    if ! grep -qx 'exit 0' "$work/first"; then
        fail "${sims[0]}: $(grep -m 1 -x 'exit [0-9]*' "$work/first")" "$@"
        head -n 3 "$work/first"
        return
    fi
    local sim
    for sim in "${sims[0]}" "${sims[1]}" "${sims[1]}"; do
        run "$sim" "$work/other" "$@"
        if ! cmp "$work/first" "$work/other"; then
            fail "$sim prints other bytes than ${sims[0]} before it" "$@"
            return
        fi
    done
    compared=$((compared + 1))
}

# session LADDER TRACE SECONDS OPTIONS...
session() {
    same --engine --ladder "$1" --trace "$2" --session-s "$3" "${@:4}"
}

own=$here/../data
for ladder in "$own"/ladder-*.json; do
    for trace in "$own"/trace-*.trace; do
        session "$ladder" "$trace" 1200
        session "$ladder" "$trace" 600 --seed 7 --hosts 3 --buffer-max-s 12
    done
done
for scenario in "$here"/*.scn "$here"/both/*.scn; do
    same --scenario "$scenario"
    same --scenario "$scenario" --seed 11
done
if ((compared + failed == 0)); then
    fail 'nothing was found to compare' --help
fi

# Of the corpora every ladder, and of every family of traces the first and the last by name.
if [[ -d $shared/ladders && -d $shared/traces ]]; then
    traces=()
    for family in "$shared"/traces/*/; do
        found=("$family"*.trace)
        if [[ -f ${found[0]} ]]; then traces+=("${found[0]}" "${found[-1]}"); fi
    done
    i=0
    for ladder in "$shared"/ladders/*.json; do
        for trace in "${traces[@]}"; do
            # Each ladder meets every second trace, the next ladder the others.
            i=$((i + 1))
            if ((i % 2 == 0)); then session "$ladder" "$trace" 900; fi
        done
        if ((${#traces[@]} % 2 == 0)); then i=$((i + 1)); fi
    done
else
    echo "without the corpora: no $shared"
fi

echo "$compared comparisons are the same, $failed failed"
if ((failed > 0)); then exit 1; fi
exit 0
