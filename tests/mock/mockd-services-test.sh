#!/usr/bin/env bash
# Goal: cadmium-mockd's ingestion holds each event and batch once, whatever is lost, and tells what it holds; its probes'
# recipe names the manifest's servers, and targets behave as they are told.
# usage: mockd-services-test.sh CADMIUM-MOCKD DATA-FOLDER
set -u
. "$(dirname "$0")/mockd.bash" "$1" curl python3 gzip
data=$2
start --stage --hosts 4 --account "$work/account" --capture "$work/capture" --access-log "$work/log"

code() { curl -s -m 20 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@"; }
header() { tr -d '\r' <"$work/head" | sed -n "s/^$1: //Ip"; }
refused() { check "POST $1" "$(code -X POST "$control$1")" 400; }
# says FILE EXPRESSION: a Python expression over the JSON j
says() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
account() {
    curl -s -m 20 "$control/account${2-}" >"$work/answer"
    says "$work/answer" "$1"
}
counts() {
    curl -s -m 20 "$control/counts" >"$work/answer"
    says "$work/answer" "$1"
}
# event XID SEQ TYPE ATTEMPT LETTER   posts an event under the id of 32 LETTERs; prints the status
event() {
    local id
    id=$(printf "%.s$5" {1..32})
    code --data-binary "{\"version\":2,\"params\":{\"event\":\"$3\",\"xid\":\"$1\",\"seq\":$2,\"position\":$(($2 * 1000)),
        \"playTimes\":{\"total\":$(($2 * 1000))}}}" \
        "$base/events?playbackContextId=c-$1&reqAttempt=$4&reqName=events/$3&reqId=$id&clienttype=test"
}
# batch FILE LETTER [CURL-OPTION...]   posts a batch
batch() {
    local id file=$1
    id=$(printf "%.s$2" {1..32})
    shift 2
    code "$@" --data-binary "@$file" "$base/logblob?reqAttempt=1&reqName=logblob&reqId=$id"
}

check 'no title yet' "$(code "$base/ftl/recipe")" 503
refused /ftl/recipe/ok
post '/stage/title?duration_ms=20000&hosts=3&seed=4' "$data/ladder-small.json"

# --- events: each once, in order, by playback ---
check 'an event' "$(event one 0 start 1 a)" 200
check 'answer' "$(cat "$work/body")" '{}'
check 'again' "$(event one 0 start 2 a)" 200
check 'of another playback' "$(event two 0 start 1 b)" 200
check 'later' "$(event one 1 keepAlive 3 c)" 200
check 'held' "$(account 'j["events"]')" "{'held': 3, 'types': {'start': 2, 'keepAlive': 1}}"
check 'playbacks' "$(account '[(p["xid"], p["inOrder"], len(p["events"])) for p in j["playbacks"]]')" \
    "[('one', True, 2), ('two', True, 1)]"
check 'how often' "$(account '[[e[k] for k in ("type", "reqAttempt", "lastAttempt", "arrivals", "position")]
    for e in j["playbacks"][0]["events"]]')" "[['start', 1, 2, 2, 0], ['keepAlive', 3, 3, 1, 1000]]"
check 'context' "$(account 'j["playbacks"][1]["events"][0]["playbackContextId"]')" c-two
check 'of one playback' "$(account '(j["events"]["held"], len(j["playbacks"]))' '?xid=two')" '(1, 1)'
check 'under way at once' "$(for i in {1..12}; do event three 0 start "$i" d >/dev/null & done; wait
    account '[e["arrivals"] for e in j["playbacks"][2]["events"]]')" '[12]'

# --- what is no event ---
check 'method' "$(code "$base/events?reqAttempt=1&reqName=events/stop&reqId=x")" 405
check 'allowed' "$(header Allow)" POST
check 'no id' "$(code -d '{}' "$base/events?reqAttempt=1&reqName=events/stop")" 400
check 'no attempt' "$(code -d '{}' "$base/events?reqName=events/stop&reqId=${hosts[0]}")" 400
check 'no JSON' "$(code -d '{' "$base/events?reqAttempt=1&reqName=events/stop&reqId=00112233445566778899aabbccddeeff")" 400
check 'another event' "$(code -d '{"params":{"event":"seek"}}' \
    "$base/events?reqAttempt=1&reqName=events/stop&reqId=00112233445566778899aabbccddeeff")" 400
