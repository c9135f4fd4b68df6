#!/usr/bin/env bash
# Goal: the stage of a scenario that cadmium-mockd sets up by its control port: a title from a ladder, links
# with a latency and a rate that their connections share, black holes that swallow, and one stage after another.
# Times are compared with wide margins: a machine that is busy only adds to them.
# usage: mockd-stage-test.sh CADMIUM-MOCKD DATA-FOLDER
set -eu
. "$(dirname "$0")/mockd.bash" "$1" curl python3
data=$2

die() {
    echo "mockd-stage-test: $1"
    exit 1
}

start --stage --hosts 2
one=${hosts[0]}
two=${hosts[1]}

# post PATH [BODY-FILE]: a command that is obeyed, or there is nothing more to test
post() {
    curl -sf -X POST --data-binary "@${2-/dev/null}" "$control$1" >"$work/answer" || die "refused: $1"
}

# refused PATH [BODY-FILE]
refused() {
    status=$(curl -s -o "$work/answer" -w '%{http_code}' -X POST --data-binary "@${2-/dev/null}" "$control$1")
    [ "$status" -eq 400 ] || die "not refused ($status): $1"
}

# between LOW HIGH NUMBER WHAT
between() {
    python3 -c 'import sys; low, high, n = map(float, sys.argv[1:]); sys.exit(not low <= n <= high)' \
        "$1" "$2" "$3" || die "$4: $3, not $1 to $2"
}

[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$one/time")" -eq 503 ] || die "served without a title"
refused /stage/title
refused '/stage/title?hosts=3' "$data/ladder-small.json"
refused '/stage/title?audio=en' "$data/ladder-small.json"
post '/stage/title?duration_ms=20000&hosts=2&audio=en:2,de:6&seed=4&life_s=600' "$data/ladder-small.json"
printf '1000 2000 100\n' >"$work/slow"
printf 'nonsense\n' >"$work/bad"
refused /stage/link/1 "$work/bad"
refused /stage/link/0 "$work/slow"
refused '/host/1/link?link=1'
post /stage/link/1 "$work/slow"
refused /stage/link/1 "$work/slow"
post '/host/1/link?link=1'
post '/host/2/link?link=1'
post /stage/start

# A manifest with both languages, and the URLs of the middle picture on both hosts.
cat >"$work/request" <<'END'
{"version":2,"url":"licensedManifest","id":1,"params":{"type":"standard","viewableId":"900100",
"profiles":["h264mpl40-dash-clear","heaac-2-dash"],"flavor":"STANDARD","xid":"1"}}
END
curl -sf --data-binary "@$work/request" "http://$one/msl/playapi/cadmium/licensedmanifest/1" >"$work/manifest" ||
    die "no manifest"
grep -q '"language":"de"' "$work/manifest" || die "no German sound"
url_of() {
    python3 - "$work/manifest" "$1" <<'END'
import json, sys
def urls(v):
    if isinstance(v, dict):
        for k, w in v.items():
            if k == "url" and isinstance(w, str): yield w
            else: yield from urls(w)
    elif isinstance(v, list):
        for w in v: yield from urls(w)
print(next(u for u in urls(json.load(open(sys.argv[1]))) if sys.argv[2] in u and "video-2" in u))
END
}
first=$(url_of "$one")
second=$(url_of "$two")

# range URL FIRST LAST [CURL-OPTION...]
range() {
    url=$(printf '%s' "$1" | sed "s,?,/range/$2-$3?,")
    shift 3
    curl -s -o /dev/null -w '%{time_starttransfer} %{time_total} %{size_download} ' "$@" "$url"
}

# 100 ms of latency: two round trips on a new connection, one on one that is open.
set -- $(range "$first" 0 99 -o /dev/null "$(printf '%s' "$first" | sed 's,?,/range/0-99?,')")
between 0.19 0.6 "$1" "the first request of a connection"
between 0.09 0.4 "$4" "the second request of a connection"

