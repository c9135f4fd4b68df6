#!/usr/bin/env bash
# A protected title with everything around it on: licences that come, late, denied, broken; faults, a seek, another language,
# probes, events, logs, a kill. No key, no byte of a licence, no value that signs a URL is in any log, tape, report, body
# that was sent, or file that was kept; a service is told no id of the device that nobody gave.
# usage: play-secrets-drm.sh PLAY MOCKD TITLE_DIR SIM   (TITLE_DIR-cenc)
set -u
. "$(dirname "$0")/play.bash"
sim=$4
title=$title-cenc
if [[ ! -s $title/manifest.json ]]; then
    echo 'no protected title to play'
    exit 77
fi
. "$(dirname "$0")/relay.bash"
serve_through --url-life 14 --capture "$work/captured"
mkdir "$work/kept"

# keep NAME   what the last run wrote
keep() {
    local what
    for what in log events err tape text; do
        if [[ -e $work/$what ]]; then mv "$work/$what" "$work/kept/$1.$what"; fi
    done
}
esn=CADTV-MODEL7-E5N0123456789ABCDEF
with_all() {
    run --device "$esn" --ca "$work/pem" --tape "$work/tape" --dump-text "$work/text" --store "$work/store" "$@" --title 900100 "$through"
}

# Everything at once: a licence at the third attempt and late, faults of servers, fresh URLs.
control '/licence/status?code=503&times=2'
control '/licence/delay?ms=300'
(
    sleep 2
    curl -sS -m 10 -X POST "$control/host/1/close" >/dev/null
    sleep 3
    curl -sS -m 10 -X POST "$control/host/1/open" >/dev/null
    curl -sS -m 10 -X POST "$control/host/2/status?code=503" >/dev/null
) &
faults=$!
with_all --buffer-s 4 --subtitles de < <(sleep 7; echo 'seek 4'; sleep 2; echo pause; sleep 1; echo play)
wait $faults
check 'all: status' $status 0
check_that 'all: licences that came' test "$(counts given)" -ge 1
check_that 'all: refreshes' test "$(counts refreshes)" -ge 1
check_that 'all: lines of log' test "$(wc -l <"$work/log")" -gt 200
check_that 'all: lines of text' test "$(wc -l <"$work/text")" -ge 2
"$sim" --replay "$work/tape" --log "$work/kept/replay.log" >"$work/kept/replay.told"
check 'all: status of the replay' $? 0
"$sim" --replay "$work/tape" --explain >"$work/kept/replay.explained"
keep all
for host in 1 2; do control "/host/$host/ok"; done
control /licence/ok

# Licences that are denied, broken off in the middle, no JSON: errors in words, and what is around them in the log.
for fault in 'refuse?message=not+on+this+device' cut garbage; do
    control "/licence/$fault"
    with_all </dev/null
    check_that "$fault: an error" test "$(events error)" -ge 1
    keep "licence-${fault%%\?*}"
    control /licence/ok
done

# Keys by hand.
keys=()
while IFS=: read -r kid key _; do keys+=(--key "$kid:${key%% *}"); done < <(sed 's/#.*//' "$title/.keys" | grep :)
with_all "${keys[@]}" --until 2 </dev/null
check 'keys: status' $status 0
keep by-hand
"$play" "${keys[@]}" --print-config >"$work/kept/print.config" 2>&1

# A player that is killed leaves its journal.
control '/ingest/refuse?count=1000'
"$play" --headless --json-stats --device "$esn" --log "$work/log" --log-level trace --ca "$work/pem" --tape "$work/tape" \
    --store "$work/store" --title 900100 "$through" >"$work/events" 2>"$work/err" </dev/null &
player=$!
for ((tries = 0; tries < 200; tries++)); do
    if [[ $(events first_frame) -ge 1 ]]; then break; fi
    sleep 0.05
done
sleep 1
kill -9 $player
wait $player 2>/dev/null
keep killed
check_that 'killed: it left something' test "$(find "$work/store" -type f -size +0 | wc -l)" -ge 1

check_that 'events and logs that were sent' test "$(grep -c '"target"' "$work/captured")" -ge 5
# The device is told apart, but not named.
check_that 'the model of the device' grep -qE '\\*"esn\\*":\\*"CADTV-MODEL7-[0-9a-f]{16}\\*"' "$work/captured"
check 'the whole id of the device' "$(cat "$work"/kept/* "$work/captured" "$work/wire.sent" "$log" "$work/mockd.out" \
    $(find "$work/store" -type f) | grep -aFc -e "${esn##*-}")" 0
python3 "$here/tape_secrets.py" audit "$title/.keys" "$work/wire" "$work"/kept/* "$work/captured" "$work/wire.sent" "$log" "$work/mockd.out" \
    $(find "$work/store" -type f) >"$work/found"
check 'secrets that were told' $? 0
tail -n 20 "$work/found"
cat "$work"/kept/*.events >"$work/events"
cat "$work"/kept/*.err >"$work/err"
cat "$work"/kept/*.log >"$work/log"
# What did pass is found in what passed: the search works.
python3 "$here/tape_secrets.py" audit "$title/.keys" "$work/wire" "$work/wire" >"$work/control"
check 'secrets that did pass' $? 1
for what in 'a licence as' 'a signature as'; do
    check_that "the search finds $what" grep -q "$what" "$work/control"
done
python3 "$here/tape_secrets.py" audit "$title/.keys" "$work/wire" "$title/.keys" >"$work/control"
check 'keys in the list of keys' "$(grep -c 'a key as hex' "$work/control")" 3
unserve
finish
