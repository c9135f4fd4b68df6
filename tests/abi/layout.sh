#!/bin/sh
# Compares how the public types lie in memory with the committed listing.  x86-64 only.
# usage: layout.sh SOURCE_DIR CC [update]
set -eu
source=$1
cc=$2
update=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
list=$here/layout-x86_64.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! echo | "$cc" -dM -E - | grep -q '__x86_64__' || ! echo | "$cc" -dM -E - | grep -q '__LP64__'; then
    echo "SKIP: the committed listing is for x86-64 with 64-bit pointers"
    exit 77
fi

for header in "$source"/include/cadmium/*.h; do
    printf '#include "cadmium/%s"\n' "$(basename "$header")"
done >"$work/all.h"
# Macros that are numbers, but for those that name the version.
macros=$("$cc" -std=c11 -I"$source/include" -dM -E "$work/all.h" |
    awk '$1 == "#define" && $2 ~ /^CAD_[A-Z0-9_]+$/ && $2 !~ /^CAD_VERSION_/ && $3 ~ /^(-?[0-9(]|INT64_)/ {
        print $2 }' | LC_ALL=C sort | tr '\n' ' ')
"$cc" -std=c11 -I"$source/include" -P -E "$work/all.h" | awk -v macros="$macros" -f "$here/layout.awk" \
    >"$work/layout.c"
"$cc" -std=c11 -I"$source/include" -I"$work" -o "$work/layout" "$work/layout.c"
"$work/layout" | LC_ALL=C sort >"$work/now"
lines=$(wc -l <"$work/now")
if [ "$lines" -lt 400 ]; then
    echo "only $lines lines: the headers were not understood"
    exit 1
fi
if [ -n "$update" ]; then
    cp "$work/now" "$list"
    echo "$list: $lines lines"
    exit 0
fi
[ -r "$list" ] || { echo "$list is missing"; exit 1; }
if cmp -s "$list" "$work/now"; then
    echo "$lines lines, as committed"
    exit 0
fi

# What is only added is compatible. A struct that grew is not, even if it begins with its size: programs
# own its memory, and the function that sets its defaults writes all of what the library knows.
awk '
    # The thing a line speaks of, and what it says.
    function key(line) { sub(/( at [0-9]+)? size [0-9]+$| = -?[0-9]+$/, "", line); return line }
    FNR == NR { was[key($0)] = $0; next }
    { now[key($0)] = $0 }
    END {
        for (k in was) {
            if (k in now && now[k] == was[k]) continue
            print "  BREAK:    " was[k] "  ->  " (k in now ? now[k] : "gone")
            broken = 1
        }
        for (k in now) if (!(k in was)) print "  added:    " now[k]
        exit broken
    }' "$list" "$work/now" >"$work/changes" || broken=yes
LC_ALL=C sort "$work/changes"
if [ -n "${broken:-}" ]; then
    echo "ABI break: programs that were compiled with the headers as committed would misread these."
    echo "Structs stay as they are within a version; new enumerators come last. Where the break is meant,"
    echo "raise the minor version (docs/install.md) unless it is not out yet, tell CHANGELOG.md, and then:"
else
    echo "Something was added in a compatible way. If that is meant, tell CHANGELOG.md, and then:"
fi
echo "    cmake --build BUILD_DIR --target abi-update"
exit 1
