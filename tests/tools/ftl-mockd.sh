#!/usr/bin/env bash
# Goal: cadmium-ftl runs the race over cadmium-mockd's hosts: links of different latency decide it, targets that are
# told to fail are called by their fault, and without a usable recipe there is no race.
# Times are compared with wide margins: a machine that is busy only adds to them.
# usage: ftl-mockd.sh CADMIUM-FTL CADMIUM-MOCKD DATA-FOLDER
set -eu
ftl=$1
mockd=$2
data=$3
command -v curl >/dev/null && command -v python3 >/dev/null || {
    echo "SKIP: no curl or no python3"
    exit 77
}
export no_proxy='*' NO_PROXY='*'
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

die() {
    echo "ftl-mockd: $1"
    cat "$work/out" "$work/err" 2>/dev/null
    exit 1
}

"$mockd" --stage --hosts 4 --ready-file "$work/ready" >/dev/null &
server=$!
for _ in $(seq 100); do
    [ -s "$work/ready" ] && break
    sleep 0.1
done
recipe=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready")/ftl/recipe
control=$(sed 's/.*"control":"\([^"]*\)".*/\1/' "$work/ready")

# post PATH [BODY-FILE]: a command that is obeyed
post() {
    curl -sf -X POST --data-binary "@${2-/dev/null}" "$control$1" >/dev/null || die "refused: $1"
}
# ends STATUS ARGUMENT...: output in out and err
ends() {
    local want=$1 got=0
    shift
    "$ftl" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || die "status $got, not $want: $*"
}
# that EXPRESSION: a Python expression over j, the object in out, and pulses, the lists by name
that() {
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
pulses = {t["name"]: t["pulses"] for t in j["targets"]}
report = {t["name"]: t["data"] for t in j["report"]["data"]}
sys.exit(not eval(sys.argv[2]))' "$work/out" "$1" || die "not true: $1"
}

# Of four hosts the latencies are 400, 40, 220 and 80 ms.
post '/stage/title?duration_ms=20000' "$data/ladder-small.json"
host=0
for ms in 400 40 220 80; do
    host=$((host + 1))
    echo "1000 20000 $ms" >"$work/trace"
    post "/stage/link/$host" "$work/trace"
    post "/host/$host/link?link=$host"
done
post /stage/start
post '/ftl/recipe/plan?delays=0,100&pulses=2&timeout_ms=2500'

# A table for people.
ends 0 "$recipe"
grep -q '^race: cdn:12 ' "$work/out" || die 'the nearest host has not won'

# The same as an object: the far ones are out of the race's window, but have their figures.
ends 0 --json "$recipe"
that 'j["race"][0] == "cdn:12"'
that '"cdn:11" not in j["race"] and j["dropped"] == 0'
that 'list(pulses) == ["cdn:11", "cdn:12", "cdn:21", "cdn:22"]'
that 'all(p["ok"] and p["bytes"] == 5120 and p["status"] == 200 for t in pulses.values() for p in t)'
that 'all(not t[0]["warm"] and t[1]["warm"] for t in pulses.values())'
that 'pulses["cdn:11"][0]["ttfb_us"] >= 800000 and 400000 <= pulses["cdn:11"][1]["ttfb_us"]'
that 'pulses["cdn:12"][1]["ttfb_us"] < pulses["cdn:21"][1]["ttfb_us"] < pulses["cdn:11"][1]["ttfb_us"]'
that 'all(p["sc"] == 200 and p["sz"] == 5120 for t in report.values() for p in t)'
curl -sf "$control/counts" >"$work/counts"
python3 -c 'import json, sys
p = json.load(open(sys.argv[1]))["probes"]
sys.exit(not (p["recipes"] == 2 and p["pulses"] == [4, 4, 4, 4] and p["bad"] == 0))' "$work/counts" ||
    die "the service saw $(cat "$work/counts")"

# Each fault by its name. The host that is dead never answers: status 3.
post '/ftl/target/1/dead'
post '/ftl/target/2/short?bytes=1&pulse=1'
post '/ftl/target/3/status?code=503&pulse=2'
post '/ftl/target/4/slow?ms=600'
ends 3 --json --timeout 1500 "$recipe"
that '[p["ok"] for p in pulses["cdn:11"]] == [False, False]'
that '[d.get("ec") for d in report["cdn:11"]] == ["timeout", "timeout"]'
that '[d.get("ec") for d in report["cdn:12"]] == ["size", None]'
that '[(d["sc"], d.get("ec")) for d in report["cdn:21"]] == [(200, None), (503, "http")]'
that 'all(p["ok"] and p["ttfb_us"] >= 640000 for p in pulses["cdn:22"])'
that 'j["race"][0] == "cdn:21"'

# A connection that breaks, a page of somebody else, a host that is closed.
for host in 1 2 3 4; do post "/ftl/target/$host/ok"; done
post '/ftl/target/1/reset'
post '/ftl/target/2/portal'
post '/host/3/close'
ends 3 --json "$recipe"
that '[d["ec"] for d in report["cdn:11"]] == ["reset", "reset"]'
that '[(d["sc"], d["ec"]) for d in report["cdn:12"]] == [(200, "size"), (200, "size")]'
that '[d["ec"] for d in report["cdn:21"]] == ["connect", "connect"]'
that 'j["race"] == ["cdn:22"]'

# No recipe.
post '/ftl/recipe/status?code=503'
ends 2 "$recipe"
grep -q '"status":503' "$work/err" || die 'the refusal is not told'
post '/ftl/recipe/garbage'
ends 2 "$recipe"
post '/ftl/recipe/plan?pulses=0'
post '/ftl/recipe/ok'
ends 2 "$recipe"
post '/ftl/recipe/plan?delays=0,-1'
ends 2 "$recipe"
post '/ftl/recipe/plan?pulses=1'
post '/ftl/recipe/slow?ms=5500'
ends 2 "$recipe"
grep -q 'timeout' "$work/err" || die 'the late recipe is not told'
