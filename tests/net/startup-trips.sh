#!/usr/bin/env bash
# A cold start takes four round trips before the first bytes of a picture are there: TCP, TLS, manifest, media. Over
# a path of 50 ms, of a licensed manifest and of an MPD, on HTTP/2 (nginx) and on HTTP/1.1 (the mocks).
# usage: startup-trips.sh PLAY MOCKD TITLE_DIR LINKEMU
set -u
. "$(dirname "$0")/startup.bash"
nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx)

rtt=50
tries_max=3 # a machine that is busy with other things can only add to the time
failed=0

# start MODE RTT   plays for a moment: $line is what the bench reads from the log, $media the time from load to the
# first byte of media, $asked how many requests for pictures there were before the first one was shown: one, or what came
# in the fourth round trip was a header alone.
start() {
    # shellcheck disable=SC2046
    emulated "$2" '' "$play" --headless --log "$work/log" --log-level trace --ca "$work/ca.pem" --until 0.1 \
        $(begin_at "$1") </dev/null >"$work/events" 2>"$work/err"
    if ! grep -q 'decide: first-frame' "$work/log"; then
        cat "$work/err"
        tail -n 40 "$work/log"
        give_up "FAILED $1: nothing was played"
    fi
    line=$(read_log "$work/log")
    media=$(awk '{ print $8 + $9 }' <<<"$line")
    asked=$(sed '/decide: first-frame/q' "$work/log" | grep -c 'decide: request .* slot=0 ')
}

# trips MODE   four and no more: what else a start costs is what it takes over a path without delay, and the slack of a
# busy machine is less than another round trip.
trips() {
    local mode=$1 cost try told
    start "$mode" 0
    cost=$media
    for ((try = 0; try < tries_max; try++)); do
        start "$mode" $rtt
        told=$(awk -v rtt=$rtt -v cost="$cost" -v media="$media" -v asked="$asked" '{
            trips = media < 4 * rtt ? int(media / rtt) : media < 4.8 * rtt + cost && asked == 1 ? 4 : 5
            printf "%s trips: media after %.1f ms, %.1f without the delay; connect %.1f, tls %.1f, manifest %.1f, media %.1f",
                trips < 5 ? trips : "more than 4", media, cost, $4 - $3, $5 - $4, $6 - $5, $9 }' <<<"$line")
        if [[ $told != more* ]]; then break; fi
    done
    echo "$mode: $told"
    if [[ $told == '4 trips'* ]]; then return; fi
    echo "FAILED $mode: not 4 round trips"
    grep -E 'net: (start|warm|marks|end)|decide: (load|request|first)' "$work/log"
    failed=1
}

serve_mocks
trips service
trips dash1
if [[ -n $nginx ]] && "$nginx" -V 2>&1 | grep -q -- --with-http_v2_module; then
    serve_files
    trips file
    trips dash
else
    echo 'without HTTP/2: nginx is missing (scripts/install-deps.sh test)'
fi
exit $failed
