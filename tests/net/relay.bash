# What the tests of secrets share: the mocks over TLS behind a relay that keeps what passes, so that the secrets of a run
# are known. Sourced after play.bash.
for program in openssl python3; do
    if ! command -v $program >/dev/null; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
here=$(dirname "$0")
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/pem" -days 2 -subj "/CN=right" \
    -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null
relay=
trap 'if [[ -n $relay ]]; then kill "$relay" 2>/dev/null; fi; stop' EXIT

# Starts both, the mocks with the options given: $through is what the relay is asked by, $work/wire what it keeps.
serve_through() {
    serve --tls-cert "$work/pem" --tls-key "$work/key" "$@"
    local origin=${base#https://} tries
    python3 "$here/tape_secrets.py" relay "$work/pem" "$work/key" "$work/port" "$work/wire" "${origin%:*}" "${origin##*:}" &
    relay=$!
    for ((tries = 0; tries < 200; tries++)); do
        if [[ -s $work/port ]]; then break; fi
        sleep 0.05
    done
    through=https://127.0.0.1:$(cat "$work/port")
}
