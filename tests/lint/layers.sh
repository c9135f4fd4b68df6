#!/bin/sh
# Checks every #include of lib/ and include/cadmium/ against layers.table: rooms know only base and the
# rooms in their row (of a room with a public header: that header and <room>/<room>.h), third-party headers
# stay in their rooms, layers 0 to 2 see no header of the operating system, and edge headers hold no code.
# Of the table itself: a room knows rooms of lower layers only, and layer 2 is the engine alone. So among layers 1 and 2
# nobody but the engine knows another room.
# usage: layers.sh ROOT [TABLE]
set -eu
root=$1
table=${2:-$(dirname "$0")/layers.table}
[ -r "$table" ]

includes() {
    find "$root/lib" "$root/include" -name '*.[ch]' 2>/dev/null | LC_ALL=C sort | while read -r file; do
        awk -v file="${file#"$root"/}" '
            /^[ \t]*#[ \t]*include/ {
                line = $0
                sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
                print file, FNR, line
            }
            /^[ \t]*static[ \t]+inline/ { print file, FNR, "inline" }' "$file"
    done
}

includes | awk -v table="$table" '
function has(list, word,    n, parts, i) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) if (parts[i] == word) return 1
    return 0
}
function starts(list, word,    n, parts, i) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) if (parts[i] != "-" && index(word, parts[i]) == 1) return 1
    return 0
}
function bad(what) {
    print at ": " what
    failed = 1
}
function may_know(room, other) {
    return room == "all" || other == room || other == "base" || has(row[room], other)
}
# Rows that would let rooms of one layer know each other.
function check_table(    room, other, n, parts, i) {
    for (room in layer) {
        at = "layers.table"
        if (layer[room] == 2 && room != "engine") bad("room " room ": layer 2 is for the engine alone")
        n = split(row[room], parts, ",")
        for (i = 1; i <= n; i++) {
            other = parts[i]
            if (other == "-") continue
            if (!(other in layer)) bad("room " room " may know " other ", which is no room")
            else if (layer[other] >= layer[room])
                bad("room " room " of layer " layer[room] " may not know " other " of layer " layer[other])
        }
    }
}
# A header in quotes: "cadmium/x.h" or "<room>/x.h".
function check_own(room, name,    cut, dir, file) {
    cut = index(name, "/")
    dir = substr(name, 1, cut - 1)
    file = substr(name, cut + 1)
    if (cut == 0) bad("\"" name "\": write the folder too")
    else if (dir == "cadmium") {
        if (!(file in owner)) bad("cadmium/" file " is not in layers.table")
        else if (owner[file] == "edge") return
        else if (room == "edge" && owner[file] != "base") bad("an edge header may not include cadmium/" file)
        else if (room != "edge" && !may_know(room, owner[file]))
            bad("room " room " may not include cadmium/" file)
    }
    else if (public) bad("a public header may not include \"" name "\"")
    else if (!(dir in layer)) bad("no room \"" dir "\"")
    else if (!may_know(room, dir)) bad("room " room " may not include \"" name "\"")
    else if (dir != room && dir != "base" && (dir in has_header) && file != dir ".h")
        bad("of room " dir " others may include only its public header and " dir "/" dir ".h")
}
# A header in angle brackets.
function check_system(room, name) {
    if (starts(third, name)) {
        if (public) bad("a public header may not include <" name ">")
        else if (!starts(own_third[room], name)) bad("room " room " may not include <" name ">")
        return
    }
    if (name in standard) return
    if (room == "base" && (name == "stdlib.h" || name == "stdatomic.h")) return
    if (public || layer[room] <= 2) bad("<" name "> is not for layers 0 to 2 or public headers")
}
BEGIN {
    while ((getline line < table) > 0) {
        n = split(line, f, /[ \t]+/)
        if (f[1] == "room") {
            layer[f[2]] = f[3]; row[f[2]] = f[4]; own_third[f[2]] = f[5]
        }
        if (f[1] == "header") {
            owner[f[2]] = f[3]; has_header[f[3]] = 1
        }
    }
    third = "expat,mbedtls/,zlib,curl/,libav,libsw,dav1d/,SDL,microhttpd,cmocka,openssl/,gnutls/,X11/,ft2,hb"
    n = split("stdint.h stddef.h stdbool.h string.h limits.h inttypes.h stdarg.h stdalign.h stdio.h", f, " ")
    for (i = 1; i <= n; i++) standard[f[i]] = 1
    check_table()
}
{
    seen++
    at = $1 ":" $2
    public = index($1, "include/") == 1
    n = split($1, part, "/")
    if (public && n == 3) room = (part[3] in owner) ? owner[part[3]] : "?"
    else room = part[2]
    if (room == "?" || (!public && !(room in layer))) { bad("belongs to no room of layers.table"); next }
    if ($3 == "inline") {
        if (public && room == "edge") bad("an edge header may hold no code")
        next
    }
    name = substr($3, 2, length($3) - 2)
    if ($3 ~ /^".*"$/) check_own(room, name)
    else if ($3 ~ /^<.*>$/) check_system(room, name)
    else bad("cannot read this #include")
}
END {
    if (!seen) { print "no sources found: is the root right?"; exit 1 }
    if (failed) exit 1
    print seen " includes checked"
}'
