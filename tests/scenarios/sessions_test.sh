#!/bin/sh
# Sessions drawn from a seed: all that must hold of them holds, on one thread and on two, and one can
# be played again alone. The full run is of 10,000: docs/scenarios.md.
#   sessions_test.sh CADMIUM_SIM
set -eu
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "sessions_test.sh: $1" >&2
    exit 1
}

"$sim" --sessions 60 --seed 11 --jobs 2 >"$work/two" || { cat "$work/two"; fail "something broke"; }
"$sim" --sessions 60 --seed 11 --jobs 1 >"$work/one" || fail "something broke on one thread"
cmp -s "$work/one" "$work/two" || { diff "$work/one" "$work/two"; fail "threads make a difference"; }
grep -q '^broken 0$' "$work/one" || fail "what broke is not told"
grep -q 'delayed 0$' "$work/one" || fail "something was delayed"

# The account names what there was: killed, protected, told, probed, compared.
for word in 'killed and begun again [1-9]' 'protected [1-9]' 'licences [1-9]' 'documents of text [1-9]' \
        'targets probed [1-9]' 'made [1-9][0-9]*, at the service [1-9]' 'compared [^0]* [1-9]' 'played back [1-9]'; do
    grep -q "$word" "$work/one" || { cat "$work/one"; fail "nothing of: $word"; }
done
made=$(sed -n 's/^events of record: made \([0-9]*\), .*/\1/p' "$work/one")
held=$(sed -n 's/^events of record: .* at the service \([0-9]*\), .*/\1/p' "$work/one")
[ "$made" = "$held" ] || fail "made $made events, the service has $held"

"$sim" --sessions 60 --seed 11 --only 3 --log "$work/a" >/dev/null
"$sim" --sessions 60 --seed 11 --only 3 --log "$work/b" >/dev/null
cmp -s "$work/a" "$work/b" || fail "the same session was not the same"
grep -q 'service: events/start' "$work/a" || fail "the log does not tell what the service holds"

for wrong in '--sessions 0' '--sessions 5 --only 6' '--sessions 5 --tap' '--jobs 2' \
        '--sessions 5 --jobs 65' "--sessions 5 --log $work/c"; do
    status=0
    # shellcheck disable=SC2086
    "$sim" $wrong >/dev/null 2>&1 || status=$?
    [ "$status" = 2 ] || fail "\"$wrong\" was answered $status, not 2"
done
echo "sessions_test.sh: $made events of 60 sessions, each once"
