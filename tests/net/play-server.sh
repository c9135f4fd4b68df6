#!/usr/bin/env bash
# The first host is closed in mid-play: the title goes on from another one, without a stall.
# usage: play-server.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"

serve
(
    sleep 3
    curl -sS -m 10 -X POST "$control/host/1/close" >"$work/closed"
) &
run --buffer-s 10 --title 900100 "$base" </dev/null
wait $!
check 'closed' "$(cat "$work/closed")" '{"ok":true}'
check 'status' $status 0
check 'ends' "$(events end)" 1
check 'stalls' "$(field end stalls)" 0
check 'fatal errors' "$(grep '"event":"error"' "$work/events" | grep -c '"fatal":true')" 0
for track in video audio; do
    servers=$(grep '"event":"server"' "$work/events" | grep "\"track\":\"$track\"" | sed 's/.*"id":"\([^"]*\)".*/\1/' | uniq | wc -l)
    check_that "servers of $track" test "$servers" -ge 2
done
check_that 'requests to another host' test "$(grep -c '"host":[234],.*"kind":"range"' "$log")" -gt 0
check 'bytes fetched twice' "$(grep '"kind":"range"' "$log" | grep '"done":true' |
    sed 's/.*"asset":"\([^"]*\)".*"first":\([0-9]*\),"last":\([0-9]*\),.*/\1 \2 \3/' | sort -k1,1 -k2,2n |
    awk '$1 == asset && $2 <= last { print } { asset = $1; last = $3 }')" ''
echo "$(grep '"event":"server"' "$work/events" | wc -l) server events, stalls $(field end stalls)"
unserve
finish
