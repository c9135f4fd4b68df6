# A real web server for the nginx*.sh tests: HTTP/2 and TLS 1.3 as the world has them. It runs under a
# configuration of its own, in a folder of its own, on loopback ports that are free, and ends with the test.
# usage: . nginx.bash CLIENT     CLIENT is test_net_nginx, which also writes the files that are served
client=$1
failed=0
server=

for program in openssl curl awk; do
    if ! command -v $program >/dev/null; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
# Debian keeps it where only root looks.
nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx)
if [[ -z $nginx ]]; then
    echo 'nginx is missing: scripts/install-deps.sh test'
    exit 77
fi
if ! "$nginx" -V 2>&1 | grep -q -- --with-http_v2_module; then
    echo 'this nginx knows no HTTP/2'
    exit 77
fi
work=$(mktemp -d)

unserve() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
    fi
    server=
}
stop() {
    unserve
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

check() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED $1: '$2', not '$3'"
        failed=1
    fi
}

# check_that WHAT CONDITION...   a condition as a command
check_that() {
    local what=$1
    shift
    if ! "$@"; then
        echo "FAILED $what: $*"
        failed=1
    fi
}

# prepare ADDRESS   a certificate for it and the files
prepare() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/ca.pem" -days 2 -subj /CN=nginx \
        -addext "subjectAltName=IP:$1" 2>/dev/null
    mkdir "$work/files"
    local n
    for n in 0 1 10 100 10000 50000 100000 600000 3145728; do
        "$client" --pattern $n >"$work/files/$n"
    done
}

# location PLACE RATE   files of the pattern, at a rate
location() {
    echo "location /$1/ { alias $work/files/; limit_rate $2; }"
}

# configure ADDRESS FIRST_PORT   h2 on the first port, HTTP/1.1 over TLS on the next, plain, TLS 1.2
configure() {
    local places
    places="$(location files 12m) $(location slow 300k)
        location = /found { return 302 /files/10; }
        location = /kept { return 307 https://elsewhere.example/a; }
        location = / { return 204; }"
    cat >"$work/nginx.conf" <<TEXT
daemon off;
worker_processes 1;
user $(id -un);
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections 256; }
http {
    client_body_temp_path $work/t1;
    proxy_temp_path $work/t2;
    fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5;
    log_format test '\$connection \$request_method \$status \$arg_t version=\$http2 tls=\$ssl_protocol '
        'nth=\$connection_requests bytes=\$body_bytes_sent range=\$http_range agent=\$http_user_agent';
    access_log $work/access.log test;
    default_type application/octet-stream;
    keepalive_timeout 60s;
    ssl_certificate $work/ca.pem;
    ssl_certificate_key $work/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    server { listen $1:$2 ssl http2; $places }
    server { listen $1:$(($2 + 1)) ssl; $places }
    server { listen $1:$(($2 + 2)); $places }
    server { listen $1:$(($2 + 3)) ssl http2; ssl_protocols TLSv1.2; $places }
}
TEXT
}

# Starts it on the address given: $port is the first of four. Ports may be taken: others are tried.
serve() {
    local tries wait
    for ((tries = 0; tries < 20; tries++)); do
        port=$((20000 + RANDOM % 20000))
        configure "$1" $port
        "$nginx" -p "$work" -e "$work/error.log" -c "$work/nginx.conf" >"$work/nginx.out" 2>&1 &
        server=$!
        for ((wait = 0; wait < 100; wait++)); do
            if curl -s -o /dev/null -m 2 --noproxy '*' "http://127.0.0.1:$((port + 2))/?t=ready"; then return; fi
            if ! kill -0 $server 2>/dev/null; then break; fi
            sleep 0.05
        done
        unserve
    done
    echo 'nginx did not start'
    cat "$work/nginx.out" "$work/error.log"
    exit 1
}

# log TEST   what was logged of the requests with ?t=TEST
log() { awk -v t="$1" '$4 == t' "$work/access.log"; }
# connections TEST...   the connections of those requests, each once, in order
connections() {
    local name
    for name in "$@"; do log "$name" | cut -d' ' -f1; done | awk '!seen[$0]++'
}

finish() {
    if ((failed)); then
        grep -v ' contract ' "$work/access.log"
        tail -n 20 "$work/error.log"
    fi
    exit $failed
}
