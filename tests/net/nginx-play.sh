#!/usr/bin/env bash
# The player against a real server: a title comes over one connection where that speaks HTTP/2; where it
# does not, a second one was ready before it was needed. And from behind redirects of its manifest.
# usage: nginx-play.sh CLIENT PLAY TITLE_DIR
set -u
. "$(dirname "$0")/nginx.bash"
play=$2
title=$3
if [[ ! -s $title/title.mpd ]]; then
    echo 'no DASH title to play'
    exit 77
fi

# In place of the pattern's files: the title, and its manifest under another name.
location() {
    if [[ $1 == slow ]]; then
        echo "location = /here.mpd { return 302 there/once.mpd; }
            location = /there/once.mpd { return 301 https://\$http_host/title/title.mpd?found=1; }
            location = /up.mpd { return 302 http://127.0.0.1:1/title.mpd; }"
    else
        echo "location /title/ { alias $title/; }"
    fi
}

# plays WHAT URL   three seconds of it
plays() {
    : >"$work/access.log"
    "$play" --headless --json-stats --ca "$work/ca.pem" --until 3 "$2" </dev/null >"$work/events" 2>"$work/err"
    check "$1: status" $? 0
    check "$1: first frames" "$(grep -c '"event":"first_frame"' "$work/events")" 1
    check "$1: errors" "$(grep -c '"event":"error"' "$work/events")" 0
}
media() { grep -c ' GET 20[06] .*range=bytes' "$work/access.log"; }
# connection and nth of the requests that sound and picture begin with; headers alone are far smaller
media_begins() {
    grep -E ' GET 206 .*bytes=[0-9]{5,} range=bytes=0-' "$work/access.log" |
        sed 's/^\([0-9]*\) .*nth=\([0-9]*\) .*/\1 \2/'
}
connections_of() { grep " $1 " "$work/access.log" | cut -d' ' -f1 | sort -u | wc -l; }

prepare 127.0.0.1
serve 127.0.0.1
plays 'HTTP/2' "https://127.0.0.1:$port/title/title.mpd"
check 'HTTP/2: connections' "$(connections_of GET)" 1
check_that 'HTTP/2: media' test "$(media)" -ge 4
check 'HTTP/2: of another kind' "$(grep -vc 'version=h2 tls=TLSv1.3' "$work/access.log")" 0
echo "HTTP/2: $(media) ranges on $(connections_of GET) connection"

plays 'HTTP/1.1' "https://127.0.0.1:$((port + 1))/title/title.mpd"
# Sound and picture begin on connections that are there: no handshake in between. (Here the first answer may be
# whole before the second request leaves, which then goes after it.) A third connection may come later, when
# three things are asked for at a time.
check 'HTTP/1.1: HEAD' "$(grep -c ' HEAD 204 .*nth=1 ' "$work/access.log")" 2 # the player has a CDM
check 'HTTP/1.1: first media' "$(media_begins | wc -l)" 2
check 'HTTP/1.1: handshakes' "$(media_begins | grep -c ' 1$')" 0
check_that 'HTTP/1.1: the spare one' test "$(awk '/ HEAD / { spare[$1] } / GET / && $1 in spare { n++ } END { print n + 0 }' \
    "$work/access.log")" -ge 1
check_that 'HTTP/1.1: connections' test "$(connections_of GET)" -le 3
check_that 'HTTP/1.1: media' test "$(media)" -ge 4
echo "HTTP/1.1: $(media) ranges on $(connections_of GET) connections"

plays 'redirects' "https://127.0.0.1:$port/here.mpd"
check 'redirects: followed' "$(grep -cE ' 30[12] ' "$work/access.log")" 2
check_that 'redirects: media' test "$(media)" -ge 4

"$play" --headless --json-stats --ca "$work/ca.pem" "https://127.0.0.1:$port/up.mpd" </dev/null \
    >"$work/events" 2>"$work/err"
check_that 'down from https: status' test $? -ne 0
check_that 'down from https: code' grep -q '"code":"HTTP_REDIRECT"' "$work/events"
unserve
if ((failed)); then cat "$work/events" "$work/err"; fi
finish
