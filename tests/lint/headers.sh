#!/bin/sh
# Checks that every public header compiles alone, twice in a row, as C11, C++11 and C++20, with every
# compiler that is there, and that what it declares has C linkage in C++.
# usage: headers.sh ROOT
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
count=0
for header in $(find "$root/include" -name '*.h' | LC_ALL=C sort); do
    name=${header#"$root"/include/}
    count=$((count + 1))
    printf '#include "%s"\n#include "%s"\nint cad_alone(void);\nint cad_alone(void) { return 0; }\n' \
        "$name" "$name" >"$work/alone.c"
    cp "$work/alone.c" "$work/alone.cc"
    for compiler in gcc clang; do
        command -v "$compiler" >/dev/null || continue
        "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wundef -Werror -fsyntax-only \
            -I"$root/include" "$work/alone.c" || { echo "$name: not C11 alone ($compiler)"; status=1; }
    done
    for compiler in g++ clang++; do
        command -v "$compiler" >/dev/null || continue
        for standard in 11 20; do
            "$compiler" -std=c++$standard -Wall -Wextra -Wpedantic -Wold-style-cast -Wundef -Werror \
                -fsyntax-only -I"$root/include" "$work/alone.cc" ||
                { echo "$name: not C++$standard alone ($compiler)"; status=1; }
        done
    done
    if grep -Eq '^[a-z].*[ *]cad_[a-z0-9_]+\(' "$header" && ! grep -q 'extern "C"' "$header"; then
        echo "$name: declares functions without extern \"C\""
        status=1
    fi
done
if [ "$count" -eq 0 ]; then
    echo "no headers found: is the root right?"
    exit 1
fi
echo "$count headers checked"
exit $status
