# What the mockd-*-test.sh share: how cadmium-mockd is started, asked and ended.
# usage: . mockd.bash MOCKD PROGRAM...    skips the test where one of these programs is missing
mockd=$1
shift
failed=0
pid=

for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
work=$(mktemp -d)
export no_proxy='*' NO_PROXY='*'

stop() {
    if [[ -n $pid ]]; then kill "$pid" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT

# A folder with a title, or there is nothing to test.
want_title() {
    if [[ ! -s $1/manifest.json ]]; then
        echo 'no title to serve'
        exit 77
    fi
}

check() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED $1: '$2', not '$3'"
        failed=1
    fi
}

# start OPTION...   $pid, $base, $control, $hosts; what it says is in $work/out and $work/err
start() {
    rm -f "$work/ready.json"
    "$mockd" --ready-file "$work/ready.json" "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        if [[ -s $work/ready.json ]]; then break; fi
        if ! kill -0 $pid 2>/dev/null; then break; fi
        sleep 0.05
    done
    if [[ ! -s $work/ready.json ]]; then
        echo "FAILED: $* did not start"
        cat "$work/err"
        exit 1
    fi
    base=$(sed -n 's/.*"base":"\([^"]*\)".*/\1/p' "$work/ready.json")
    control=$(sed -n 's/.*"control":"\([^"]*\)".*/\1/p' "$work/ready.json")
    mapfile -t hosts < <(sed 's/.*"hosts":\[\([^]]*\)\].*/\1/; s/"//g' "$work/ready.json" | tr ',' '\n')
}

# A clean end, whatever is in flight, and within a short time.
finish() {
    local before=$SECONDS
    kill "$pid"
    wait "$pid"
    check 'exit status' $? 0
    if ((SECONDS - before > 5)); then
        echo "FAILED: stopping took $((SECONDS - before)) s"
        failed=1
    fi
    check 'said on standard error' "$(cat "$work/err")" ''
    pid=
}

# post PATH [BODY-FILE]   a command that is obeyed
post() { check "POST $1" "$(curl -sS -m 20 -X POST ${2:+--data-binary "@$2"} "$control$1")" '{"ok":true}'; }
