#!/usr/bin/env bash
# DASH titles play to their end, each by its own addressing, and the pictures shown are ffmpeg's, one by one, at
# every rung and over the borders of periods: over HTTP, over HTTPS and from a file. Nothing is fetched twice,
# and a start asks for header and first segment at once.
# usage: play-dash.sh PLAY MOCKD TITLE_DIR
set -u
. "$(dirname "$0")/play.bash"
for program in ffmpeg openssl; do
    if ! command -v $program >/dev/null; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
if [[ ! -s $title/periods/manifest.mpd ]]; then
    echo 'no DASH title to play'
    exit 77
fi

# frames START FROM TO FILE...   "pts_us md5" of the pictures of the files, joined, from FROM up to TO (seconds
# of the media), shifted so that FROM is shown at START.
frames() {
    local start=$1 from=$2 to=$3
    shift 3
    cat "$@" >"$work/joined.mp4"
    ffmpeg -v error -i "$work/joined.mp4" -map v:0 -fps_mode passthrough -f framemd5 - |
        awk -F', *' -v start="$start" -v from="$from" -v to="$to" '
        /^#tb/ { split($1, words, "/"); rate = words[2] }
        !/^#/ && $3 >= from * rate && $3 < to * rate {
            printf "%d %s\n", ($3 / rate - from + start) * 1e6 + 0.5, $6
        }'
}

# same WHAT   the pictures that were shown, against those in $work/expected: times to 2 us.
same() {
    awk '{ printf "%d %s\n", $1 / 1000 + 0.5, $3 }' "$work/frames" >"$work/shown"
    check "$1: pictures" "$(wc -l <"$work/shown")" "$(wc -l <"$work/expected")"
    check "$1: first differences" "$(paste -d' ' "$work/shown" "$work/expected" |
        awk '$2 != $4 || $1 - $3 > 2 || $3 - $1 > 2' | head -n 3)" ''
}

# plays WHAT RUNG OPTION...
plays() {
    local what=$1 rung=$2
    shift 2
    : >"$log"
    run --fast --rung "$rung" --framemd5 "$work/frames" "$@" </dev/null
    check "$what: status" $status 0
    check "$what: ends" "$(events end)" 1
    check "$what: errors" "$(events error)" 0
    same "$what"
    check "$what: rungs" "$(cut -d' ' -f2 "$work/frames" | sort -u | tail -n 1)" "$rung"
}

# once WHAT   no byte of any file was asked for twice.
once() {
    check "$1: fetched twice" "$(grep '"kind":"file"' "$log" | grep -v '\.mpd"' |
        sed 's/.*"asset":"\([^"]*\)".*"first":\([a-z0-9]*\),"last":\([a-z0-9]*\),.*/\1 \2 \3/; s/null/0/; s/null/9999999999/' |
        sort -k1,1 -k2,2n | awk '$1 == asset && $2 <= last { print } { asset = $1; last = $3 }')" ''
    check "$1: refused" "$(grep '"kind":"file"' "$log" | grep -vcE '"status":20[06]')" 0
}

# When the first request for a file $1 was made, ms.
asked() {
    grep "\"asset\":\"$1\"" "$log" | sed 's/.*"t":\([0-9.]*\),.*/\1/' | sort -g | head -n 1 | awk '{ printf "%d", $1 * 1000 }'
}

# at_once WHAT FILE FILE   the requests for both are made within half of what an answer takes.
at_once() {
    local first second
    first=$(asked "$2")
    second=$(asked "$3")
    check_that "$1: $2 and $3 asked for" test -n "$first" -a -n "$second"
    check_that "$1: $2 at $first ms, $3 at $second ms" test $((first > second ? first - second : second - first)) -lt 200
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/tls.key" -out "$work/tls.pem" -days 2 -subj /CN=here \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
rungs=(60 120 240 400)

serve
for rung in 0 1 2 3; do
    frames 0 0 99 "$title/video-${rungs[rung]}.mp4" >"$work/expected"
    plays "index, rung $rung" $rung "$base/files/title.mpd"
    once "index, rung $rung"
done
for kind in number time; do
    mapfile -t files < <(find "$title/$kind" -name '2-*.m4s' | sort -V)
    frames 0 0 99 "$title/$kind/init-2.m4s" "${files[@]}" >"$work/expected"
    plays "$kind" 2 "$base/files/$kind/manifest.mpd"
    once "$kind"
    check "$kind: segments" "$(grep -c "\"asset\":\"$kind/2-" "$log")" 10
done

# Three periods; the one put in has two rungs, so that rung 3 is its rung 1.
for rung in 1 3; do
    mapfile -t a < <(find "$title/periods/a" -name "$rung-*.m4s" | sort -V)
    {
        frames 0 0 6 "$title/periods/a/init-$rung.m4s" "${a[@]}"
        frames 6 0 4 "$title/periods/b/init-1.m4s" "$title"/periods/b/1-*.m4s
        frames 10 6 99 "$title/periods/a/init-$rung.m4s" "${a[@]}"
    } >"$work/expected"
    plays "periods, rung $rung" $rung "$base/files/periods/manifest.mpd"
    once "periods, rung $rung"
done
# Two that meet in mid-segment: no picture is lost or shown twice where they do.
frames 0 0 99 "$title/video-240.mp4" >"$work/expected"
plays 'cut' 2 "$base/files/cut.mpd"

# From a file, by its name and as a URL.
mapfile -t files < <(find "$title/time" -name '1-*.m4s' | sort -V)
frames 0 0 99 "$title/time/init-1.m4s" "${files[@]}" >"$work/expected"
plays 'file name' 1 "$title/time/manifest.mpd"
plays 'file URL' 1 "file://$title/time/manifest.mpd"
unserve

# Signed URLs; every answer takes 400 ms to think about, and what a start needs is asked for together.
serve --think-ms 400
frames 0 0 4 "$title/video-120.mp4" >"$work/expected"
plays 'signed' 1 --until 4 "$base/signed/title.mpd"
check 'signed: refused' "$(counts refused)" 0
at_once 'signed' video-120 audio-en
plays_start() {
    : >"$log"
    run --rung 1 --until 1 "$base/files/$1/manifest.mpd" </dev/null
    check "$1: first frames" "$(events first_frame)" 1
}
plays_start number
at_once number number/init-1.m4s number/1-00001.m4s
at_once number number/init-1.m4s number/init-4.m4s
at_once number number/init-4.m4s number/4-00001.m4s
plays_start time
at_once time time/init-1.m4s time/1-0.m4s
unserve

# HTTPS, in real time.
serve --tls-cert "$work/tls.pem" --tls-key "$work/tls.key"
run --ca "$work/tls.pem" --rung 1 "$base/files/periods/manifest.mpd" </dev/null
check 'HTTPS: status' $status 0
check 'HTTPS: ends' "$(events end)" 1
check 'HTTPS: stalls' "$(field end stalls)" 0
check 'HTTPS: frames' "$(field end frames)" 576
check 'HTTPS: errors' "$(events error)" 0
once 'HTTPS'
unserve
finish
