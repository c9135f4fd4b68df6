#!/bin/sh
# Compares what a shared library exports with the committed list, and looks at its borders.
# usage: symbols.sh SOURCE_DIR LIBRARY NODE [update]      LIBRARY: path of lib<name>.so
set -eu
source=$1
library=$2
node=$3
update=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$library" | sed 's/\.so.*//')
list=$here/$name.symbols
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

nm -D --defined-only "$library" | awk -v node="$node" '
    $2 == "A" && $3 ~ "^" node "(@|$)" { next }
    { print $3 }' >"$work/raw"
sed 's/@@.*//' "$work/raw" | LC_ALL=C sort >"$work/now"
if grep -v "@@$node\$" "$work/raw"; then
    echo "exported without the version node $node"
    status=1
fi
if [ -n "$update" ]; then
    cp "$work/now" "$list"
    echo "$list: $(wc -l <"$work/now") functions"
    exit 0
fi
[ -r "$list" ] || { echo "$list is missing"; exit 1; }

removed=$(LC_ALL=C comm -23 "$list" "$work/now")
added=$(LC_ALL=C comm -13 "$list" "$work/now")
if [ -n "$removed" ]; then
    echo "ABI break: $name.so no longer exports"
    printf '    %s\n' $removed
    echo "Keep them. Where the break is meant, raise the minor version (docs/install.md) unless it is not"
    echo "out yet, tell CHANGELOG.md, and"
    echo "    cmake --build BUILD_DIR --target abi-update"
    status=1
fi
if [ -n "$added" ]; then
    echo "$name.so exports what the committed list does not have:"
    printf '    %s\n' $added
    echo "If they are to be public for good, tell CHANGELOG.md, and"
    echo "    cmake --build BUILD_DIR --target abi-update"
    status=1
fi

# Public functions of libcadmium come from libcadmium alone, also where a helper beside them is copied.
if [ "$name" != libcadmium ]; then
    nm --defined-only "$library" | awk '$2 ~ /[tT]/ { print $3 }' | LC_ALL=C sort -u >"$work/inside"
    copied=$(LC_ALL=C comm -12 "$here/libcadmium.symbols" "$work/inside")
    if [ -n "$copied" ]; then
        echo "$name.so has a copy of public functions of libcadmium.so (see cmake/libraries.cmake):"
        printf '    %s\n' $copied
        status=1
    fi
fi
[ $status -ne 0 ] || echo "$(wc -l <"$work/now") functions, as committed"
exit $status
