#!/bin/sh
# Prints the names of the functions that the given headers declare, sorted.
# usage: public-functions.sh HEADER...
set -eu
strip=$(dirname "$0")/../tests/lint/strip.awk
for header in "$@"; do
    awk -f "$strip" "$header"
done | awk '
    /^[ \t]*#/ { while (/\\$/) if (getline <= 0) exit; next }
    {
        rest = $0
        while (match(rest, /cad_[a-z0-9_]+[ \t]*\(/)) {
            name = substr(rest, RSTART, RLENGTH - 1)
            rest = substr(rest, RSTART + RLENGTH)
            if (rest ~ /^[ \t]*\*/) continue # a pointer to a function that answers this type
            sub(/[ \t]+$/, "", name)
            print name
        }
    }' | LC_ALL=C sort -u
