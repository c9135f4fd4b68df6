#!/bin/sh
# Checks lib/ against banned.table, and that no #if stands inside a function.
# usage: banned.sh ROOT [TABLE]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
table=${2:-$here/banned.table}
[ -r "$table" ]
status=0
count=0

for file in $(find "$root/lib" -name '*.[ch]' | LC_ALL=C sort); do
    count=$((count + 1))
    awk -f "$here/strip.awk" "$file" | awk -v table="$table" -v file="${file#"$root"/}" '
    function add(kind, names, where,    n, parts, i) {
        if (where == "low" && room !~ /^(base|mp4|manifest|timedtext|msl|abr|steer|fetch|telemetry|engine)$/) return
        if (where == "notbase" && room == "base") return
        n = split(names, parts, ",")
        for (i = 1; i <= n; i++) {
            if (kind == "call") call[parts[i]] = 1
            else word[parts[i]] = 1
        }
    }
    function bad(what) {
        print file ":" FNR ": " what
        failed = 1
    }
    # Looks at each identifier with the character before it and what follows it.
    function look(line,    before, name) {
        while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
            before = RSTART > 1 ? substr(line, RSTART - 1, 1) : ""
            name = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (name in allowed) continue
            if (before ~ /[0-9A-Za-z_]/) continue
            if (name in word) bad(name)
            if ((name in call) && line ~ /^[ \t]*\(/ && before != "." && before != ">") bad(name "()")
        }
    }
    BEGIN {
        split(file, part, "/")
        room = part[2]
        while ((getline line < table) > 0) {
            n = split(line, f, /[ \t]+/)
            if (f[1] == "call" || f[1] == "word") add(f[1], f[2], f[3])
            if (f[1] == "allow" && f[2] == file) allowed[f[3]] = 1
        }
        depth = 0
    }
    /^[ \t]*#/ {
        if (file ~ /\.c$/ && depth > 0 && /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)/) bad("#if inside a function")
        if (/^[ \t]*#[ \t]*include/) next
        look($0)
        next
    }
    {
        look($0)
        opened = gsub(/\{/, "{")
        closed = gsub(/\}/, "}")
        depth += opened - closed
    }
    END { exit failed }' || status=1
done
if [ "$count" -eq 0 ]; then
    echo "no sources found: is the root right?"
    exit 1
fi
echo "$count files checked"
exit $status
