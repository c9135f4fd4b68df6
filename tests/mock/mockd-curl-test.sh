#!/usr/bin/env bash
# cadmium-mockd as curl sees it: manifest, signed ranges, refusals, control calls, access log, HTTPS.
# usage: mockd-curl-test.sh MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/mockd.bash" "$1" curl md5sum openssl
title=$2
want_title "$title"

get() { curl -sS -m 20 --path-as-is "$@"; }
code() { curl -s -m 20 --path-as-is -o /dev/null -w '%{http_code}' "$@"; }

# Asks for the manifest of title $1 as attempt $2 and leaves it in manifest.json; prints the status.
ask() {
    local profiles='"h264mpl40-dash-clear","av1-main-L40-dash-clear","heaac-2-dash","ddplus-5.1-dash"'
    curl -s -m 20 ${ca:+--cacert "$ca"} -o "$work/manifest.json" -w '%{http_code}' \
        -H 'Content-Type: application/json' --data-binary "{\"version\":2,\"url\":\"licensedManifest\",\"id\":1,
            \"languages\":[\"en\"],\"params\":{\"type\":\"standard\",\"manifestVersion\":\"v2\",\"viewableId\":$1,
            \"profiles\":[$profiles],\"flavor\":\"STANDARD\",\"drmType\":\"clearkey\",\"xid\":\"x-1\"}}" \
        "$base/msl/playapi/cadmium/licensedmanifest/1?reqAttempt=1&reqName=licensedManifest&reqId=$2"
}

# The URL of asset $1 on host $2 (from 1).
url_of() {
    sed 's/"downloadable_id"/\n&/g' "$work/manifest.json" | grep "^\"downloadable_id\":\"$1\"" |
        grep -o '"url":"[^"]*"' | sed -n "$2s/\"url\":\"\(.*\)\"/\1/p"
}
range_of() { echo "${1/\?/range/$2?}"; }

log=$work/access.jsonl
start --title-dir "$title" --access-log "$log"
check 'servers' "${#hosts[@]}" 4
check 'base is host 1' "$base" "http://${hosts[0]}"
check 'standard output' "$(cat "$work/out")" "$(cat "$work/ready.json")"

# --- every asset from every host, in three ranges, as the file is ---
check 'manifest' "$(ask 900100 aa)" 200
check 'service' "$(grep -c '"from":"playapi"' "$work/manifest.json")" 1
host=0
for file in "$title"/*.mp4; do
    name=$(basename "$file" .mp4)
    host=$((host % 4 + 1))
    url=$(url_of "$name" $host)
    check "host of $name" "${url%%/\?*}" "http://${hosts[host - 1]}"
    size=$(stat -c %s "$file")
    : >"$work/copy"
    for range in "0-999" "1000-49999" "50000-$((size - 1))"; do get "$(range_of "$url" "$range")" >>"$work/copy"; done
    check "md5 of $name" "$(md5sum <"$work/copy")" "$(md5sum <"$file")"
    check "whole $name" "$(get "$url" | md5sum)" "$(md5sum <"$file")"
    check "plain $name" "$(get "$base/files/$name.mp4" | md5sum)" "$(md5sum <"$file")"
done
plain=$(get "http://${hosts[2]}/files/manifest.json" | grep -o '"url":"[^"]*/video-400.mp4"')
check 'URL in the plain manifest' "$plain" "\"url\":\"http://${hosts[2]}/files/video-400.mp4\""
check 'status of a range' "$(code "$(range_of "$url" 0-9)")" 200
check 'Range header' "$(get -D- -o /dev/null -r 5-9 "$url" | tr -d '\r' | grep -E '^HTTP|^Content-Range')" \
    "HTTP/1.1 206 Partial Content
Content-Range: bytes 5-9/$size"
check 'last bytes of a file' "$(get -r -7 "$base/files/$name.mp4" | md5sum)" "$(tail -c 7 "$file" | md5sum)"

# --- MPDs and their segments ---
type_of() { get -D- -o /dev/null "$1" | tr -d '\r' | sed -n 's/^Content-Type: //p'; }
check 'MPD' "$(get "$base/files/title.mpd" | md5sum)" "$(md5sum <"$title/title.mpd")"
check 'type of an MPD' "$(type_of "$base/files/number/manifest.mpd")" application/dash+xml
check 'segment in a folder' "$(get "${hosts[1]}/files/number/0-00002.m4s" | md5sum)" "$(md5sum <"$title/number/0-00002.m4s")"
check 'type of a segment' "$(type_of "$base/files/number/init-0.m4s")" video/iso.segment
check 'range of a segment' "$(get -r 8-15 "$base/files/number/0-00002.m4s" | md5sum)" \
    "$(tail -c +9 "$title/number/0-00002.m4s" | head -c 8 | md5sum)"
