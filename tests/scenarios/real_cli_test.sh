#!/usr/bin/env bash
# Goal: cadmium-play --scenario tells what is wrong, attaches to a server that runs, plays a title by its
# URL, and its reports and exit statuses are those of cadmium-sim.
# usage: real_cli_test.sh CADMIUM-PLAY CADMIUM-MOCKD CADMIUM-SIM [TITLE-FOLDER]
set -eu
play=$1
mockd=$2
sim=$3
title=${4-}
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../data
[ -x "$play" ] && [ -x "$mockd" ] || {
    echo "SKIP: no cadmium-play or no cadmium-mockd"
    exit 77
}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

die() {
    echo "real_cli_test: $1"
    cat "$work/out" "$work/err" 2>/dev/null
    exit 1
}

# run STATUS ARGS...
run() {
    want=$1
    shift
    got=0
    "$play" --headless "$@" --mockd "$mockd" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || die "exit $got, not $want: $*"
}

# start ARGS...: a server that runs; $base and $control
start() {
    rm -f "$work/ready"
    "$mockd" "$@" --ready-file "$work/ready" >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 100); do
        [ -s "$work/ready" ] && break
        sleep 0.1
    done
    base=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready")
    control=$(sed 's/.*"control":"\([^"]*\)".*/\1/' "$work/ready")
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

# A failure: its line, when, what was seen, and the command that repeats it; in both times alike.
cat >"$work/bad.scn" <<END
seed 7
title ladder ladder-small.json duration 4
link a rate 8000 latency 20
host cdn1 link a
at 0 play
at 1 expect position >= 3
expect stalls >= 7   # <not> "true"
END
run 1 --scenario "$work/bad.scn" --data "$data" --tap --junit "$work/real.xml"
grep -q '^TAP version 14$' "$work/out" || die "no TAP"
grep -q '^not ok 2 - .*bad.scn:7 expect stalls >= 7$' "$work/out" || die "no point for line 7"
grep -q '^# line 6, at 1.0[0-9]* s: expected position >= 3.000, saw ' "$work/out" || die "no first failure"
grep -q '^# repeat: cadmium-play --headless --scenario .*bad.scn --data .* --seed 7$' "$work/out" ||
    die "no command to repeat it"
sum() { grep -o 'tests="[0-9]*" failures="[0-9]*"' "$1"; }
got=0
"$sim" --scenario "$work/bad.scn" --data "$data" --junit "$work/virtual.xml" >/dev/null || got=$?
[ "$got" -eq 1 ] || die "virtual time: exit $got"
[ "$(sum "$work/real.xml")" = "$(sum "$work/virtual.xml")" ] || die "the two reports differ"
if command -v python3 >/dev/null; then
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$work/real.xml" ||
        die "the JUnit report is no XML"
fi

# Mistakes.
run 2 --scenario /nonexistent
grep -q '/nonexistent: No such file' "$work/err" || die "a missing file is not told"
printf 'title ladder ladder-small.json\nlink a rate x latency 40\n' >"$work/syntax.scn"
run 2 --scenario "$work/syntax.scn"
grep -q 'syntax.scn:2: not a number' "$work/err" || die "a mistake without its line"
printf 'title ladder ladder-small.json\nlink a rate 9 latency 4\nhost c link a\nat 0 device sleep\n' >"$work/no.scn"
run 2 --scenario "$work/no.scn"
grep -q 'no.scn:4: device: not supported yet' "$work/err" || die "what is missing is not told"
got=0
"$play" --headless --scenario "$here/both/start.scn" --mockd /nonexistent >"$work/out" 2>&1 || got=$?
[ "$got" -eq 1 ] || die "no server: exit $got"
grep -q '/nonexistent: No such file' "$work/out" || die "it is not told that there is no server"
"$play" --scenario --help | grep -q -- --mockd-control || die "--help does not help"

# A server that runs serves one stage after another.
cat >"$work/short.scn" <<END
title ladder ladder-small.json duration 2
link a rate 8000 latency 20
host cdn1 link a
at 0 play
expect no error
expect ended
END
start --stage --hosts 2
"$play" --headless --scenario "$work/short.scn" "$work/short.scn" --data "$data" \
    --mockd-control "$control" >"$work/out" 2>"$work/err" || die "attached, it does not play"
[ "$(grep -c '2 expectations hold' "$work/out")" -eq 2 ] || die "not both were played"
stop

# A title by URL, of a server of its own.
if [ -n "$title" ] && [ -s "$title/manifest.json" ]; then
    start --title-dir "$title" --hosts 1
    printf 'title url %s/files/manifest.json\nat 0 play\nat 2 seek 17\nexpect no error\nexpect ended\n' \
        "$base" >"$work/url.scn"
    run 0 --scenario "$work/url.scn"
    got=0
    "$sim" --scenario "$work/url.scn" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq 2 ] || die "title url in virtual time: exit $got"
    grep -q 'url.scn:1: title url is for real time' "$work/err" || die "virtual time does not say why not"
    stop
fi
echo "real_cli_test: good"
