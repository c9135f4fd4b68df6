#!/bin/sh
# Writes a linker version script that exports the functions which the given public headers declare, and
# nothing else.
# usage: version-script.sh NODE OUT HEADER...
set -eu
node=$1
out=$2
shift 2
here=$(dirname "$0")
{
    printf '%s {\n    global:\n' "$node"
    sh "$here/public-functions.sh" "$@" | sed 's/.*/        &;/'
    printf '    local:\n        *;\n};\n'
} >"$out.new"
mv "$out.new" "$out"
