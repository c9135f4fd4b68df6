#!/bin/sh
# Checks the undefined symbols of the objects of layers 0 to 2: each is in symbols.table, or is defined in
# the same room, in base, or (for engine) in a room of layer 1 other than timedtext.
# usage: symbols.sh TABLE ROOM=LIST...   each LIST names one object file a line
set -eu
table=$1
shift
[ -r "$table" ]

for pair in "$@"; do
    room=${pair%%=*}
    while read -r object; do
        [ -n "$object" ] || continue
        nm "$object" | awk -v room="$room" -v object="$(basename "$object")" '
            $1 == "U" { print "use", room, object, $2; next }
            $1 == "w" || $1 == "v" { print "use", room, object, $2; next }
            NF == 3 && $2 ~ /^[A-Z]$/ { print "def", room, object, $3 }'
    done <"${pair#*=}"
done | awk -v table="$table" '
function known(room, name,    i) {
    for (i = 0; i < rules; i++) {
        if (rule_room[i] != "*" && rule_room[i] != room) continue
        if (rule_name[i] == name) return 1
        if (rule_name[i] ~ /\*$/ && index(name, substr(rule_name[i], 1, length(rule_name[i]) - 1)) == 1) return 1
    }
    return 0
}
function reachable(room, other) {
    if (other == room || other == "base") return 1
    return room == "engine" && other != "timedtext"
}
function check(i,    room, name, n, parts, j) {
    room = use_room[i]; name = use_name[i]
    if (known(room, name)) return
    n = split(def[name], parts, " ")
    for (j = 1; j <= n; j++) if (reachable(room, parts[j])) return
    print room "/" use_object[i] ": may not use " name (n ? " of room " def[name] : "")
    failed = 1
}
BEGIN {
    uses = rules = 0
    while ((getline line < table) > 0) {
        if (line ~ /^#/) continue
        n = split(line, f, " ")
        for (i = 2; i <= n; i++) { rule_room[rules] = f[1]; rule_name[rules++] = f[i] }
    }
}
$1 == "def" { def[$4] = def[$4] " " $2; objects[$3] = 1; next }
{ use_room[uses] = $2; use_object[uses] = $3; use_name[uses++] = $4 }
END {
    for (i = 0; i < uses; i++) check(i)
    if (failed) exit 1
    print uses + 0 " undefined symbols checked"
}'
