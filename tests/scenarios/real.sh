#!/usr/bin/env bash
# Plays scenarios in real time, all at once: each has a player and a server of its own, on ports that are
# free, and most of it is waiting.  Prints a line for each, and of one that fails why, with its decisions.
# usage: real.sh CADMIUM-PLAY CADMIUM-MOCKD [SCENARIO...]      (all of both/)
set -u
play=$1
mockd=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$play" ] && [ -x "$mockd" ] || {
    echo "SKIP: no cadmium-play or no cadmium-mockd"
    exit 77
}
[ $# -gt 0 ] || set -- "$here"/both/*.scn
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pids=()
for file in "$@"; do
    name=$(basename "$file" .scn)
    "$play" --headless --scenario "$file" --mockd "$mockd" --check --tap --junit "$work/$name.xml" \
        --log "$work/$name.log" >"$work/$name.tap" 2>"$work/$name.err" &
    pids+=($!)
done
failed=0
i=0
for file in "$@"; do
    name=$(basename "$file" .scn)
    status=0
    wait "${pids[i]}" || status=$?
    i=$((i + 1))
    time=$(sed -n 's/.*<testsuite .* time="\([0-9.]*\)".*/\1/p' "$work/$name.xml")
    points=$(grep -c '^ok ' "$work/$name.tap")
    if [ "$status" -eq 0 ] && [ "$points" -gt 0 ]; then
        printf 'ok      %-16s %7s s, %s expectations\n' "$name" "$time" "$points"
        continue
    fi
    failed=$((failed + 1))
    printf 'FAILED  %-16s exit %s\n' "$name" "$status"
    cat "$work/$name.err"
    grep -A 4 '^not ok' "$work/$name.tap"
    grep '^# ' "$work/$name.tap"
    echo "--- decisions of $name"
    tail -n 60 "$work/$name.log"
done
echo "$((i - failed)) of $i scenarios hold in real time"
[ "$failed" -eq 0 ]
