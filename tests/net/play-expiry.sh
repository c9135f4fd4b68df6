#!/usr/bin/env bash
# URLs that expire in mid-play: renewed ahead without a refusal, or after one if the server changes its
# mind; never a stall.
# usage: play-expiry.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"

well() {
    check "$1: status" $status 0
    check "$1: ends" "$(events end)" 1
    check "$1: stalls" "$(field end stalls)" 0
    check "$1: fatal errors" "$(grep '"event":"error"' "$work/events" | grep -c '"fatal":true')" 0
    echo "$1: refreshes $(counts refreshes), refused $(counts refused), stalls $(field end stalls)"
}

# A life shorter than the title: media is asked for with at least two generations of URLs.
serve --url-life 12
run --buffer-s 4 --title 900100 "$base" </dev/null
well 'short life'
check_that 'refreshes in 20 s' test "$(counts refreshes)" -ge 1 -a "$(counts refreshes)" -le 2
check 'refused' "$(grep -c '"status":403' "$log")" 0
check_that 'lives used' test "$(grep '"kind":"range"' "$log" | grep -o '[?&]e=[0-9]*' | sort -u | wc -l)" -ge 2
unserve

# All URLs are void at once, hours before their time.
: >"$log"
serve
(
    sleep 5
    curl -sS -m 10 -X POST "$control/expire" >"$work/expired"
) &
run --buffer-s 8 --title 900100 "$base" </dev/null
wait $!
check 'expired' "$(cat "$work/expired")" '{"ok":true}'
well 'void at once'
check 'refreshes' "$(counts refreshes)" 1
check_that 'refused' test "$(counts refused)" -ge 1 -a "$(counts refused)" -le 8
unserve
finish