check 'a batch here' "$(code -d '{}' "$base/events?reqAttempt=1&reqName=logblob&reqId=00112233445566778899aabbccddeeff")" 400
check 'a large one' "$(head -c 300000 /dev/zero | code -H 'Expect:' --data-binary @- "$base/events")" 413
check 'none of them held' "$(account '(j["events"]["held"], j["requests"]["refused"], j["requests"]["broken"])')" '(4, 5, 2)'

# --- batches, plain and compressed ---
python3 - >"$work/batch" <<'END'
import json
types = [("startup", "info"), ("httperr", "warn"), ("startup", "info"), ("error", "error")]
print(json.dumps({"entries": [{"type": t, "sev": s, "uniqueLogId": f"id-{i}", "n": [{"type": "inner"}]}
                              for i, (t, s) in enumerate(types)]}))
END
gzip -nc "$work/batch" >"$work/batch.gz"
head -c 60 "$work/batch.gz" >"$work/cut.gz"
check 'compressed' "$(batch "$work/batch.gz" a -H 'Content-Encoding: gzip')" 200
check 'taken before, as an event' "$(account 'j["logs"]["batches"]')" 0
check 'compressed' "$(batch "$work/batch.gz" e -H 'Content-Encoding: gzip')" 200
check 'limits' "$(header x-ichnaea)" '~0=true~RL=2212'
check 'by type' "$(account 'j["logs"]["types"]')" "{'startup': {'info': 2}, 'httperr': {'warn': 1}, 'error': {'error': 1}}"
check 'by severity' "$(account 'j["logs"]["severities"]')" "{'info': 2, 'warn': 1, 'error': 1}"
check 'cut' "$(batch "$work/cut.gz" f -H 'Content-Encoding: gzip')" 400
check 'not said to be compressed' "$(batch "$work/batch.gz" f)" 400
check 'the same entries under another id' "$(batch "$work/batch" f)" 200
check 'sums' "$(account '[j["logs"][k] for k in ("batches", "entries", "repeated")]')" '[2, 8, 4]'
check 'requests' "$(account '[j["requests"][k] for k in ("gzip", "broken")]')" '[2, 4]'
check 'the other path' "$(code -d '{}' "$base/log/cadmium/logblob/1?reqAttempt=1&reqName=logblob&reqId=$(printf '%.s7' {1..32})")" 200
check 'counts' "$(counts '(j["events"], j["logs"])')" '(4, 3)'

