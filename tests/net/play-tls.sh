#!/usr/bin/env bash
# HTTPS: plays with the right authority, is refused with a typed error without it or under another name.
# usage: play-tls.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"
if ! command -v openssl >/dev/null; then
    echo 'openssl is missing: scripts/install-deps.sh test'
    exit 77
fi

# certificate NAME SUBJECT_ALT_NAME
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.pem" -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=$2" 2>/dev/null
}
certificate right IP:127.0.0.1
certificate other IP:127.0.0.1
certificate name DNS:example.invalid

# refused WHAT OPTION...   one fatal NET_CERTIFICATE within 5 s
refused() {
    local what=$1 before
    shift
    before=$(date +%s%N)
    run "$@" --title 900100 "$base" </dev/null
    check_that "$what: in time" test $((($(date +%s%N) - before) / 1000000)) -lt 5000
    check_that "$what: status" test $status -ne 0
    check "$what: errors" "$(events error)" 1
    check "$what: code" "$(field error code)" NET_CERTIFICATE
    check "$what: fatal" "$(field error fatal)" true
}

serve --tls-cert "$work/right.pem" --tls-key "$work/right.key"
run --ca "$work/right.pem" --until 3 --title 900100 "$base" </dev/null
check 'status' $status 0
check 'first frames' "$(events first_frame)" 1
check 'errors' "$(events error)" 0
check 'stalls' "$(field end stalls)" 0
refused 'the system does not know it'
refused 'another authority' --ca "$work/other.pem"
refused 'no such file of authorities' --ca "$work/none.pem"
unserve
serve --tls-cert "$work/name.pem" --tls-key "$work/name.key"
refused 'another name' --ca "$work/name.pem"
unserve
finish
