#!/bin/sh
# Checks lengths: functions 70 lines (a flat switch in lengths.allow 120), five parameters, files 900
# lines, public headers 400, lines 100 columns.
# usage: lengths.sh ROOT [ALLOW]
set -eu
root=$1
allow=${2:-$(dirname "$0")/lengths.allow}
ctags=$(command -v ctags-universal || command -v ctags || true)
if [ -z "$ctags" ] || ! "$ctags" --version | grep -q Universal; then
    echo "universal-ctags is missing: scripts/install-deps.sh test"
    exit 77
fi
[ -r "$allow" ]
allow=$(cd "$(dirname "$allow")" && pwd)/$(basename "$allow")
cd "$root"
files=$(for folder in lib include player-sdl examples tests fuzz; do
    if [ -d "$folder" ]; then find "$folder" -name '*.[ch]' -size +0; fi
done | LC_ALL=C sort)
if [ -z "$files" ]; then
    echo "no sources found: is the root right?"
    exit 1
fi
status=0
# Bytes that continue a UTF-8 character are no columns of their own.
# shellcheck disable=SC2086
LC_ALL=C awk '
    { line = $0; gsub(/[\200-\277]/, "", line) }
    length(line) > 100 { print FILENAME ":" FNR ": " length(line) " columns, at most 100"; failed = 1 }
    FNR == 1 { names[++n] = FILENAME }
    { lines[FILENAME] = FNR }
    END {
        for (i = 1; i <= n; i++) {
            most = names[i] ~ /^include\// ? 400 : 900
            if (lines[names[i]] > most) {
                print names[i] ": " lines[names[i]] " lines, at most " most
                failed = 1
            }
        }
        exit failed
    }' $files || status=1

# shellcheck disable=SC2086
"$ctags" -f - --sort=no --languages=C,C++ --langmap=C:.c.h --kinds-C=f --fields=+neS $files |
awk -F '\t' -v allow="$allow" '
    BEGIN {
        while ((getline line < allow) > 0) {
            split(line, f, /[ \t]+/)
            if (f[1] == "switch" || f[1] == "params") allowed[f[1] " " f[2] " " f[3]] = 1
        }
    }
    function bad(what) { print $2 ":" first ": " $1 "() " what; failed = 1 }
    function parameters(signature,    i, c, depth, count) {
        count = 1
        for (i = 1; i <= length(signature); i++) {
            c = substr(signature, i, 1)
            if (c == "(") depth++
            if (c == ")") depth--
            if (c == "," && depth == 1) count++
        }
        return count
    }
    {
        first = last = 0
        for (i = 4; i <= NF; i++) {
            if ($i ~ /^line:/) first = substr($i, 6) + 0
            if ($i ~ /^end:/) last = substr($i, 5) + 0
            if ($i ~ /^signature:/) signature = substr($i, 11)
        }
        functions++
        most = (("switch " $2 " " $1) in allowed) ? 120 : 70
        if (last - first + 1 > most) bad("has " last - first + 1 " lines, at most " most)
        count = parameters(signature)
        if (count > 5 && !(("params " $2 " " $1) in allowed)) bad("has " count " parameters, at most 5")
    }
    END { print functions + 0 " functions checked"; exit failed }' || status=1
exit $status
