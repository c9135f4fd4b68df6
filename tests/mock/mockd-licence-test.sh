#!/usr/bin/env bash
# The licence service of cadmium-mockd, and the manifest of a protected title, as curl sees them: both forms of
# request, refusals, faults by the control port, counts, subtitles, and no key in any log or file that is served.
# usage: mockd-licence-test.sh MOCKD PROTECTED_TITLE_DIR
set -u
. "$(dirname "$0")/mockd.bash" "$1" curl md5sum
title=$2
want_title "$title"

contains() {
    if [[ $2 != *"$3"* ]]; then
        echo "FAILED $1: '$2' without '$3'"
        failed=1
    fi
}

start --title-dir "$title" --hosts 2 --access-log "$work/log"

# Leaves the answer in $work/answer, prints the status.
ask() { curl -sS -m 20 -o "$work/answer" -w '%{http_code}' --data-binary "$1" "$base/license?licenseType=standard"; }
url_text() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
# Hexadecimal digits as bytes.
bytes() { printf '%b' "$(sed 's/../\\x&/g')"; }
id_of() { sed -n "s/^\([0-9a-f]*\):\([0-9a-f]*\) $1\$/\\$2/p" "$title/.keys" | bytes | url_text; }
bare() {
    local kids=() role
    for role in "$@"; do kids+=("\"$(id_of "$role" 1)\""); done
    printf '{"kids":[%s],"type":"temporary"}' "$(IFS=,; echo "${kids[*]}")"
}
list() { printf '[{"drmSessionId":"s-1","clientTime":1772324400,"challengeBase64":"%s","xid":"x-1"}]' "$(bare "$@" | base64 -w0)"; }
jwk() { printf '{"kty":"oct","k":"%s","kid":"%s"}' "$(id_of "$1" 2)" "$(id_of "$1" 1)"; }

# --- what is given ---
check 'bare request' "$(ask "$(bare audio)")" 200
check 'key set' "$(cat "$work/answer")" "{\"keys\":[$(jwk audio)],\"type\":\"temporary\"}"
check 'request for two' "$(ask "$(bare sd hd)")" 200
check 'two keys' "$(cat "$work/answer")" "{\"keys\":[$(jwk sd),$(jwk hd)],\"type\":\"temporary\"}"
check 'request of a licensed manifest' "$(ask "$(list sd hd)")" 200
contains 'session' "$(cat "$work/answer")" '"license":{"drmSessionId":"s-1",'
check 'key set in it' "$(sed -n 's/.*"licenseResponseBase64":"\([^"]*\)".*/\1/p' "$work/answer" | base64 -d)" \
    "{\"keys\":[$(jwk sd),$(jwk hd)],\"type\":\"temporary\"}"
check 'another host' "$(curl -sS -m 20 -d "$(bare hd)" "${hosts[1]}/license")" \
    "{\"keys\":[$(jwk hd)],\"type\":\"temporary\"}"

# --- what is not ---
check 'unknown key' "$(ask '{"kids":["AAAAAAAAAAAAAAAAAAAAAQ"],"type":"temporary"}')" 403
contains 'why' "$(cat "$work/answer")" '"code":"KEY_NOT_FOUND"'
check 'no request' "$(ask 'hello')" 400
check 'GET' "$(curl -sS -m 20 -o "$work/answer" -w '%{http_code}' "$base/license")" 405
check 'the file of keys' "$(curl -sS -m 20 -o "$work/answer" -w '%{http_code}' "$base/files/.keys")" 403

# --- faults ---
post '/licence/refuse?message=not+in+your+country&times=1'
check 'refused' "$(ask "$(list sd)")" 403
contains 'message' "$(cat "$work/answer")" '"message":"not in your country"'
check 'only once' "$(ask "$(list sd)")" 200
post '/licence/status?code=500&times=2'
check 'first' "$(ask "$(list sd)")" 500
check 'second' "$(ask "$(list sd)")" 500
check 'third' "$(ask "$(list sd)")" 200
post /licence/garbage
check 'garbage' "$(ask "$(list sd)")" 200
check 'no JSON' "$(grep -ac '{' "$work/answer")" 0
post /licence/cut
check 'cut' "$(ask "$(bare sd)")" 200
check 'half of it' "$(stat -c %s "$work/answer")" 51
post /licence/down
check 'down' "$(ask "$(bare sd)")" 503
contains 'retryable' "$(cat "$work/answer")" '"retryable":true'
post "/licence/withhold?kid=$(sed -n 's/:.* hd$//p' "$title/.keys")"
post /service/licence/up
check 'withheld' "$(ask "$(bare sd hd)")" 200
check 'one of two' "$(cat "$work/answer")" "{\"keys\":[$(jwk sd)],\"type\":\"temporary\"}"
check 'denied' "$(ask "$(bare hd)")" 403
contains 'denied' "$(cat "$work/answer")" '"code":"KEY_DENIED"'
post '/licence/delay?ms=300'
slow=$(curl -sS -m 20 -o "$work/answer" -w '%{time_total}' -d "$(bare sd)" "$base/license")
check "late: $slow" "$(awk -v t="$slow" 'BEGIN { print (t >= 0.3) }')" 1
post /licence/ok
check 'all is well' "$(ask "$(bare sd hd)")" 200
for wrong in bogus delay 'delay?ms=x' status 'status?code=200' withhold 'withhold?kid=00' 'cut?times=0'; do
    contains "/licence/$wrong" "$(curl -sS -m 20 -X POST "$control/licence/$wrong")" '"ok":false'
done
contains 'counts' "$(curl -sS -m 20 "$control/counts")" '"licences":{"requests":19,"given":9,"keys":12,"denied":5,"failed":5}'

# --- the manifest, subtitles ---
curl -sS -m 20 -o "$work/manifest.json" --data-binary '{"version":2,"url":"licensedManifest","id":1,"params":{
    "type":"standard","manifestVersion":"v2","viewableId":900100,"flavor":"STANDARD","drmType":"clearkey","xid":"x-1",
    "profiles":["playready-h264mpl40-dash","heaac-2-dash","imsc1.1"]}}' \
    "$base/msl/playapi/cadmium/licensedmanifest/1?reqAttempt=1&reqId=aa"