# 2 Mbit/s: 100 kB take 0.4 s; two at once, on both hosts, 0.8 s, for the link is shared.
set -- $(range "$first" 0 99999)
[ "$3" -eq 100000 ] || die "$3 bytes, not 100000"
between 0.55 1.5 "$2" "100 kB alone"
range "$second" 0 99999 >"$work/other" &
other=$!
set -- $(range "$first" 0 99999)
wait "$other"
both=$(cut -d ' ' -f 2 "$work/other")
between 0.85 2.2 "$(python3 -c 'import sys; print(max(float(sys.argv[1]), float(sys.argv[2])))' "$2" "$both")" \
    "the longer of two"

# A cap: the host leaves the link for a slow one of its own.
post '/host/1/cap?bps=400000'
set -- $(range "$first" 0 24999)
between 0.6 1.6 "$2" "25 kB at 400 kbit/s"
post /host/1/ok

# A black hole swallows what is under way and what comes; when it is over, only what is new is served.
post /host/1/blackhole
got=0
range "$first" 0 99 --max-time 1 >/dev/null || got=$?
[ "$got" -eq 28 ] || die "a black hole answers: curl $got"
connected=$(curl -s -o /dev/null --max-time 1 -w '%{time_connect}' "http://$one/time" || true)
[ "$connected" = 0.000000 ] || die "a black hole takes connections: after $connected s"
post /host/1/ok
post /network/off
got=0
range "$second" 0 99 --max-time 1 >/dev/null || got=$?
[ "$got" -eq 28 ] || die "without a network there is an answer: curl $got"
post /network/on
set -- $(range "$second" 0 99)
[ "$3" -eq 100 ] || die "not back with the network"
range "$first" 0 99999 --max-time 10 >"$work/other" &
other=$!
sleep 0.35
post /host/1/blackhole
post /host/1/ok
sleep 1
kill -0 "$other" 2>/dev/null || die "what was swallowed came out again"
kill "$other"
wait "$other" 2>/dev/null || true

# The next stage: other URLs, and nothing is left of the first one's links.
# A protected title with subtitles, and the licence for its pictures.
refused '/stage/title?kid=00' "$data/ladder-small.json"
refused '/stage/title?hd_kid=00000000000000000000000000000002' "$data/ladder-small.json"
refused '/stage/title?text=,' "$data/ladder-small.json"
post '/stage/title?hosts=1&text=en,de&kid=00000000000000000000000000000001&audio_kid=00000000000000000000000000000003' \
    "$data/ladder-small.json"
sed 's/h264mpl40-dash-clear/playready-h264mpl40-dash/' "$work/request" >"$work/request-drm"
curl -sf --data-binary "@$work/request-drm" "http://$one/msl/playapi/cadmium/licensedmanifest/1" >"$work/manifest" ||
    die "no protected manifest"
grep -q '"drmHeaderId":"00000000000000000000000000000001"' "$work/manifest" || die "no key of pictures"
grep -q '"drmHeaderId":"00000000000000000000000000000003"' "$work/manifest" || die "no key of sound"
grep -q '"new_track_id":"T:de"' "$work/manifest" || die "no German subtitles"
curl -sf -d '{"kids":["AAAAAAAAAAAAAAAAAAAAAQ"],"type":"temporary"}' "http://$one/license" |
    grep -q '"kid":"AAAAAAAAAAAAAAAAAAAAAQ"' || die "no licence"
curl -s "$control/counts" | grep -q '"licences":{"requests":1,"given":1,' || die "a licence that was not counted"

post '/stage/title?duration_ms=4000&hosts=1&seed=5' "$data/ladder-small.json"
set -- $(range "$first" 0 99)
[ "$3" -eq 0 ] || [ "$(curl -s -o /dev/null -w '%{http_code}' "$first")" -eq 403 ] || die "the old URLs are good"
between 0 0.19 "$(curl -s -o /dev/null -w '%{time_total}' "http://$one/time")" "a host on no link"
echo "mockd-stage-test: good"
