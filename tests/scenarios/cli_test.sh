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

# says WORDS ARGS...: exit 2, and these words on standard error
says() {
    words=$1
    shift
    run 2 "$@"
    grep -q -e "$words" "$work/err" || {
        cat "$work/err"
        die "not said: $words"
    }
}
says 'either --engine, --scenario FILE'
says 'only one of them' --engine --scenario x
says 'a scenario names its own' --scenario x --ladder x
says 'wants --trace' --engine --ladder "$data/ladder-small.json"
says 'wants --session-s' --engine --ladder x --trace x
says 'without an option: stray' --engine --ladder x stray
run 2 --nonsense
run 2 --engine --ladder "$data/ladder-small.json" --trace "$data/trace-steady.trace" --session-s 0

# A file that is no good is named, with the line, and what it should be.
session() {
    words=$1
    says "$words" --engine --ladder "$2" --trace "$3" --session-s 10
}
ladder=$data/ladder-small.json
trace=$data/trace-steady.trace
session '/nonexistent: No such file' /nonexistent "$trace"
session ': Is a directory' "$work" "$trace"
session 'trace-steady.trace:1: this is no JSON' "$trace" "$trace"
printf '{\n"format": "cadmium-ladder-1",\n' >"$work/cut.json"
session 'cut.json:3: this ladder ends in mid-JSON' "$work/cut.json" "$trace"
echo '{"format": "cadmium-ladder-1"}' >"$work/empty.json"
session 'empty.json: a ladder wants' "$work/empty.json" "$trace"
echo '{"format": "cadmium-ladder-2"}' >"$work/other.json"
session 'other.json: "format" of a ladder is' "$work/other.json" "$trace"
session '/nonexistent: No such file' "$ladder" /nonexistent
printf '# a comment\n1000 500 50\n\n1000 500\n' >"$work/short.trace"
session 'short.trace:4: .*three whole numbers' "$ladder" "$work/short.trace"
printf '0 500 50\n' >"$work/zero.trace"
session 'zero.trace: a trace wants a line with a duration' "$ladder" "$work/zero.trace"
says '/nonexistent: No such file' --scenario /nonexistent
name=$(printf 'a\033b\302\233c')
says ' a?b?c: No such file' --scenario "$name"

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

# xml FILE: a program that did not write it can read it.
xml() {
    if command -v xmllint >/dev/null; then
        xmllint --noout "$1" || die "no XML: $1"
    elif command -v python3 >/dev/null; then
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1" ||
            die "no XML: $1"
    fi
}

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
grep -q '^TAP version 14$' "$work/out" || die "no version of TAP"
grep -q '^1\.\.1$' "$work/out" || die "no plan of TAP"
grep -q 'line 5.*stalls >= 7, saw 0' "$work/out" || die "the failure is not described"
grep -q 'repeat: cadmium-sim --scenario .*--seed' "$work/out" || die "no command to repeat it"
grep -q '<failure .*message="line 5' "$work/junit.xml" || die "no JUnit report"
xml "$work/junit.xml"
run 1 --scenario "$work/bad.scn" --data "$data"
printf 'title ladder ladder-small.json\nlink a rate x latency 40\n' >"$work/syntax.scn"
run 2 --scenario "$work/syntax.scn" --data "$data"
grep -q ':2: not a number' "$work/err" || die "a syntax error without its line"
printf 'title ladder cut.json\nlink a rate 100 latency 40\nhost c link a\nat 0 play\n' >"$work/cut.scn"
says 'cut.scn: the ladder' --scenario "$work/cut.scn"
grep -q 'cut.json:3: this ladder ends' "$work/err" || die "a bad ladder of a scenario is not named"

# What cannot be written is not passed over.
if [ -c /dev/full ]; then
    for args in "--scenario $here/start.scn" \
        "--engine --ladder $ladder --trace $trace --session-s 10"; do
        got=0
        # shellcheck disable=SC2086
        "$sim" $args >/dev/full 2>"$work/err" || got=$?
        [ "$got" -eq 1 ] || die "exit $got on a full disk: $args"
        grep -q 'standard output: No space' "$work/err" || die "a full disk is not told: $args"
    done
fi
run 0 --scenario "$here/start.scn" --tap
grep -q '^ok 1' "$work/out" || die "no TAP"

# Several at once: every expectation is a point, whichever file it is of, and the worst outcome counts.
cp "$work/bad.scn" "$work/b&d <#1>.scn"
run 1 --scenario "$here/start.scn" "$work/b&d <#1>.scn" --scenario "$here/end.scn" --data "$data" --tap \
    --junit "$work/all.xml"
points=$(grep -c '^ok \|^not ok ' "$work/out")
plan=$(sed -n 's/^1\.\.//p' "$work/out")
[ "$points" -eq "$plan" ] || die "$points points, but a plan of $plan"
[ "$(grep -c '^TAP version 14$' "$work/out")" -eq 1 ] || die "more than one TAP stream"
grep -q '^ok 1 - .*start.scn:7 expect startup' "$work/out" || die "a point does not name file and line"
grep -q '^not ok .*b&d <\\#1>.scn:5 expect stalls >= 7$' "$work/out" || die "a name is not escaped in TAP"
xml "$work/all.xml"
grep -q "<testsuites name=\"scenarios\" tests=\"$plan\" failures=\"1\"" "$work/all.xml" ||
    die "JUnit does not count as TAP does"
grep -q 'name=".*b&amp;d &lt;#1&gt;.scn"' "$work/all.xml" || die "a name is not escaped in XML"
run 2 --scenario "$here/start.scn" "$work/syntax.scn" --data "$data" --tap --junit "$work/all.xml"
grep -q '^not ok .*syntax.scn:2 is played' "$work/out" || die "a mistake is no point"
xml "$work/all.xml"

# A scenario's session on a tape, the same each time, which replays to the same decisions.
run 0 --scenario "$here/start.scn" --tape "$work/one.tape"
run 0 --scenario "$here/start.scn" --tape "$work/two.tape"
cmp "$work/one.tape" "$work/two.tape" || die "two tapes of a scenario differ"
run 0 --replay "$work/one.tape"
grep -q 'the same decisions' "$work/out" || die "a scenario's tape does not replay"
says 'a single scenario' --scenario "$here/start.scn" "$here/end.scn" --tape "$work/one.tape"
