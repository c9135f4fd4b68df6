#!/bin/sh
# Goal: cadmium-ttml draws a document at a time into each of its formats, says where the words are, and
# ends as its manual says.
# usage: ttml.sh CADMIUM-TTML
set -eu
ttml=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
    echo "ttml: $1"
    exit 1
}

ends() {
    want=$1
    shift
    status=0
    "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = "$want" ] || die "exit status $status, not $want: $*: $(cat "$work/err")"
}

cat >"$work/a.ttml" <<'TTML'
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" xml:lang="en">
<head><layout><region xml:id="r" tts:origin="25% 50%" tts:extent="50% 25%" tts:backgroundColor="red"
tts:showBackground="whenActive"/></layout></head>
<body region="r"><div><p begin="10s" end="20s">Two words</p></div></body></tt>
TTML

status=0
"$ttml" render --time 12 --size 64x32 --words --out "$work/a.pam" "$work/a.ttml" >"$work/words" 2>"$work/err" ||
    status=$?
if [ "$status" = 3 ] && grep -q '^cadmium-ttml: fonts: ' "$work/err"; then
    echo "SKIP: $(cat "$work/err")"
    exit 77
fi
[ "$status" = 0 ] || die "exit status $status: $(cat "$work/err")"
grep -qE '^16 16 [0-9]+ [0-9]+ Two$' "$work/words" || die "words: $(cat "$work/words")"
[ "$(wc -l <"$work/words")" = 2 ] || die "not two words"

# 64 x 32 pixels of four bytes; at 17, 23 the region's red, at 1, 1 nothing.
size=$(wc -c <"$work/a.pam")
head=$((size - 64 * 32 * 4))
[ "$(head -c "$head" "$work/a.pam" | tail -n 1)" = ENDHDR ] || die "the PAM's head is not as long as it should be"
pixel() {
    tail -c +$((head + 1 + ($2 * 64 + $1) * 4)) "$work/a.pam" | head -c 4 | od -An -tx1 | tr -d ' '
}
[ "$(pixel 17 23)" = ff0000ff ] || die "in the region: $(pixel 17 23)"
[ "$(pixel 1 1)" = 00000000 ] || die "outside of it: $(pixel 1 1)"

ends 0 "$ttml" render --time 00:00:12.5 --size 64x32 --out "$work/a.ppm" "$work/a.ttml"
[ "$(wc -c <"$work/a.ppm")" = $((13 + 64 * 32 * 3)) ] || die "the PPM is $(wc -c <"$work/a.ppm") bytes"
ends 0 "$ttml" render --time 12 --size 64x32 --out "$work/a.png" "$work/a.ttml"
if command -v convert >/dev/null; then
    convert "$work/a.png" "$work/b.pam"
    convert "$work/a.pam" "$work/c.pam"
    cmp "$work/b.pam" "$work/c.pam" || die "PNG and PAM differ"
fi

# Before the cue there is nothing.
ends 0 "$ttml" render --time 9.999 --size 64x32 --words --out "$work/a.pam" "$work/a.ttml"
[ ! -s "$work/out" ] || die "words before the cue"
[ "$(tail -c 8192 "$work/a.pam" | tr -d '\0' | wc -c)" = 0 ] || die "ink before the cue"

ends 1 "$ttml" render --time 12 --size 64x32 "$work/a.ttml"
ends 1 "$ttml" render --time 12 --size 0x32 --out "$work/a.png" "$work/a.ttml"
ends 1 "$ttml" render --time x --size 64x32 --out "$work/a.png" "$work/a.ttml"
ends 1 "$ttml" render --time 12 --size 64x32 --out "$work/a.gif" "$work/a.ttml"
ends 1 "$ttml" render --time 12 --size 64x32 --text-size 5 --out "$work/a.png" "$work/a.ttml"
echo '<tt' >"$work/broken"
ends 2 "$ttml" render --time 12 --size 64x32 --out "$work/a.png" "$work/broken"
ends 0 "$ttml" dump --json "$work/broken"
ends 3 "$ttml" render --time 12 --size 64x32 --out "$work/a.png" "$work/missing"
ends 3 "$ttml" render --time 12 --size 64x32 --out "$work/no/a.png" "$work/a.ttml"
ends 3 "$ttml" render --time 12 --size 64x32 --fonts "$work" --out "$work/a.png" "$work/a.ttml"
