#!/bin/sh
# What the service of events holds is what happened, when the player is killed in mid-play and the service could not
# be reached before: nothing is lost, nothing is told twice, and nothing at all if that is not wanted.
# usage: report-test.sh PLAYER MOCKD TITLE
set -eu
player=$1
mockd=$2
title=$3
if [ ! -e "$title/manifest.json" ]; then
    echo "no title in $title"
    exit 77
fi
if ! command -v curl >/dev/null 2>&1; then
    echo 'curl is missing: scripts/install-deps.sh test'
    exit 77
fi
work=$(mktemp -d)
XDG_STATE_HOME=$work/state
no_proxy='*'
export XDG_STATE_HOME no_proxy
service=
playing=

finish() {
    [ -z "$playing" ] || kill -9 "$playing" 2>/dev/null || true
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    tail -n 20 "$work/out" "$work/err" "$work/account" 2>/dev/null || true
    exit 1
}

control() {
    curl -sS -m 10 -X POST "$control$1" >/dev/null || fail "$1"
}

# How many events of a type are held; those of log batches are counted apart.
held() {
    curl -sS -m 10 "$control/account" >"$work/account"
    sed -n 's/^{"events":{"held":[0-9]*,"types":{\([^}]*\)}.*/\1/p' "$work/account" | tr ',' '\n' |
        sed -n "s/^\"$1\":\([0-9]*\)/\1/p" | grep . || echo 0
}

expect() {
    have=$(held "$2")
    [ "$have" = "$3" ] || fail "$1: $have of $2, not $3"
}

# Plays in real time, and is killed when it has played for about two seconds.
killed() {
    rm -f "$work/out"
    "$player" --no-config --headless --json-stats "$@" --title 900100 "$base" >"$work/out" 2>"$work/err" </dev/null &
    playing=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if grep -q first_frame "$work/out"; then break; fi
        sleep 0.25
    done
    sleep 2
    kill -9 "$playing"
    wait "$playing" 2>/dev/null || true
    playing=
    grep -q first_frame "$work/out" || fail 'it did not play'
    grep -q '"event":"probes"' "$work/out" || fail 'nobody won a race'
    if grep -q '"event":"end"' "$work/out"; then fail 'it ended before it was killed'; fi
}

whole() {
    status=0
    "$player" --no-config --headless --json-stats --until 2 "$@" --title 900100 "$base" >"$work/out" 2>"$work/err" \
        </dev/null || status=$?
    [ "$status" = 0 ] || fail "status $status"
}

"$mockd" --title-dir "$title" --ready-file "$work/ready.json" --access-log "$work/access" >/dev/null 2>&1 &
service=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$work/ready.json" ] && break
    sleep 0.3
done
base=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready.json")
control=$(sed 's/.*"control":"\([^"]*\)".*/\1/' "$work/ready.json")

# Nobody is told, nothing is probed and nothing is kept.
whole --no-report --no-probe
expect 'no report' start 0
if grep -q '"kind":"\(events\|log\|probe\|recipe\)"' "$work/access"; then fail 'a service was asked'; fi

# Killed: what was told stays told once, and a new run tells of itself.
killed
expect 'killed' start 1
whole
expect 'after the kill' start 2
expect 'after the kill' stop 2 # of the one that was killed by who came after it
grep -q '"reason":"recovered"' "$work/account" || fail 'the kill is not told'
grep -q '"inOrder":true' "$work/account" || fail 'out of order'
if grep -q '"inOrder":false' "$work/account"; then fail 'out of order'; fi

# Killed while the service is away: the next run tells, once, what the first could not.
control '/ingest/clear'
control '/ingest/refuse?count=100000'
killed
expect 'away' start 0
[ -n "$(ls -A "$work/state/cadmium" 2>/dev/null)" ] || fail 'nothing was kept'
control '/ingest/ok'
whole
grep -q '"events_waiting":0' "$work/out" || fail 'something still waits'
expect 'after it came back' start 2
expect 'after it came back' stop 2
grep -q '"duplicates":0' "$work/account" || fail 'something was told twice'
if grep -q '"inOrder":false' "$work/account"; then fail 'out of order'; fi
# And nothing of it once more.
whole --no-probe
expect 'again' start 3
expect 'again' stop 3

# A store of one's own; one that cannot be.
whole --store "$work/deep/er/store"
[ -d "$work/deep/er/store" ] || fail 'no folder was made'
: >"$work/file"
status=0
"$player" --no-config --headless --store "$work/file/x" --title 900100 "$base" >"$work/out" 2>"$work/err" </dev/null ||
    status=$?
[ "$status" = 1 ] || fail "a bad store: status $status"
grep -q -- '--store .*/file/x cannot be used: ' "$work/err" || fail 'a bad store: not said'

# The usual one is in use: that hinders nobody from playing.
"$player" --no-config --headless --json-stats --title 900100 "$base" >"$work/first" 2>&1 </dev/null &
playing=$!
sleep 1
whole
"$player" --no-config --headless --store "$work/state/cadmium" --title 900100 "$base" >"$work/out" 2>"$work/err" \
    </dev/null && fail 'two used one store'
grep -q -- '--store .* cannot be used: another program uses it' "$work/err" || fail 'a store in use: not said'
echo 'all well'
