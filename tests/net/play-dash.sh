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

# once WHAT [PATTERN]   no byte of any file was asked for twice, but those of files that the pattern names.
once() {
    check "$1: fetched twice" "$(grep '"kind":"file"' "$log" | grep -vE "[.]mpd\"${2:+|$2}" |
        sed 's/.*"asset":"\([^"]*\)".*"first":\([a-z0-9]*\),"last":\([a-z0-9]*\),.*/\1 \2 \3/; s/null/0/; s/null/9999999999/' |
        sort -k1,1 -k2,2n | awk '$1 == asset && $2 <= last { print } { asset = $1; last = $3 }')" ''
    check "$1: refused" "$(grep '"kind":"file"' "$log" | grep -v '"method":"HEAD"' | grep -vcE '"status":20[06]')" 0
}

# at_once FILE FILE   the player asks for the second before the first has come.
at_once() {
    local id first second
    id=$(grep -m1 "net: start .*$1\$" "$work/log" | sed 's/.* id=\([0-9]*\) .*/\1/')
    first=$(grep -n -m1 "net: end id=$id " "$work/log" | cut -d: -f1)
    second=$(grep -n -m1 "net: start .*$2\$" "$work/log" | cut -d: -f1)
    check_that "$1 and $2 asked for" test -n "$first" -a -n "$second"
    check_that "$2 is asked for in line $second, $1 is there in line $first" test "$second" -lt "$first"
}

# HTTP/2: nginx with the title's folder on a port that is free: $h2.
serve_h2() {
    local nginx tries port
    nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx) || return 1
    ln -s "$title" "$work/files"
    for ((tries = 0; tries < 10; tries++)); do
        port=$((20000 + RANDOM % 20000))
        cat >"$work/nginx.conf" <<TEXT
daemon off; worker_processes 1; user $(id -un); pid $work/nginx.pid; error_log $work/error.log;
events { worker_connections 256; }
http {
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4; scgi_temp_path $work/t5; access_log off;
    types { application/dash+xml mpd; video/mp4 mp4; }
    ssl_certificate $work/tls.pem; ssl_certificate_key $work/tls.key;
    server { listen 127.0.0.1:$port ssl http2; location /files/ { alias $work/files/; } }
}
TEXT
        "$nginx" -p "$work" -e "$work/error.log" -c "$work/nginx.conf" >"$work/nginx.out" 2>&1 &
        server=$!
        h2=https://127.0.0.1:$port
        if curl -s -o "$work/nginx.out" --retry 20 --retry-delay 0 --retry-connrefused -m 5 --cacert "$work/tls.pem" \
            "$h2/files/title.mpd"; then return 0; fi
        kill $server 2>/dev/null
        wait $server
        server=
    done
    return 1
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
    # What a third period goes on with is asked for anew: its initialisation, and the sound that spans the border.
    once "periods, rung $rung" 'a/(init-|4-00004)'
done
# From the middle of the second, over the next border.
awk '$1 >= 7500000 && $1 < 11000000' "$work/expected" >"$work/part"
mv "$work/part" "$work/expected"
plays 'periods, from the second' 3 --seek 7.5 --until 11 "$base/files/periods/manifest.mpd"

# Two that meet in mid-segment: no picture is lost or shown twice where they do.
frames 0 0 99 "$title/video-240.mp4" >"$work/expected"
plays 'cut' 2 "$base/files/cut.mpd"

# From a file, by its name and as a URL.
mapfile -t files < <(find "$title/time" -name '1-*.m4s' | sort -V)
frames 0 0 99 "$title/time/init-1.m4s" "${files[@]}" >"$work/expected"
plays 'file name' 1 "$title/time/manifest.mpd"
plays 'file URL' 1 "file://$title/time/manifest.mpd"
unserve

# Signed URLs: header and first media of a file are one request.
serve
frames 0 0 4 "$title/video-120.mp4" >"$work/expected"
plays 'signed' 1 --until 4 "$base/signed/title.mpd"
check 'signed: refused' "$(counts refused)" 0
check 'signed: requests for the start' "$(grep '"asset":"video-120"' "$log" | grep -c '"first":0,')" 1
# The first of several base URLs is gone in mid-play.
(
    sleep 3
    curl -sS -m 10 -X POST "$control/host/1/close" >"$work/closed"
) &
run --rung 1 --buffer-s 4 --until 10 "$base/signed/title.mpd" </dev/null
wait $!
check 'another base URL: status' $status 0
check 'another base URL: stalls' "$(field end stalls)" 0
check 'another base URL: server' "$(field server id)" mock2
unserve

# On HTTP/2 header and first segment are asked for together, of pictures and of sound.
if serve_h2; then
    for kind in number time; do
        mapfile -t files < <(find "$title/$kind" -name '1-*.m4s' | sort -V)
        frames 0 0 99 "$title/$kind/init-1.m4s" "${files[@]}" >"$work/expected"
        plays "$kind, HTTP/2" 1 --ca "$work/tls.pem" "$h2/files/$kind/manifest.mpd"
        for id in 1 4; do
            at_once "$kind/init-$id.m4s" "$kind/$(basename "$(find "$title/$kind" -name "$id-*.m4s" | sort -V | head -n 1)")"
        done
    done
    unserve
else
    echo 'without HTTP/2: nginx is missing (scripts/install-deps.sh test)'
fi

# HTTPS, in real time.
serve --tls-cert "$work/tls.pem" --tls-key "$work/tls.key"
run --ca "$work/tls.pem" --rung 1 "$base/files/periods/manifest.mpd" </dev/null
check 'HTTPS: status' $status 0
check 'HTTPS: ends' "$(events end)" 1
check 'HTTPS: stalls' "$(field end stalls)" 0
check 'HTTPS: frames' "$(field end frames)" 576
check 'HTTPS: errors' "$(events error)" 0
once 'HTTPS' 'a/(init-|4-00004)'
unserve
finish
