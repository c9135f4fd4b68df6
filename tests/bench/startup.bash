# A start over an emulated path, measured: what startup.sh and the tests net/startup-* share. One TLS 1.3 origin at
# an address that only the other end of the path has: cadmium-mockd on HTTP/1.1, nginx on HTTP/2.
# usage: . startup.bash    with $mockd, $nginx (may be empty), $title, $linkemu and give_up MESSAGE
address=100.64.0.1
port=8443

# In a network namespace of its own: a folder, $all, that goes at the end, and with it the servers; files are written
# in $work, which is the folder or one in it.
settle() {
    ip link set lo up
    all=$(mktemp -d)
    work=$all
    servers=()
    trap stop EXIT
}

stop() {
    if ((${#servers[@]})); then kill "${servers[@]}" 2>/dev/null; fi
    wait
    rm -rf "$all"
}

# The emulator may be given as its source.
build_linkemu() {
    if [[ $linkemu == *.c ]]; then
        "${CC:-cc}" -O2 -o "$work/linkemu" "$linkemu" -lm -lpthread || return 1
        linkemu=$work/linkemu
    fi
}

# The mocks with the title: $service.
serve_mocks() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/ca.pem" \
        -days 2 -subj /CN=startup -addext "subjectAltName=IP:$address" 2>/dev/null || give_up 'no certificate'
    "$mockd" --hosts 1 --address $address --title-dir "$title" --tls-cert "$work/ca.pem" --tls-key "$work/key.pem" \
        --ready-file "$work/ready.json" --access-log "$work/access.jsonl" >"$work/mockd.out" 2>&1 &
    servers+=($!)
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        if [[ -s $work/ready.json ]]; then break; fi
        sleep 0.05
    done
    service=$(sed -n 's/.*"base":"\([^"]*\)".*/\1/p' "$work/ready.json")
    [[ -n $service ]] || give_up "the mocks did not start: $(cat "$work/mockd.out")"
}

# The same title as files, and a licensed manifest as one.
serve_files() {
    local file tries
    mkdir "$work/files"
    for file in "$title"/*.mp4 "$title/title.mpd"; do ln -s "$(realpath "$file")" "$work/files/"; done
    "$mockd" --describe "$title" --base-url "https://$address:$port/files" >"$work/files/manifest.json"
    cat >"$work/nginx.conf" <<TEXT
daemon off; worker_processes 1; user $(id -un); pid $work/nginx.pid; error_log $work/error.log;
events { worker_connections 256; }
http {
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4; scgi_temp_path $work/t5; access_log off;
    types { application/json json; application/dash+xml mpd; video/mp4 mp4; }
    ssl_certificate $work/ca.pem; ssl_certificate_key $work/key.pem; ssl_protocols TLSv1.3;
    ssl_buffer_size 4k;
    server { listen 0.0.0.0:$port ssl http2; location /files/ { alias $work/files/; } }
}
TEXT
    "$nginx" -p "$work" -e "$work/error.log" -c "$work/nginx.conf" >"$work/nginx.out" 2>&1 &
    servers+=($!)
    for ((tries = 0; tries < 100; tries++)); do
        if [[ -s $work/nginx.pid ]]; then return; fi
        sleep 0.05
    done
    give_up "nginx did not start: $(cat "$work/nginx.out" "$work/error.log")"
}

# emulated RTT KBPS COMMAND...   the command at the other end of the path; its rate has no limit where KBPS is empty
emulated() {
    local rtt=$1 rates=()
    if [[ -n $2 ]]; then rates=(--down-rate "$2" --up-rate "$2"); fi
    shift 2
    "$linkemu" --delay "$(awk "BEGIN { print $rtt / 2 }")" "${rates[@]}" --summary "$work/summary.json" -- "$@"
}

# begin_at MODE   what cadmium-play is given to begin with
begin_at() {
    case $1 in
    service) echo "--title 900100 $service" ;;
    file) echo "https://$address:$port/files/manifest.json" ;;
    dash) echo "https://$address:$port/files/title.mpd" ;;
    dash1) echo "$service/files/title.mpd" ;;
    esac
}

# One run's log as one line of numbers, ms: first picture, plays, dns, connect, tls, manifest's first and last
# byte, media request, media's first byte; then the video file and the requests made before the picture.
read_log() {
    awk '
    function ms(text) { return text * 1000 }
    function value(name) { match($0, " " name "=-?[0-9]+"); return substr($0, RSTART + length(name) + 2, RLENGTH) + 0 }
    / decide: load / { load = ms($1) }
    / net: start / && / purpose=manifest / { start_m = ms($1); m = value("id") }
    / decide: request / && / slot=0 / && !v { v = value("id"); rep = value("rep"); asked = ms($1) }
    / net: start / && !first { if (value("id") == v) start_v = ms($1); requests++ }
    / net: warm / && !first { warms++ }
    / net: marks / && value("id") == m { dns = value("dns_us") / 1000; connect = value("connect_us") / 1000
        tls = value("tls_us") / 1000; m_first = value("first_us") / 1000; m_last = value("last_us") / 1000 }
    / net: marks / && value("id") == v && !v_first { v_first = value("first_us") / 1000 }
    / decide: first-frame / && !first { first = ms($1) }
    / -> playing / && !plays { plays = ms($1) }
    END {
        printf "%.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %d %d %d\n", first - load, plays - load, dns, connect,
            tls, m_first, m_last, start_v - load, v_first, rep, requests, warms
    }' "$1"
}
