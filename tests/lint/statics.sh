#!/bin/sh
# Checks that objects hold no writable data: no symbol in .data, .bss or common.  Constant tables of
# pointers live in .data.rel.ro, which the loader seals, and are no concern.
# usage: statics.sh LIST...   each LIST names one object file a line
set -eu
found=$(cat "$@" | while read -r object; do
    [ -n "$object" ] || continue
    objdump -t "$object" | awk -v object="$(basename "$object")" '
        # value flags section size name: of the flags only "O" (object) matters.
        $0 ~ /^[0-9a-f]+ / {
            tab = index($0, "\t")
            n = split(substr($0, 1, tab - 1), f, " ")
            section = f[n]
            n = split(substr($0, tab + 1), g, " ")
            if (section ~ /^\.data\.rel\.ro/) next
            if (section ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*|\.ldata|\.lbss)/ && g[n] !~ /^\./)
                print object ": mutable " g[n] " in " section
        }'
done)
if [ -n "$found" ]; then
    echo "$found"
    exit 1
fi
echo "$(cat "$@" | grep -c .) objects checked"
