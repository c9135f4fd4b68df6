# What the play-*.sh tests share: a mock server, cadmium-play beside it, and questions to what they wrote.
# usage: . play.bash PLAY MOCKD TITLE_DIR
play=$1
mockd=$2
title=$3
failed=0
server=

if [[ ! -s $title/manifest.json ]]; then
    echo 'no title to play'
    exit 77
fi
for program in curl awk; do
    if ! command -v $program >/dev/null; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
work=$(mktemp -d)
log=$work/access.jsonl
export no_proxy='*' NO_PROXY='*'

stop() {
    if [[ -n $server ]]; then kill "$server" 2>/dev/null; fi
    rm -rf "$work"
}
trap stop EXIT

check() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED $1: '$2', not '$3'"
        failed=1
    fi
}

# check_that WHAT CONDITION...   a condition of [[ or (( as a command
check_that() {
    local what=$1
    shift
    if ! "$@"; then
        echo "FAILED $what: $*"
        failed=1
    fi
}

# Starts the mocks with the options given: $base, $control.
serve() {
    rm -f "$work/ready.json"
    "$mockd" --title-dir "$title" --ready-file "$work/ready.json" --access-log "$log" "$@" \
        >"$work/mockd.out" 2>&1 &
    server=$!
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        if [[ -s $work/ready.json ]]; then break; fi
        sleep 0.05
    done
    if [[ ! -s $work/ready.json ]]; then
        echo 'the mocks did not start'
        cat "$work/mockd.out"
        exit 1
    fi
    base=$(sed -n 's/.*"base":"\([^"]*\)".*/\1/p' "$work/ready.json")
    control=$(sed -n 's/.*"control":"\([^"]*\)".*/\1/p' "$work/ready.json")
}

unserve() {
    kill "$server"
    wait "$server"
    server=
}

control() { check "POST $1" "$(curl -sS -m 10 -X POST "$control$1")" '{"ok":true}'; }
counts() { curl -sS -m 10 "$control/counts" | grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d: -f2; }

# Plays headless with the options given and commands from standard input: $status, $work/events.
run() {
    "$play" --headless --json-stats --log "$work/log" --log-level trace "$@" >"$work/events" 2>"$work/err"
    status=$?
}

events() { grep -c "\"event\":\"$1\"" "$work/events"; }
# The value of field $2 in the last event $1.
field() { grep "\"event\":\"$1\"" "$work/events" | tail -n 1 | sed -n "s/.*\"$2\":\"\{0,1\}\([^,}\"]*\).*/\1/p"; }

# After a failure: all there is to see.
finish() {
    if ((failed)); then
        cat "$work/events" "$work/err"
        tail -n 40 "$work/log"
    fi
    exit $failed
}
