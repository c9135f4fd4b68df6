#!/usr/bin/env bash
# A real session over TLS, with faults, a seek and fresh URLs, is recorded; it plays back to the same decisions, as
# text; and no secret that passed between player and service is on the tape, in any form.
# usage: play-tape.sh PLAY MOCKD TITLE_DIR SIM
set -u
. "$(dirname "$0")/play.bash"
sim=$4
. "$(dirname "$0")/relay.bash"
serve_through --url-life 12

# replayed NAME   the tape gives the decisions of the player's log
replayed() {
    "$sim" --replay "$work/$1.tape" --log "$work/$1.again" >"$work/$1.told"
    check "$1: status of the replay" $? 0
    check_that "$1: the whole tape" grep -q 'end=whole' "$work/$1.told"
    check "$1: redacted" "$(grep -c 'NOT REDACTED' "$work/$1.told")" 0
    sed -n 's/^\([0-9]*\.[0-9]*\)[0-9]\{0,3\} info decide:/\1 decide:/p' "$work/log" >"$work/$1.decisions"
    sed 's/^\([0-9]*\.[0-9]\{6\}\)[0-9]* /\1 /' "$work/$1.again" >"$work/$1.replayed"
    check_that "$1: decisions" test "$(wc -l <"$work/$1.decisions")" -gt 20
    check "$1: other decisions" "$(diff "$work/$1.decisions" "$work/$1.replayed" | head -n 5)" ''
}

(
    sleep 2
    curl -sS -m 10 -X POST "$control/host/1/close" >/dev/null
    sleep 3
    curl -sS -m 10 -X POST "$control/host/1/open" >/dev/null
    curl -sS -m 10 -X POST "$control/host/2/status?code=403" >/dev/null
) &
faults=$!
run --ca "$work/pem" --buffer-s 4 --tape "$work/real.tape" --title 900100 "$through" \
    < <(sleep 9; echo 'seek 6'; sleep 3; echo pause; sleep 1; echo play)
wait $faults
replayed real
check_that 'refreshes' test "$(counts refreshes)" -ge 1
python3 "$here/tape_secrets.py" check "$work/real.tape" "$work/wire"
check 'secrets on the tape' $? 0
size=$(wc -c <"$work/real.tape")
echo "$size bytes of tape, $(sed -n 's/.*seconds=\([0-9.]*\).*/\1/p' "$work/real.told") s"

# A player that is killed leaves a tape that ends somewhere: it plays back as far as it goes.
head -c $((size / 2)) "$work/real.tape" >"$work/half.tape"
"$sim" --replay "$work/half.tape" --log "$work/half.again" >"$work/half.told"
check 'half: status of the replay' $? 0
check_that 'half: cut' grep -q 'end=cut' "$work/half.told"
check_that 'half: a beginning' test "$(cmp "$work/half.again" "$work/real.again" 2>&1 | grep -c EOF)" -eq 1

# DASH titles, of one file and of many, in one period and in several; a bare file: as fast as they decode.
for what in title.mpd number/manifest.mpd time/manifest.mpd periods/manifest.mpd cut.mpd video-240.mp4; do
    run --ca "$work/pem" --fast --tape "$work/$(basename "$what").tape" "$base/files/$what" </dev/null
    check "$what: status" $status 0
    replayed "$(basename "$what")"
done

# Answers that break off in mid-payload: what goes on is known to be payload, no byte more is kept than without.
kept() { "$sim" --replay "$work/$1.tape" --explain | sed -n 's/.*<- bytes .*bytes=//p' | awk '{ n += $1 } END { print n }'; }
for name in whole broken; do
    run --ca "$work/pem" --fast --rung 3 --tape "$work/$name.tape" --title 900100 "$base" </dev/null
    check "$name: status" $status 0
    replayed $name
    for host in 1 2 3; do control "/host/$host/reset?at=20000"; done
done
for host in 1 2 3; do control "/host/$host/ok"; done
check_that 'broken: attempts that broke' test "$(grep -c 'failed id=' "$work/broken.again")" -ge 4
check 'broken: bytes that were kept' "$(kept broken)" "$(kept whole)"

# A tape that cannot be written is told, and the title plays.
run --ca "$work/pem" --until 2 --tape /dev/full --title 900100 "$base" </dev/null
check 'full disk: first frames' "$(events first_frame)" 1
check_that 'full disk: told' grep -q 'file of --tape could not be written' "$work/err"
unserve
finish
