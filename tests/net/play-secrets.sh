#!/usr/bin/env bash
# No value that signs a URL gets into any output, with every line of log on, a refresh and a failover.
# usage: play-secrets.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"

serve --url-life 12
# What tokens of this title look like: all of a title begin alike, whatever asset or session.
curl -sS -m 10 -H 'Content-Type: application/json' --data-binary '{"version":2,"url":"licensedManifest","id":1,
    "languages":["en"],"params":{"type":"standard","manifestVersion":"v2","viewableId":900100,
    "profiles":["h264mpl40-dash-clear","heaac-2-dash"],"flavor":"STANDARD","drmType":"clearkey","xid":"x-1"}}' \
    "$base/msl/playapi/cadmium/licensedmanifest/1?reqAttempt=1&reqName=licensedManifest&reqId=aa" >"$work/manifest.json"
token=$(grep -o '[?&]t=[^&"]*' "$work/manifest.json" | head -n 1 | cut -d= -f2)
check 'length of a token' ${#token} 28
(
    sleep 2
    curl -sS -m 10 -X POST "$control/host/1/close" >/dev/null
    sleep 3
    curl -sS -m 10 -X POST "$control/host/1/open" >/dev/null
    curl -sS -m 10 -X POST "$control/host/2/status?code=403" >/dev/null
) &
run --buffer-s 4 --title 900100 "$base" </dev/null
wait $!
check_that 'lines' test "$(wc -l <"$work/log")" -gt 100
check_that 'URLs in the log' test "$(grep -c '[?&]t=\*&sc=\*' "$work/log")" -gt 10
check 'values' "$(cat "$work/log" "$work/events" "$work/err" | grep -E '[?&](t|sc)=[^*]')" ''
check 'tokens' "$(cat "$work/log" "$work/events" "$work/err" | grep -F "${token:0:11}")" ''
check 'what could be a signature' "$(cat "$work/log" "$work/events" "$work/err" | grep -oE '[A-Za-z0-9_-]{28,}')" ''
echo "$(wc -l <"$work/log") lines, $(grep -c '[?&]t=\*&sc=\*' "$work/log") of them with a signed URL, no value in any"
unserve
finish