check 'segment past the end' "$(code "$base/files/number/0-00999.m4s")" 404
check 'folder as a file' "$(code "$base/files/number")" 404
check 'out of an inner folder' "$(code "$base/files/number/../title.mpd")" 403
check 'two slashes' "$(code "$base/files//title.mpd")" 403
get "$base/signed/title.mpd" >"$work/signed.mpd"
check 'type of a signed MPD' "$(type_of "$base/signed/title.mpd")" application/dash+xml
check 'signed URLs' "$(grep -c '<BaseURL serviceLocation="mock[1-4]">http://127' "$work/signed.mpd")" \
    "$((4 * $(grep -c '<Representation' "$title/title.mpd")))"
signed=$(sed -n '/id="video-240"/,/mock3/{ s/.*mock3">\(.*\)<.*/\1/p; }' "$work/signed.mpd" | sed 's/&amp;/\&/g')
check 'host of a signed URL' "${signed%%/\?*}" "http://${hosts[2]}"
check 'range of a signed URL' "$(get -r 100-999 "$signed" | md5sum)" "$(tail -c +101 "$title/video-240.mp4" | head -c 900 | md5sum)"
check 'wrongly signed' "$(code -r 100-999 "${signed}A")" 403

# --- refusals ---
check 'wrong signature' "$(code "$(range_of "${url}A" 0-9)")" 403
check 'wrong token' "$(code "$(range_of "${url/&t=A/&t=B}" 0-9)")" 403
check 'later expiry' "$(code "$(range_of "${url/&e=1/&e=9}" 0-9)")" 403
check 'no signature' "$(code "$base/range/0-9")" 403
check 'range past the end' "$(code "$(range_of "$url" "0-$size")")" 416
check 'nothing there' "$(code "$base/nothing")" 404
check 'a title that is not there' "$(ask 900101 bb)" 404
check 'why' "$(grep -o '"code":"[A-Z_]*"' "$work/manifest.json")" '"code":"TITLE_NOT_FOUND"'
check 'out of the folder' "$(code "$base/files/../manifest.json")" 403
check 'out of the folder, coded' "$(code "$base/files/%2e%2e%2fmanifest.json")" 403
check 'a file that is not there' "$(code "$base/files/video-1.mp4")" 404
check 'a large body' "$(head -c 300000 /dev/zero | code -H 'Expect:' --data-binary @- "$base/events")" 413

# --- faults ---
post '/host/1/close'
get "$base/time" >/dev/null 2>&1
check 'closed' $? 7
check 'the others are open' "$(code "http://${hosts[1]}/time")" 200
post '/host/1/open'
check 'open again' "$(code "$base/time")" 200
post '/host/1/rate?kbps=400'
get -o /dev/null "$base/files/video-400.mp4" 2>/dev/null &
slow=$!
sleep 0.5
post '/host/1/close'
wait $slow
check 'a transfer breaks with its host' $? 18
post '/host/1/open'
post '/host/1/ok'
post '/host/2/status?code=503'
check 'told to fail' "$(code "http://${hosts[1]}/time")" 503
post '/host/2/reset?at=1234'
get "http://${hosts[1]}/files/video-400.mp4" >"$work/copy" 2>/dev/null
check 'cut' $? 18
check 'cut there' "$(stat -c %s "$work/copy")" 1234
post '/host/2/stall'
curl -s -m 1 "http://${hosts[1]}/time"
check 'stalled' $? 28
post '/host/2/ok'
check 'well again' "$(code "http://${hosts[1]}/time")" 200
check 'no such host' "$(code -X POST "$control/host/5/close")" 400
post '/service/manifest/down'
check 'no service' "$(ask 900100 cc)" 503
post '/service/manifest/up'

# --- expiry ---
post '/expire'
check 'expired' "$(code "$(range_of "$url" 0-9)")" 403
check 'a fresh manifest' "$(ask 900100 dd)" 200
check 'fresh URL' "$(code "$(range_of "$(url_of video-400 3)" 0-9)")" 200
check 'counts' "$(get "$control/counts" | grep -o '"manifests":[0-9]*,"refreshes":[0-9]*,"retries":[0-9]*,"denied":[0-9]*')" \
    '"manifests":2,"refreshes":1,"retries":0,"denied":2'

