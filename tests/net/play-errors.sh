#!/usr/bin/env bash
# What cannot be played ends within 5 s in exactly one typed error and a status that is not 0.
# usage: play-errors.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"

# fails CODES ARGUMENT...   CODES: one or several, parted by |
fails() {
    local codes=$1 before ms
    shift
    before=$(date +%s%N)
    run "$@" </dev/null
    ms=$((($(date +%s%N) - before) / 1000000))
    check_that "$*: in time" test $ms -lt 5000
    check_that "$*: status" test $status -ne 0
    check "$*: fatal errors" "$(grep '"event":"error"' "$work/events" | grep -c '"fatal":true')" 1
    check "$*: errors" "$(events error)" 1
    if [[ ! "|$codes|" == *"|$(field error code)|"* ]]; then check "$*: code" "$(field error code)" "$codes"; fi
    check_that "$*: words" test -s "$work/err"
    echo "$(field error code) after $ms ms: ${*: -1}"
}

serve
fails FILE_NOT_FOUND "$work/none.mp4"
fails FILE_UNREADABLE "$work"
head -c 1500 "$title/manifest.json" >"$work/half.json"
fails MANIFEST_BAD "$work/half.json"
: >"$work/empty.json"
fails 'MANIFEST_BAD|MEDIA_BAD' "$work/empty.json"
head -c 500 "$title/video-240.mp4" >"$work/half.mp4"
fails 'MEDIA_BAD|MEDIA_NO_INDEX' "$work/half.mp4"
fails 'HTTP_NOT_FOUND|MANIFEST_DENIED' --title 900999 "$base"
fails HTTP_NOT_FOUND "$base/files/none.mp4"
fails SCHEME_REFUSED "ftp://127.0.0.1/a.mp4"
control '/host/1/close'
fails NET_CONNECT --title 900100 "$base"
fails NET_DNS --title 900100 http://no-such-host.invalid
unserve
finish
