#!/bin/sh
# The help, the manual page and the configuration file of cadmium-play name the same options.
# usage: manual-test.sh PLAYER MANUAL
set -eu
player=$1
manual=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=

fail() {
    echo "FAILED: $*"
    failed=yes
}

same() {
    if ! diff "$work/$1" "$work/$2" >"$work/diff"; then
        fail "$3"
        cat "$work/diff"
    fi
}

# Options in the help are at the beginning of a line.
"$player" --help | sed -n 's/^  --\([a-z][a-z0-9-]*\).*/\1/p' | LC_ALL=C sort >"$work/help"
# The text of the page names options again: only what stands below .TP is an entry.
awk 'tag && /^\.BI? \\-\\-[a-z]/ { print } { tag = /^\.TP/ }' "$manual" |
    sed 's/^\.BI* \\-\\-//; s/\\-/-/g; s/[^a-z0-9-].*//' | LC_ALL=C sort >"$work/page"
[ -s "$work/help" ] || fail "no options in the help"
same help page "help (<) and manual page (>) differ"

# What may stand in a file is everything but what the page says is for the command line.
"$player" --no-config --print-config >"$work/conf"
sed -n 's/^#* *\([a-z0-9-]*\) =.*/\1/p' "$work/conf" | LC_ALL=C sort >"$work/keys"
tr '\n' ' ' <"$manual" | sed 's/.*one run only (\([^)]*\)).*/\1/; s/\\-/-/g; s/, */ /g' | tr ' ' '\n' |
    LC_ALL=C sort >"$work/line"
LC_ALL=C comm -23 "$work/help" "$work/line" >"$work/want"
same want keys "what may stand in a file: by the page (<), by --print-config (>)"

# It reads what it prints, and says the same again; what is wrong is told with its line.
"$player" --config "$work/conf" --print-config >"$work/again" || fail "its own configuration is refused"
same conf again "a configuration does not survive a round"
printf 'volume = 30\n\nspeed = 9\n' >"$work/bad"
status=0
"$player" --config "$work/bad" film.mp4 2>"$work/err" || status=$?
[ "$status" = 2 ] || fail "a bad configuration: status $status"
grep -q "$work/bad:3: --speed wants" "$work/err" || fail "no file and line: $(cat "$work/err")"
# The usual place; the command line wins.
mkdir -p "$work/home/.config/cadmium" "$work/xdg/cadmium"
echo 'volume = 11' >"$work/home/.config/cadmium/play.conf"
echo 'volume = 22' >"$work/xdg/cadmium/play.conf"
value() {
    sed -n 's/^volume = //p'
}
[ "$(HOME=$work/home XDG_CONFIG_HOME='' "$player" --print-config | value)" = 11 ] || fail "HOME"
[ "$(HOME=$work/home XDG_CONFIG_HOME=$work/xdg "$player" --print-config | value)" = 22 ] || fail "XDG"
[ "$(XDG_CONFIG_HOME=$work/xdg "$player" --print-config --volume 33 | value)" = 33 ] || fail "who wins"

# The page is sound roff.
if command -v groff >/dev/null 2>&1; then
    groff -man -Tutf8 -ww "$manual" >/dev/null 2>"$work/groff" || fail "groff"
    if [ -s "$work/groff" ]; then fail "groff: $(cat "$work/groff")"; fi
fi
if command -v mandoc >/dev/null 2>&1; then
    mandoc -T lint -W warning "$manual" >"$work/mandoc" || fail "mandoc: $(cat "$work/mandoc")"
fi
[ -z "$failed" ] || exit 1
echo "$(wc -l <"$work/help") options"
