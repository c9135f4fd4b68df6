#!/bin/sh
# Goal: cadmium-sim says what is wrong with its arguments and files, prints the same bytes twice, writes
# its reports, and gives each outcome its own exit status.
# usage: cli_test.sh CADMIUM-SIM
set -eu
sim=$1
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
    echo "cli_test: $1"
    exit 1
}

# run STATUS ARGS...: output in $work/out and $work/err
run() {
    want=$1
    shift
    got=0
    "$sim" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || {
        cat "$work/out" "$work/err"
        die "exit $got, not $want: $*"
    }
}

run 0 --help
grep -q -- --scenario "$work/out" || die "--help does not help"
run 2
run 2 --engine --scenario x
run 2 --engine --ladder "$data/ladder-small.json"
run 2 --nonsense
run 2 --engine --ladder "$data/ladder-small.json" --trace "$data/trace-steady.trace" --session-s 0
run 2 --engine --ladder /nonexistent --trace "$data/trace-steady.trace" --session-s 10
grep -q nonexistent "$work/err" || die "a missing file is not named"
run 2 --engine --ladder "$data/trace-steady.trace" --trace "$data/trace-steady.trace" --session-s 10
run 2 --scenario /nonexistent

# Two runs, with and without checks, with a log: the same bytes.
set -- --engine --ladder "$data/ladder-small.json" --trace "$data/trace-walk.trace" --session-s 300
run 0 "$@"
cp "$work/out" "$work/first"
run 0 "$@" --check --log "$work/log"
cmp "$work/first" "$work/out" || die "two runs differ"
[ -s "$work/log" ] || die "no log"
grep -v '^[0-9]*\.[0-9]\{9\} decide: ' "$work/log" && die "a line of the log that is no decision"
if grep -qE '(sc|t)=[A-Za-z0-9_-]{16}' "$work/log"; then die "a signature in the log"; fi
run 0 "$@" --seed 2
run 0 "$@" --hosts 3 --buffer-max-s 10

# A failing expectation, and its reports.
cat >"$work/bad.scn" <<END
title ladder ladder-small.json
link a rate 5000 latency 40
host cdn1 link a
at 0 play
expect stalls >= 7   # <not> "true"
END
run 1 --scenario "$work/bad.scn" --data "$data" --junit "$work/junit.xml" --tap
grep -q '^not ok 1' "$work/out" || die "no TAP"
grep -q 'line 5.*stalls >= 7, saw 0' "$work/out" || die "the failure is not described"
grep -q 'repeat: cadmium-sim --scenario .*--seed' "$work/out" || die "no command to repeat it"
grep -q '<failure message="line 5' "$work/junit.xml" || die "no JUnit report"
run 1 --scenario "$work/bad.scn" --data "$data"
printf 'title ladder ladder-small.json\nlink a rate x latency 40\n' >"$work/syntax.scn"
run 2 --scenario "$work/syntax.scn" --data "$data"
grep -q ':2: not a number' "$work/err" || die "a syntax error without its line"
run 0 --scenario "$here/start.scn" --tap
grep -q '^ok 1' "$work/out" || die "no TAP"
