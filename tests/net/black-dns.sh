#!/usr/bin/env bash
# Runs black_dns_test where its own name server is the only one: in a network of its own, and with a
# resolv.conf that exists for this process and its children alone.
# usage: black-dns.sh TEST
set -u
if [[ $(id -u) != 0 ]] || ! unshare -n -m true 2>/dev/null; then
    echo 'a name server of its own needs root and namespaces of the network and of mounts'
    exit 77
fi
if [[ ${2:-} != inside ]]; then exec unshare -n -m --propagation private bash "$0" "$1" inside; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n' >"$work/resolv.conf"
printf 'hosts: files dns\n' >"$work/nsswitch.conf"
ip link set lo up || exit 1
for name in resolv nsswitch; do
    if ! mount --bind "$work/$name.conf" /etc/$name.conf; then
        echo "/etc/$name.conf cannot be covered"
        exit 77
    fi
done
"$1"
status=$?
umount /etc/resolv.conf /etc/nsswitch.conf
exit $status
