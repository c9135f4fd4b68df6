#!/usr/bin/env bash
# How long it takes to the first picture over an emulated path, beside the floor that physics sets, and what each
# leg cost. Run by hand, as root: it prints and judges nothing.
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: tests/bench/startup.sh [--build DIR] [--title DIR] [--linkemu FILE] [--runs N] [--only MODE]

One TLS 1.3 origin, a cold connection, N runs (5) of cadmium-play --headless, their median. Paths (the delay is
the round trip, half of it each way): 20 ms at 20 Mbit/s, 50 ms at 5 Mbit/s, 100 ms at 1.5 Mbit/s. Modes:

  service   cadmium-mockd, HTTP/1.1: a licensed manifest by POST, byte ranges
  file      nginx, HTTP/2: the same as files, manifest.json
  dash      nginx, HTTP/2: title.mpd

floor     4 round trips (TCP, TLS, manifest, media), and the time that the bytes which the first picture needs
          take at the rate of the path: handshake, requests, manifest, header, and media up to the end of the
          first picture (curl's count of them, and 3.5 % for IP and TCP headers)
curl      curl in one process: the manifest, then those bytes of media on the same connection
player    from load to the first picture, as the player tells it
legs      from its log: round trips of connect, TLS, first byte of the manifest, first byte of media; then
          what is above them: the manifest's body, from its end to the first media request, and from the first
          byte of media to the picture
plays     from load to picture and sound running

  --build DIR      with bin/cadmium-play and bin/cadmium-mockd (build/release)
  --title DIR      made by make-title.sh (build/title)
  --linkemu FILE   the emulator, program or source (../shared/tools/linkemu/linkemu.c)
TEXT
}

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/release
title=$root/build/title
linkemu=$root/../shared/tools/linkemu/linkemu.c
runs=5
only='service file dash'
inside=
arguments=("$@")
while (($# > 0)); do
    case $1 in
    --build | --title | --linkemu | --runs | --only)
        if (($# < 2)); then usage >&2; exit 2; fi
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
    --inside) inside=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

give_up() {
    echo "startup: $1" >&2
    exit 1
}
play=$build/bin/cadmium-play
mockd=$build/bin/cadmium-mockd
nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx)
for file in "$play" "$mockd" "$title/title.mpd" "$linkemu"; do
    [[ -e $file ]] || give_up "$file: not there (build first; scripts/make-title.sh)"
done
for program in curl openssl ffprobe awk; do
    command -v $program >/dev/null || give_up "$program is missing: scripts/install-deps.sh test"
done
if [[ -z $inside ]]; then
    [[ $(id -u) == 0 && -e /dev/net/tun ]] || give_up 'an emulated path needs root and /dev/net/tun'
    exec unshare -n "$0" "${arguments[@]}" --inside
fi
. "$root/tests/bench/startup.bash"
settle
trap 'exit 130' INT TERM
build_linkemu || give_up 'the emulator does not build'
serve_mocks
modes=
for mode in $only; do
    if [[ $mode != service && -z $nginx ]]; then continue; fi
    modes+=" $mode"
done
if [[ -n $nginx ]]; then serve_files; fi

declare -A files=([service]="$service/files" [file]="https://$address:$port/files" [dash]="https://$address:$port/files")
declare -A manifest=([service]=manifest.json [file]=manifest.json [dash]=title.mpd)

# The bytes of a file up to the end of its first picture.
first_picture() {
    ffprobe -v error -read_intervals '%+#1' -show_entries packet=pos,size -of csv=p=0 "$1" | head -n 1 |
        awk -F, '{ print $1 + $2 }'
}

# Which file the player began with, by the number of the representation in its log: of the title's files by rate,
# H.264 alone where a set of an MPD has nothing else.
begun_with() {
    local names
    names=$(grep -o '"downloadable_id":"video-[0-9]*' "$title/manifest.json" | sed 's/.*"//' | sort -t- -k2 -n)
    if [[ $1 == dash ]]; then
        names=$(sed -n '1,/<\/AdaptationSet>/s/.*<Representation id="\([^"]*\)".*/\1/p' "$title/title.mpd")
    fi
    sed -n "$(($2 + 1))p" <<<"$names"
}

measure() {
    local mode=$1 rtt=$2 kbps=$3 run
    : >"$work/lines"
    for ((run = 0; run < runs; run++)); do
        : >"$work/access.jsonl"
        # shellcheck disable=SC2046
        emulated "$rtt" "$kbps" "$play" --headless --json-stats --log "$work/log" --log-level trace \
            --ca "$work/ca.pem" --until 1.5 $(begin_at "$mode") </dev/null >"$work/events" 2>"$work/err"
        if ! grep -q first-frame "$work/log"; then
            printf '%-8s %4d ms %5.1f Mbit/s  nothing was played: %s\n' "$mode" "$rtt" "$(awk "BEGIN { print $kbps / 1000 }")" \
                "$(tail -n 1 "$work/err")"
            return
        fi
        read_log "$work/log" >>"$work/lines"
        cp "$work/log" "$work/log.$run"
        late=$(sed -n 's/.*"late_p99_ms":\([0-9.]*\).*/\1/p' "$work/summary.json")
    done
    local line video bytes peer
    line=$(sort -g "$work/lines" | sed -n "$(((runs + 1) / 2))p")
    video=$(begun_with "$mode" "$(echo "$line" | cut -d' ' -f10)")
    bytes=$(first_picture "$title/$video.mp4")
    : >"$work/peer"
    for ((run = 0; run < runs; run++)); do
        emulated "$rtt" "$kbps" curl -sS --cacert "$work/ca.pem" -w '%{time_total} %{size_download} %{size_header} %{size_request}\n' \
            -o "$work/peer.out" "${files[$mode]}/${manifest[$mode]}" --next -sS --cacert "$work/ca.pem" \
            -w '%{time_total} %{size_download} %{size_header} %{size_request}\n' -o "$work/peer.out" \
            -r "0-$((bytes - 1))" "${files[$mode]}/$video.mp4" | awk '
            { time += $1; down += $2 + $3; up += $4 } END { printf "%.1f %d %d\n", time * 1000, down, up }' >>"$work/peer"
    done
    peer=$(sort -g "$work/peer" | sed -n "$(((runs + 1) / 2))p")
    report "$mode" "$rtt" "$kbps" "$line" "$peer" "$video"
}

# 1100 bytes of handshake come down with a P-256 certificate, 700 go up (Client Hello, Finished).
report() {
    echo "$4 $5" | awk -v mode="$1" -v rtt="$2" -v kbps="$3" -v video="$6" -v late="${late:-0}" '
    {
        down = $14 + 1100; up = $15 + 700
        floor = 4 * rtt + (down + up) * 1.035 * 8 / kbps
        connect = $4 - $3; tls = $5 - $4; manifest = $6 - $5; media = $9
        trips = int(connect / rtt + 0.5) + int(tls / rtt + 0.5) + int(manifest / rtt + 0.5) + int(media / rtt + 0.5)
        printf "%-8s %4d ms %5.1f Mbit/s %8.1f %8.1f %8.1f  %4.2fx %5d %8.1f   %s%s\n", mode, rtt, kbps / 1000, floor, $13,
            $1, $1 / floor, trips, $2, video, (late > 1 ? sprintf(" (late by %.1f ms: distrust)", late) : "")
        printf "         legs: dns %.1f, connect %.1f, tls %.1f, manifest %.1f + body %.1f, then %.1f to the request,", \
            $3, connect, tls, manifest, $7 - $6, $8 - $7
        printf " media %.1f, picture %.1f; %d requests, %d warm\n", media, $1 - $8 - $9, $11, $12
    }'
}

printf '%-8s %-19s %8s %8s %8s  %5s %5s %8s\n' mode path floor curl player ratio trips plays
for mode in $modes; do
    for path in '20 20000' '50 5000' '100 1500'; do
        # shellcheck disable=SC2086
        measure "$mode" $path
    done
done
