#!/bin/sh
# Subtitles without a window, of a title from the mocks: what is dumped is what the document says, in the language
# that was wished for, through changes of language and seeks; none if none are wanted or they are broken.
# usage: subtitles-test.sh PLAYER MOCKD TITLE
set -eu
player=$1
mockd=$2
title=$3
if [ ! -e "$title/text-en.ttml" ]; then
    echo "no title with subtitles in $title"
    exit 77
fi
work=$(mktemp -d)
service=

finish() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    tail -n 20 "$work/out" "$work/err" "$work/dump" 2>/dev/null || true
    exit 1
}

serve() {
    rm -f "$work/ready.json"
    "$mockd" --title-dir "$1" --ready-file "$work/ready.json" --access-log "$work/access" >/dev/null 2>&1 &
    service=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s "$work/ready.json" ] && break
        sleep 0.3
    done
    base=$(sed 's/.*"base":"\([^"]*\)".*/\1/' "$work/ready.json")
}

play() {
    rm -f "$work/dump"
    status=0
    "$player" --no-config --no-store --headless --json-stats --dump-text "$work/dump" "$@" --title 900100 "$base" \
        >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = 0 ] || fail "status $status"
}

# The cues of a document as lines of a dump: ticks of 100 ns, <br/> as \n, no other elements.
cues() {
    sed -n 's/.* begin="\([0-9]*\)t" end="\([0-9]*\)t">\(.*\)<\/p>.*/\1 \2 \3/p' "$1" |
        sed 's/<br\/>/\\n/g; s/<[^>]*>//g' |
        awk '{
            begin = $1; end = $2
            sub(/^[0-9]* [0-9]* /, "")
            printf "%d.%07d00 %d.%07d00 %s\n", begin / 1e7, begin % 1e7, end / 1e7, end % 1e7, $0
        }'
}
cues "$title/text-en.ttml" >"$work/english"
cues "$title/text-de.ttml" >"$work/german"
[ "$(wc -l <"$work/english")" -ge 8 ] || fail 'the document is not understood'

same() {
    cmp -s "$work/$1" "$work/dump" || { diff "$work/$1" "$work/dump" || true; fail "$2"; }
}

serve "$title"
play --fast --subtitles en </dev/null
same english 'English'
grep -q '"event":"track","track":"text","id":"T:en"' "$work/out" || fail 'the track is not told'
grep -q '"event":"end".*"text_track":"T:en"' "$work/out" || fail 'the end does not name the track'
[ "$(grep -c '"kind":"text"' "$work/access")" = 1 ] || fail 'not asked for once'
# Another name of the language; the engine does not know it, and the player asks for the track.
play --fast --subtitles ger </dev/null
tail -n 3 "$work/german" >"$work/want"
tail -n 3 "$work/dump" >"$work/have"
cmp -s "$work/want" "$work/have" || fail 'German by another name'

# None are wanted, or there are none in that language: nothing is asked for.
: >"$work/access"
for wish in off fr; do
    play --fast --subtitles $wish </dev/null
    [ ! -s "$work/dump" ] || fail "$wish: there are some"
done
grep -q -- '--subtitles: no text track is in that language' "$work/err" || fail 'fr: not said'
play --fast </dev/null
[ ! -s "$work/dump" ] || fail 'there are some by themselves'
if grep -q '"kind":"text"' "$work/access"; then fail 'asked for what nobody wants'; fi

# In real time: on at 0, another language, a seek far ahead, off.
{ sleep 4; echo 'track T:de'; sleep 3; echo 'seek 15.6'; sleep 3; echo notext; sleep 1; echo quit; } |
    play --subtitles en
grep -qxF "$(sed -n 1p "$work/english")" "$work/dump" || fail 'no English at first'
grep -qxF "$(sed -n 3p "$work/german")" "$work/dump" || fail 'no German then'
grep -qxF "$(sed -n 7p "$work/german")" "$work/dump" || fail 'nothing after the seek'
if grep -qxF "$(sed -n 6p "$work/german")" "$work/dump"; then fail 'what the seek passed over was told'; fi
grep -v -x -F -f "$work/english" "$work/dump" | grep -v -x -F -f "$work/german" >"$work/strange" || true
[ ! -s "$work/strange" ] || fail "lines of no document: $(cat "$work/strange")"
grep -q '"event":"track","track":"text","id":""' "$work/out" || fail 'off is not told'
grep -q '"event":"end".*"stalls":0' "$work/out" || fail 'it stalled'
kill "$service"

# A document that is none: the title plays, and it is said.
mkdir "$work/broken"
for file in "$title"/*; do
    [ -d "$file" ] || ln -s "$file" "$work/broken/"
done
rm "$work/broken/text-en.ttml"
printf '<tt xmlns="http://www.w3.org/ns/ttml">\n<body><div></body></tt>\n' >"$work/broken/text-en.ttml"
serve "$work/broken"
play --fast --subtitles en </dev/null
[ ! -s "$work/dump" ] || fail 'broken: there are some'
grep -q 'subtitles cannot be read: .*(line 2)' "$work/err" || fail 'broken: not said'
grep -q '"event":"end".*"frames":480' "$work/out" || fail 'broken: it did not play'
echo 'all well'