for mark in '"drmType":"clearkey"' '"license":{"href":"/license?' '"events":{"href":"/events?' '"logblob":{"href":"/log' \
    '"probe":{"href":"/api/ftl/probe"' '"prkDrmHeaders":[{' '"new_track_id":"T:none"'; do
    contains 'manifest' "$(cat "$work/manifest.json")" "$mark"
done
contains 'plain manifest' "$(curl -sS -m 20 "$base/files/manifest.json")" '"license":{"href":"/license?'
for lang in en de; do
    url=$(grep -o "\"T:$lang\".*" "$work/manifest.json" | grep -o 'http://[^"]*' | head -n 1)
    check "subtitles in $lang" "$(curl -sS -m 20 "$url" | md5sum)" "$(md5sum <"$title/text-$lang.ttml")"
    check "type of $lang" "$(curl -sS -m 20 -o "$work/answer" -w '%{content_type}' "$url")" application/ttml+xml
done
check 'type of a file' "$(curl -sS -m 20 -o "$work/answer" -w '%{content_type}' "$base/files/text-en.ttml")" application/ttml+xml
post /service/text/down
check 'no subtitles' "$(curl -sS -m 20 -o "$work/answer" -w '%{http_code}' "$url")" 404
post /service/text/up

# --- the log ---
sleep 0.2
check 'licences in the log' "$(grep -c '"kind":"licence"' "$work/log")" 19
check 'their keys by id' "$(head -n 2 "$work/log" | tail -n 1 | grep -o '"kids":"[^"]*"')" \
    "\"kids\":\"$(sed -n 's/:.* sd$//p' "$title/.keys"),$(sed -n 's/:.* hd$//p' "$title/.keys")\""
for role in audio sd hd; do
    for secret in "$(id_of $role 2)" "$(sed -n "s/^[0-9a-f]*:\([0-9a-f]*\) $role\$/\1/p" "$title/.keys")"; do
        check "the $role key in what is written" "$(cat "$work/log" "$work/manifest.json" "$title/manifest.json" "$title/title.mpd" |
            grep -c -e "$secret")" 0
    done
done
finish
exit $failed
