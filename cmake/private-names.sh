#!/bin/sh
# Copies a static library so that all its global names begin with cad_: internal functions that files of
# one room share have short names, which must not meet an application's own.
# usage: private-names.sh NM OBJCOPY IN.a OUT.a
set -eu
nm=$1
objcopy=$2
in=$3
out=$4
"$nm" --defined-only --extern-only "$in" |
    awk 'NF == 3 && $3 !~ /^cad_/ && !seen[$3]++ { print $3, "cad_private_" $3 }' >"$out.names"
"$objcopy" --redefine-syms="$out.names" "$in" "$out"
