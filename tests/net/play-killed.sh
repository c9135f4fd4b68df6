#!/usr/bin/env bash
# A player that is killed in mid-play, three times: when it has run again the service holds each event of record exactly once,
# each playback that was begun has its stop, and those of killed ones say so.
# usage: play-killed.sh PLAY MOCKD TITLE_DIR   (TITLE_DIR-cenc where it is there)
set -u
. "$(dirname "$0")/play.bash"
if ! command -v python3 >/dev/null; then
    echo 'python3 is missing: scripts/install-deps.sh test'
    exit 77
fi
if [[ -s $title-cenc/manifest.json ]]; then title=$title-cenc; fi

start() {
    : >"$work/events"
    "$play" --headless --json-stats --report --no-probe --log "$work/log" --log-level debug --store "$work/store" \
        --title 900100 "$@" "$base" >"$work/events" 2>"$work/err" < <(sleep 1.5; echo pause; sleep 0.5; echo play; sleep 30) &
    player=$!
}

# until EVENT   it is told, or ten seconds are over
until_event() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        if [[ $(events "$1") -ge 1 ]]; then return; fi
        sleep 0.05
    done
    check "$1 of the one that is killed" none one
}

killed() {
    kill -9 $player
    wait $player 2>/dev/null
}

# The account: told by python in lines "xid types-in-order reason inOrder arrivals".
account() {
    curl -sS -m 10 "$control/account" | python3 -c '
import json, sys
account = json.load(sys.stdin)
for p in account["playbacks"]:
    events = p["events"]
    assert len({e["reqId"] for e in events}) == len(events)
    stops = [e.get("reason", "") for e in events if e["type"] == "stop"]
    print(p["xid"], ",".join(e["type"] for e in events), ",".join(stops), p["inOrder"],
          ",".join(str(e["seq"]) for e in events))
print("requests", *("%s=%d" % kv for kv in sorted(account["requests"].items())))'
}

serve
# The first is killed while it plays; the second while the service takes what comes, but its answers are lost; the third before
# anything of it was taken.
start
until_event first_frame
sleep 2.5
killed
control '/ingest/drop?count=1000'
start
until_event first_frame
sleep 2.5
killed
control '/ingest/refuse?count=1000'
start
until_event first_frame
sleep 1
killed
check_that 'something is kept' test "$(find "$work/store" -type f -size +0 | wc -l)" -ge 1
control /ingest/ok
control /ingest/ok?channel=log
run --report --no-probe --store "$work/store" --until 3 --title 900100 "$base" </dev/null
check 'status' $status 0
account >"$work/after"
cat "$work/after"
check 'playbacks' "$(grep -vc '^requests' "$work/after")" 4
check 'each in order' "$(grep -v '^requests' "$work/after" | awk '{ print $(NF - 1) }' | sort -u)" True
check 'each began once' "$(awk '!/^requests/ { print gsub(/start/, "", $2) }' "$work/after" | sort -u)" 1
check 'each has one stop' "$(awk '!/^requests/ { print gsub(/stop/, "", $2) }' "$work/after" | sort -u)" 1
check 'each stop is the last' "$(awk '!/^requests/ { print $2 }' "$work/after" | grep -vc ',stop$')" 0
check 'of killed ones' "$(awk '!/^requests/ { print $3 }' "$work/after" | grep -c recovered)" 3
check 'of the one that ended' "$(awk '!/^requests/ { print $3 }' "$work/after" | grep -vc recovered)" 1
# None is missing: those of a playback count up from 0.
check 'without a gap' "$(awk '!/^requests/ { n = split($NF, s, ","); for (i = 1; i <= n; i++) if (s[i] != i - 1) print }' \
    "$work/after")" ''
check_that 'pauses' test "$(grep -c 'pause,resume' "$work/after")" -ge 2
check_that 'answers that were lost' test "$(sed -n 's/^requests.* duplicates=\([0-9]*\).*/\1/p' "$work/after")" -ge 1

# And nothing is left to be told: another run tells of itself alone.
run --report --no-probe --store "$work/store" --until 1 --title 900100 "$base" </dev/null
account >"$work/again"
check 'playbacks after that' "$(grep -vc '^requests' "$work/again")" 5
check 'the others as they were' "$(head -n 4 "$work/again" | diff - <(head -n 4 "$work/after"))" ''
unserve
finish
