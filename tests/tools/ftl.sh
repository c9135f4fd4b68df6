#!/usr/bin/env bash
# Goal: cadmium-ftl against real sockets: who wins, what each fault is called, what the servers were asked, the
# statuses it ends with, and that its manual names every option.
# usage: ftl.sh CADMIUM-FTL SERVER.PY MANUAL
set -eu
ftl=$1
server_py=$2
manual=$3
command -v python3 >/dev/null || {
    echo "SKIP: no python3"
    exit 77
}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

die() {
    echo "ftl: $1"
    exit 1
}

python3 "$server_py" "$work/ready" &
server=$!
for _ in $(seq 100); do
    [ -s "$work/ready" ] && break
    sleep 0.1
done
[ -s "$work/ready" ] || die "the server did not start"
url_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready" "$1"; }
service=$(url_of service)

# ends STATUS ARGUMENT...: output in out and err
ends() {
    local want=$1 got=0
    shift
    "$ftl" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || { cat "$work/out" "$work/err"; die "status $got, not $want: $*"; }
}

# Statuses and usage.
ends 0 --help
for option in $(grep -o -e '--[a-z-]*' "$work/out" | sort -u); do
    grep -q -e "$(printf '%s' "$option" | sed 's/-/\\\\-/g')" "$manual" || die "the manual does not know $option"
done
ends 0 --version
ends 1
ends 1 --pulses 11 "$service/good"
ends 1 --timeout 99 "$service/good"
ends 1 --nonsense x "$service/good"
ends 1 "$service/good" more
ends 1 file:///etc/passwd
ends 1 --targets nonsense
ends 1 --targets "a=ftp://127.0.0.1/"
ends 2 "$service/nothing"
grep -q '"status":404' "$work/err" || die "the refusal is not told"
ends 2 "$service/bad"
ends 2 "http://127.0.0.1:1/"

# A table: two targets that answer; the fast one wins, the slow one is out of its window.
ends 0 "$service/good"
[ "$(grep -c '^fast .* 200 *5120 *ok' "$work/out")" -eq 3 ] || { cat "$work/out"; die "not three good pulses"; }
[ "$(grep -c 'ok, warm$' "$work/out")" -eq 4 ] || { cat "$work/out"; die "connections were not used again"; }
grep -q '^race: fast ' "$work/out" || die "fast did not win"

# JSON: every fault by its name, and nothing that a terminal obeys.
ends 3 --json "$service/all"
LC_ALL=C grep -q $'\xe2\x80\xae' "$work/out" && die "a control of writing direction came through"
python3 - "$work/out" <<'END' || { cat "$work/out"; die "the JSON is not what was measured"; }
import json, sys
d = json.load(open(sys.argv[1]))
t = {x["name"]: x for x in d["targets"]}
assert d["race"][0] == "fast", d["race"]
want = {"fast": None, "slow": None, "short": "size", "long": "size", "moved": "http", "hole": "timeout"}
for name, error in want.items():
    assert len(t[name]["pulses"]) == 3, name
    for p in t[name]["pulses"]:
        assert p.get("error") == error, (name, p)
assert t["fast"]["pulses"][0]["warm"] is False and t["fast"]["pulses"][1]["warm"] is True
assert all(p["bytes"] <= 65536 for p in t["long"]["pulses"])
assert all(p["status"] == 302 for p in t["moved"]["pulses"])
assert all(600000 <= p["total_us"] <= 1500000 for p in t["hole"]["pulses"])
assert t["slow"]["score"]["latency_us"] >= 100000 > t["fast"]["score"]["latency_us"]
assert t["slow"]["score"]["cost_us"] > t["fast"]["score"]["cost_us"]
assert "cost_us" not in t["hole"]["score"]
r = d["report"]
assert r["iter"] == 0 and r["ctx"]["ip"] == "192.0.2.9"
assert [x["name"] for x in r["data"]] == list(want)
END

# Targets of one's own; fewer pulses; a shorter time.
ends 0 --json --pulses 1 --targets "a=$(url_of fast)/ftl/probe?data=5120,b=$(url_of slow)/p?data=5120"
ends 3 --json --pulses 1 --timeout 200 --targets "h=$(url_of hole)/p"

python3 - "$service" <<'END' || die "the servers were asked for something else"
import json, sys, urllib.request
counts = json.load(urllib.request.urlopen(sys.argv[1] + "/counts"))
assert counts["bad"] == [], counts["bad"]
assert counts["recipes"] == 2 and counts["iter"] == ["0", "0"], counts
assert counts["connections"]["fast"] == 3, counts["connections"]
END
echo "recipes, faults, statuses and manual: as they should be"
