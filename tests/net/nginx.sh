#!/usr/bin/env bash
# The network transport against a real server: HTTP/2 and HTTP/1.1 over TLS, told by the server's own log.
# usage: nginx.sh CLIENT
set -u
. "$(dirname "$0")/nginx.bash"

prepare 127.0.0.1
serve 127.0.0.1
# Nothing listens there: a proxy of the environment would be noticed.
export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
SSLKEYLOGFILE=$work/keys "$client" 127.0.0.1 $port "$work/ca.pem"
check 'client' $? 0
check 'keys that were logged' "$(cat "$work/keys" 2>/dev/null)" ''
# A file that the transport was given gets them, and is for its owner alone.
check 'keys: TLS 1.3' "$(grep -c '^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]* [0-9a-f]*$' "$work/ca.pem.keys")" 2
check 'keys: TLS 1.2' "$(grep -c '^CLIENT_RANDOM [0-9a-f]* [0-9a-f]*$' "$work/ca.pem.keys")" 2
check 'keys: lines of other kinds' "$(grep -cvE '^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$' "$work/ca.pem.keys")" 0
check 'keys: mode' "$(stat -c %a "$work/ca.pem.keys")" 600
# The same file gets keys from a program that does not refuse to log them.
SSLKEYLOGFILE=$work/keys-curl curl -s -o /dev/null --noproxy '*' --cacert "$work/ca.pem" "https://127.0.0.1:$port/?t=curl"
check_that 'keys of curl' test -s "$work/keys-curl"

# Two transfers at once, on one connection, over HTTP/2 and TLS 1.3.
check 'shared: requests' "$(log share1 | wc -l) $(log share2 | wc -l)" '1 1'
check 'shared: connections' "$(connections share1 share2 | wc -l)" 1
check 'shared: version' "$(log share1 | grep -c 'version=h2 tls=TLSv1.3')" 1
# A stream that is cancelled takes neither the other one nor the connection with it.
check 'cancelled: connections' "$(connections cancel1 cancel2 cancel3 | wc -l)" 1
check 'cancelled: the other one' "$(log cancel2 | grep -c ' 200 .* bytes=600000 ')" 1
check_that 'cancelled: bytes' test "$(log cancel1 | sed 's/.*bytes=\([0-9]*\) .*/\1/')" -lt 600000
# HTTP/1.1: the spare connection is another one than the one in use, and the next transfer is on it.
check 'spare: HEAD' "$(log spare2 | grep -c ' HEAD 204 .*version= tls=TLSv1.3')" 1
check 'spare: connections' "$(connections spare1 spare2 spare3 | wc -l)" 2
check 'spare: used' "$(connections spare3)" "$(connections spare2)"
# HTTP/2: nothing is asked where a connection is known; one made before that was known is given up.
check 'known: HEAD' "$(log known2 | wc -l)" 0
check_that 'beside: HEAD' test "$(log beside2 | wc -l)" -le 1
check 'beside: connections' "$(connections beside3)" "$(connections beside1)"
# A server of another origin is made ready over HTTP/2 as well.
check 'first: connections' "$(connections first1 first2 | wc -l)" 1
check 'older: version' "$(log older | grep -c 'version=h2 tls=TLSv1.2')" 1
check 'ranges: asked' "$(log range | grep -c ' 206 .*version=h2 .*range=bytes=1000-4999')" 1
check 'redirects' "$(log redirect | grep -cE ' (302|307) ')" 2
check 'names of programs' "$(grep -vE ' (ready|curl) ' "$work/access.log" | grep -vc 'agent=-$')" 0
echo "$(wc -l <"$work/access.log") requests on $(cut -d' ' -f1 "$work/access.log" | sort -u | wc -l) connections:"
for name in share1 share2 cancel1 cancel2 cancel3 spare1 spare2 spare3 beside1 beside2 beside3 first1 first2; do log $name; done
unserve
finish
