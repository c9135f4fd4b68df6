#!/bin/sh
# Checks that each function which a public header declares is exported by exactly one of the libraries.
# usage: complete.sh SOURCE_DIR LIBRARY...
set -eu
source=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
sh "$source/cmake/public-functions.sh" "$source"/include/cadmium/*.h >"$work/declared"
for library in "$@"; do
    nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }'
done | LC_ALL=C sort >"$work/exported"
missing=$(LC_ALL=C sort -u "$work/exported" | LC_ALL=C comm -23 "$work/declared" -)
if [ -n "$missing" ]; then
    echo "declared in include/cadmium, exported by no library (not written yet, or the header is missing"
    echo "from its library in cmake/libraries.cmake):"
    printf '    %s\n' $missing
    status=1
fi
twice=$(uniq -d "$work/exported")
if [ -n "$twice" ]; then
    echo "exported by more than one library:"
    printf '    %s\n' $twice
    status=1
fi
[ -s "$work/declared" ] || { echo "no functions found: is the root right?"; status=1; }
[ $status -ne 0 ] || echo "$(wc -l <"$work/declared") functions, each in one library"
exit $status
