#!/usr/bin/env bash
# How many round trips a request takes over a link of 100 ms, with a real server at its other end: a cold
# connection three, a shared or a warm one none of its own. The link is emulated in a network of the test's own.
# usage: nginx-link.sh CLIENT LINKEMU_SOURCE
set -u
if [[ ! -s $2 ]]; then
    echo 'there is no emulator of links beside the corpora (CAD_SHARED_DATA)'
    exit 77
fi
if [[ $(id -u) != 0 || ! -e /dev/net/tun ]] || ! unshare -n -m true 2>/dev/null; then
    echo 'an emulated link needs root, /dev/net/tun and a network namespace of its own'
    exit 77
fi
if [[ ${3:-} != inside ]]; then exec unshare -n bash "$0" "$1" "$2" inside; fi
. "$(dirname "$0")/nginx.bash"
ip link set lo up
if ! "${CC:-cc}" -O2 -o "$work/linkemu" "$2" -lm -lpthread >"$work/cc.out" 2>&1; then
    cat "$work/cc.out"
    echo 'the emulator of links does not build here'
    exit 77
fi

prepare 100.64.0.1
serve 0.0.0.0
"$work/linkemu" --delay 50 --down-rate 20000 --up-rate 5000 --summary "$work/summary.json" -- \
    "$client" --times 100.64.0.1 $port "$work/ca.pem" 100
check 'client' $? 0
check 'requests at once: connections' "$(connections cold1 cold2 cold3 | wc -l)" 1
check 'a spare: connections' "$(connections time2 time3 time4 | wc -l)" 1
check 'a title begins: connections' "$(connections pair1 pair2 pair3 | wc -l)" 2
cat "$work/summary.json"
unserve
finish