# --- the log: a line for each request, nothing that signs, ranges and bytes as they were ---
get "$(range_of "$(url_of video-400 2)" 100-299)" >/dev/null
check 'a line' "$(tail -n 1 "$log" | sed 's/"t":[0-9.]*,"end":[0-9.]*/T/; s/e=[0-9]*/e=E/')" \
    '{T,"host":2,"method":"GET","path":"/range/100-299?o=1&v=1&e=E&t=*&sc=*","asset":"video-400","kind":"range","first":100,"last":299,"status":200,"bytes":200,"done":true}'
check 'a line of a cut' "$(grep '"bytes":1234,' "$log" | grep -o '"done":[a-z]*')" '"done":false'
signature=${url##*sc=}
token=${url##*&t=}
check 'secrets in the log' "$(grep -c -e "$signature" -e "${token%%&*}" "$log")" 0
check 'lines that are no objects' "$(grep -vc '^{"t":.*}$' "$log")" 0

# --- stopping with a stalled, a slow and an idle connection open ---
post '/host/3/stall'
post '/host/4/rate?kbps=100'
curl -s -m 30 "http://${hosts[2]}/time" >/dev/null &
curl -s -m 30 -o /dev/null "http://${hosts[3]}/files/video-400.mp4" &
sleep 0.3
finish

# --- short-lived URLs, thinking, a wrong clock ---
start --title-dir "$title" --url-life 2 --think-ms 300 --hosts 2 --clock-skew 86400 --asset-in-path --title-id 77
check 'two servers' "${#hosts[@]}" 2
check 'manifest of 77' "$(ask 77 aa)" 200
url=$(url_of video-400 2)
check 'asset in the path' "${url%%\?*}" "http://${hosts[1]}/video-400"
url=${url/\?/\/range\/0-9?}
read -r status seconds < <(curl -s -o /dev/null -w '%{http_code} %{time_total}\n' "$url")
check 'young URL' "$status" 200
check 'it thought' "$(awk -v s="$seconds" 'BEGIN { print (s >= 0.3) }')" 1
sleep 2.1
check 'old URL' "$(code "$url")" 403
ahead=$(($(get "$base/time" | grep -o '[0-9]*') / 1000 - $(date +%s)))
check 'clock ahead' "$((ahead >= 86399 && ahead <= 86401))" 1
check 'quit' "$(get -X POST "$control/quit")" '{"ok":true}'
wait "$pid"
check 'exit status of quit' $? 0
pid=

# --- HTTPS ---
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
start --title-dir "$title" --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" --hosts 3
ca=$work/cert.pem
check 'base' "$base" "https://${hosts[0]}"
check 'manifest over TLS' "$(ask 900100 aa)" 200
url=$(url_of video-400 3)
check 'range over TLS' "$(get --cacert "$ca" "$(range_of "$url" 0-65535)" | md5sum)" \
    "$(head -c 65536 "$title/video-400.mp4" | md5sum)"
get "$url" >/dev/null 2>&1
check 'a certificate that is not trusted' $? 60
finish

# --- what cannot be served ---
mkdir "$work/empty" "$work/broken"
head -c 5000 "$title/video-400.mp4" >"$work/broken/video-400.mp4"
for folder in empty broken none; do
    "$mockd" --title-dir "$work/$folder" >"$work/out" 2>"$work/err"
    check "status for $folder" $? 1
    check "a reason for $folder" "$(grep -c '^cadmium-mockd: ' "$work/err")" 1
done
"$mockd" --hosts 9 --title-dir "$title" >/dev/null 2>&1
check 'status of a bad option' $? 2

# refused WORDS OPTION...   wrong usage, told in these words
refused() {
    local words=$1
    shift
    "$mockd" "$@" >"$work/out" 2>"$work/err"
    check "status of $*" $? 2
    check "a reason for $*" "$(grep -c -e "^cadmium-mockd: .*$words" "$work/err")" 1
}
refused 'without an option: stray' --title-dir "$title" stray
refused 'wants --tls-key' --title-dir "$title" --tls-cert "$work/cert.pem"
refused 'wants --tls-cert' --title-dir "$title" --tls-key "$work/key.pem"
refused 'must be given' --hosts 2
refused 'wants an http: or https: URL' --describe "$title" --base-url file:///x
refused 'wants an http: or https: URL' --describe "$title" --base-url http://
refused 'from 1 to 8' --title-dir "$title" --hosts 9
exit $failed
