#!/bin/sh
# Goal: cadmium-manifest's exit statuses and streams: a dump or one line on standard error, never both.
# usage: tool_test.sh CADMIUM_MANIFEST GOLDEN_DIR
set -u
tool=$1
golden=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME STATUS ARGS...: standard input is $work/in.
check() {
    name=$1
    expected=$2
    shift 2
    "$tool" "$@" <"$work/in" >"$work/out" 2>"$work/err"
    status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "$name: status $status, expected $expected"
        failed=1
    fi
    if [ "$status" -eq 0 ] && { [ ! -s "$work/out" ] || [ -s "$work/err" ]; }; then
        echo "$name: a good run writes to standard output alone"
        failed=1
    fi
    if [ "$status" -eq 2 ] && { [ -s "$work/out" ] || [ "$(wc -l <"$work/err")" -ne 1 ]; }; then
        echo "$name: a refused document is one line on standard error"
        failed=1
    fi
    if [ "$status" -ne 0 ] && [ ! -s "$work/err" ]; then
        echo "$name: says nothing"
        failed=1
    fi
}

: >"$work/in"
for name in example-a example-b two-servers odd-values; do
    check "$name" 0 dump --json --base-url https://svc.test/manifest --now 1772324400000 \
        "$golden/$name.json"
    cmp "$work/out" "$golden/$name.dump.json" || failed=1
done
check dash 0 dump --json --base-url https://svc.test/manifest --now 1772324400000 "$golden/dash.mpd"
cmp "$work/out" "$golden/dash.dump.json" || failed=1
check clock 0 dump --json "$golden/example-b.json"
check help 0 --help
check version 0 --version
check nothing 1
check "no file" 1 dump --json
check "no format" 1 dump "$golden/example-b.json"
check "unknown option" 1 dump --json --what "$golden/example-b.json"
check "bad now" 1 dump --json --now 12x "$golden/example-b.json"
check "two files" 1 dump --json "$golden/example-a.json" "$golden/example-b.json"
check "absent file" 3 dump --json "$work/absent"
check "a folder" 3 dump --json "$work"

refuse() {
    printf '%s' "$2" >"$work/in"
    check "$1" 2 dump --json -
    case $(cat "$work/err") in
    "cadmium-manifest: -:$3: $4: "*) ;;
    *)
        echo "$1: $(cat "$work/err")"
        failed=1
        ;;
    esac
}
refuse empty "" 0 json
refuse broken '{"a":
}' 2 json
refuse dash "<MPD/>" 1 period
refuse hls "#EXTM3U" 0 unsupported
refuse "nothing in it" "{}" 0 json
refuse deep '[[[[' 0 json
cp "$golden/example-a.json" "$work/in"
check "standard input" 0 dump --json -
exit $failed