# --- faults ---
post '/ingest/clear'
check 'cleared' "$(account '(j["events"]["held"], j["logs"]["entries"], j["requests"]["arrivals"])')" '(0, 0, 0)'
post '/ingest/drop?count=2'
event one 0 start 1 a >/dev/null
check 'no answer' "$(wc -c <"$work/head")" 0
event one 0 start 2 a >/dev/null
check 'nor the second time' "$(wc -c <"$work/head")" 0
check 'the third time' "$(event one 0 start 3 a)" 200
check 'taken once' "$(account '[[e["arrivals"], e["lastAttempt"]] for e in j["playbacks"][0]["events"]]')" '[[3, 3]]'
check 'duplicates' "$(account '[j["requests"][k] for k in ("duplicates", "faults", "lost")]')" '[2, 2, 2]'
post '/ingest/refuse?for=events&count=1'
event one 1 pause 1 b >/dev/null
check 'refused' "$(wc -c <"$work/head")" 0
check 'not taken' "$(account 'j["events"]["held"]')" 1
check 'taken now' "$(event one 1 pause 2 b)" 200
check 'its attempt' "$(account 'j["playbacks"][0]["events"][1]["reqAttempt"]')" 2
post '/ingest/status?code=503&count=2&for=log&retry_after=9'
check 'not of the log' "$(event one 2 resume 1 c)" 200
check 'told to fail' "$(batch "$work/batch" d)" 503
check 'for a while' "$(header Retry-After)" 9
check 'twice' "$(batch "$work/batch" d)" 503
check 'then no more' "$(batch "$work/batch" d)" 200
post '/ingest/ok'
post '/ingest/delay?ms=400&for=events'
read -r seconds < <(curl -s -o /dev/null -w '%{time_total}\n' -d '{}' "$base/events?reqAttempt=1&reqName=events/x&reqId=$(printf '%.s8' {1..32})")
check 'late' "$(awk -v s="$seconds" 'BEGIN { print (s >= 0.4) }')" 1
post '/ingest/ok'
post '/ingest/stop?xid=one&code=LIMIT&message=too+m%61ny&count=1'
event two 0 start 1 e >/dev/null
check 'another playback goes on' "$(cat "$work/body")" '{}'
event one 3 keepAlive 1 f >/dev/null
check 'this one stops' "$(cat "$work/body")" '{"stop":{"code":"LIMIT","message":"too many"}}'
event one 4 keepAlive 1 9 >/dev/null
check 'it was told once' "$(cat "$work/body")" '{}'
post '/ingest/limit?rl=0'
batch "$work/batch" 1 >/dev/null
check 'no more entries' "$(header x-ichnaea)" '~0=true~RL=0'
post '/ingest/limit?text=%7E%7E%3DRL'
batch "$work/batch" 2 >/dev/null
check 'senseless limits' "$(header x-ichnaea)" '~~=RL'
for wrong in ingest ingest/sleep 'ingest/status' 'ingest/status?code=200' 'ingest/delay?ms=x' 'ingest/drop?count=0' \
    'ingest/drop?for=all' ingest/limit ftl/target/5/ok ftl/target/1/sing ftl/target/1/short ftl/recipe/sing ftl/x \
    'ftl/recipe/plan?pulses=13' 'ftl/recipe/plan?delays=1,x' 'ftl/target/1/slow?ms=-1'; do
    refused "/$wrong"
done

# --- the recipe and the manifest's servers ---
cat >"$work/request" <<'END'
{"version":2,"url":"licensedManifest","id":1,"params":{"type":"standard","viewableId":"900100",
"profiles":["h264mpl40-dash-clear","heaac-2-dash"],"flavor":"STANDARD","xid":"1"}}
END
curl -sf --data-binary "@$work/request" "$base/msl/playapi/cadmium/licensedmanifest/1" >"$work/manifest"
cat >"$work/servers.py" <<'END'
import json, sys
def find(v):
    if isinstance(v, dict):
        if "servers" in v: return v["servers"]
        v = list(v.values())
    for w in v if isinstance(v, list) else []:
        if found := find(w): return found
