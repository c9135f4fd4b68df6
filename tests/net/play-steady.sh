#!/usr/bin/env bash
# A whole title in real time at one rung: two byte-range streams, without a gap, each byte once. Then with
# switching: still no byte twice, and a seek inside the buffer fetches nothing.
# usage: play-steady.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"

# asset first last of every range, in order of assets and bytes
ranges() {
    grep '"kind":"range"' "$log" |
        sed 's/.*"asset":"\([^"]*\)".*"first":\([0-9]*\),"last":\([0-9]*\),"status":\([0-9]*\),.*/\1 \2 \3 \4/' |
        sort -k1,1 -k2,2n
}

serve
before=$(date +%s%N)
run --rung 2 --title 900100 "$base" </dev/null
seconds=$((($(date +%s%N) - before) / 1000000000))
check 'status' $status 0
check 'ends' "$(events end)" 1
check 'first frames' "$(events first_frame)" 1
check 'stalls' "$(field end stalls)" 0
check 'errors' "$(events error)" 0
check_that 'real time' test $seconds -ge 19 -a $seconds -le 23

check 'refused' "$(ranges | awk '$4 != 200' | wc -l)" 0
twice() { ranges | awk '$1 == asset && $2 <= last { print } { asset = $1; last = $3 }'; }
check 'bytes fetched twice' "$(twice)" ''
for asset in audio-en "$(ranges | awk '/^video/ { n[$1]++ } END { for (a in n) if (n[a] > m) { m = n[a]; b = a } print b }')"; do
    size=$(stat -c %s "$title/$asset.mp4")
    check "gaps in $asset" "$(ranges | awk -v a="$asset" '$1 == a { if ($2 != next_byte) print; next_byte = $3 + 1 }')" ''
    check "end of $asset" "$(ranges | awk -v a="$asset" '$1 == a { last = $3 } END { print last + 1 }')" "$size"
done
echo "$(ranges | wc -l) ranges, $(ranges | awk '{ n += $3 - $2 + 1 } END { print n }') bytes, played $seconds s"

# Twice through the buffer: back, and nearly to the end.
: >"$log"
# There before tail looks for it, which may be sooner than the commands begin.
: >"$work/commands"
mark=0
{
    sleep 3
    mark=$(grep -c "kind\":\"range" "$log")
    echo 'seek 1'
    sleep 1
    echo 'seek 18.5'
    sleep 3
    check 'ranges of a seek inside the buffer' "$(grep -c "kind\":\"range" "$log")" "$mark"
    exit $failed
} >>"$work/commands" &
commands=$!
tail -f "$work/commands" --pid=$commands | run --title 900100 "$base"
wait $commands || failed=1
check 'seeks' "$(grep -c '"event":"seek_done"' "$work/events")" 2
check 'ends after seeks' "$(events end)" 1
check 'bytes fetched twice with seeks' "$(twice)" ''
unserve
finish
