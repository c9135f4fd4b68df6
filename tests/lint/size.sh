#!/bin/sh
# Prints the stripped size of the shared core and checks it against its limit; checks that the core loads
# neither FFmpeg nor SDL.
# usage: size.sh LIBRARY [BYTES_MAX]
set -eu
library=$1
bytes_max=${2:-600000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
strip -o "$work/stripped.so" "$library"
bytes=$(wc -c <"$work/stripped.so")
echo "stripped size of the core: $bytes bytes, limit $bytes_max"
if [ "$bytes" -ge "$bytes_max" ]; then
    echo "the core is too large"
    status=1
fi
LC_ALL=C ldd "$library" >"$work/ldd"
if grep -E 'libav(codec|format|util|filter|device)|libsw(scale|resample)|libdav1d|libSDL' "$work/ldd"; then
    echo "the core may load neither decoders nor SDL"
    status=1
fi
if grep 'not found' "$work/ldd"; then
    status=1
fi
exit $status