wanted = [(f"cdn:{s['id']}", f"http://{s['dns']['host']}/ftl/probe?data=5120") for s in find(json.load(open(sys.argv[1])))]
told = [(u["name"], u["url"]) for u in json.load(open(sys.argv[2]))["urls"]]
print(len(told), wanted == told)
END
link() { grep -o "\"$1\":{\"href\":\"[^\"]*\"" "$work/manifest" | sed 's/.*"href":"//; s/"$//'; }
tail='reqAttempt=1&reqId=77777777777777777777777777777777'
check 'link of events' "$(code -d '{"params":{"xid":"z"}}' "$base$(link events)&$tail&reqName=events/start")" 200
check 'link of logs' "$(code -d '{}' "$base$(link logblob)?${tail//7/6}&reqName=logblob")" 200
check 'link of probes' "$(code "$base$(link probe)?monotonic=true&iter=0")" 200
check 'its body' "$(says "$work/body" 'len(j["urls"])')" 3
check 'a recipe' "$(code "$base/ftl/recipe?monotonic=true&device=test&iter=0")" 200
check 'its targets are the servers' "$(python3 "$work/servers.py" "$work/manifest" "$work/body")" '3 True'
check 'its plan' "$(says "$work/body" '(j["pulses"], j["pulse_delays"])')" '(3, [0, 500, 2000])'
post '/ftl/recipe/plan?pulses=2&delays=0,50&timeout_ms=900&next_ms=20000&data=2048'
check 'another' "$(code "$base/ftl/recipe?monotonic=true&device=test&iter=1")" 200
check 'another plan' "$(says "$work/body" '[v for k, v in j.items() if k != "urls"]')" '[2, [0, 50], 900, 20000]'
post '/ftl/recipe/status?code=500&count=1'
check 'a recipe that fails' "$(code "$base/ftl/recipe?monotonic=true&iter=2")" 500
check 'once' "$(code "$base/ftl/recipe?monotonic=true&iter=3")" 200
post '/ftl/recipe/garbage'
check 'garbage' "$(code "$base/ftl/recipe?monotonic=true&iter=4")" 200
check 'no JSON' "$(head -c 6 "$work/body")" '<html>'
post '/ftl/recipe/slow?ms=300'
read -r seconds < <(curl -s -o /dev/null -w '%{time_total}\n' "$base/ftl/recipe?monotonic=true&iter=5")
check 'a slow recipe' "$(awk -v s="$seconds" 'BEGIN { print (s >= 0.3) }')" 1
post '/ftl/recipe/ok'

# --- targets ---
# pulse HOST N   asks for a pulse; prints curl's status, the answer's, and its size
pulse() {
    curl -s -m 1 -o "$work/body" -D "$work/head" -w '%{http_code} %{size_download}' "http://${hosts[$1 - 1]}/ftl/probe?data=2048&pulse=$2"
    echo " $?"
}
check 'a pulse' "$(pulse 2 1)" '200 2048 0'
check 'its headers' "$(header Via)/$(header x-ftl-probe-data)/$(header latency-trace)" '1.1 mock/v1.c2VydmVkLWJ5LWEtbW9jaw/edge=1;origin=4'
check 'another size' "$(code "http://${hosts[0]}/ftl/probe?data=5120&pulse=1")" 400
post '/ftl/target/1/short?bytes=48'
post '/ftl/target/2/dead?pulse=2'
post '/ftl/target/3/reset'
check 'short' "$(pulse 1 1)" '200 2000 0'
check 'alive at first' "$(pulse 2 1)" '200 2048 0'
check 'dead' "$(pulse 2 2)" '000 0 28'
check 'reset' "$(pulse 3 1)" '000 0 52'
post '/ftl/target/1/long?bytes=100'
post '/ftl/target/2/status?code=404&pulse=2'
post '/ftl/target/3/portal'
check 'long' "$(pulse 1 1)" '200 2148 0'
check 'status' "$(pulse 2 2)" '404 0 0'
check 'portal' "$(pulse 3 1)" '200 66 0'
for host in 1 2 3; do post "/ftl/target/$host/ok"; done
post '/ftl/target/3/slow?ms=300'
read -r seconds < <(curl -s -o /dev/null -w '%{time_total}\n' "http://${hosts[2]}/ftl/probe?data=2048&pulse=1")
check 'a slow target' "$(awk -v s="$seconds" 'BEGIN { print (s >= 0.3) }')" 1
check 'counts' "$(counts '[j["probes"][k] for k in ("recipes", "iter", "pulses")]')" '[7, 5, [2, 4, 3, 0]]'

# --- the log, the bodies, the account at the end ---
check 'kinds' "$(sed -n 's/.*"kind":"\([a-z]*\)".*/\1/p' "$work/log" | sort -u | tr '\n' ' ')" \
    'events log manifest other probe recipe '
check 'bodies' "$(python3 -c 'import json, sys; print(len([json.loads(l)["body"] for l in sys.stdin]))' <"$work/capture")" 19
curl -s "$control/account" >"$work/before"
finish
check 'account in the file' "$(cat "$work/account")" "$(cat "$work/before")"
start --stage --account /nowhere/account
kill "$pid"
wait "$pid"
check 'an account that cannot be written' $? 1
pid=
check 'a reason' "$(grep -c '^cadmium-mockd: /nowhere/account: ' "$work/err")" 1
exit $failed
