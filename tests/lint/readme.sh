#!/bin/sh
# The README begins with the two commands, and its C example is the program that the build compiles. The files, functions
# and types that docs/map.md names are there.
# usage: readme.sh ROOT
set -u
root=${1:-.}
readme=$root/README.md
status=0
say() {
    echo "readme: $*" >&2
    status=1
}
commands=$(awk '/^    / { sub(/^    /, ""); print; seen = 1; next } seen && NF { exit }' "$readme")
[ "$commands" = "scripts/demo.sh
scripts/test.sh" ] || say "the first commands are not scripts/demo.sh and scripts/test.sh"
part=$(mktemp) || exit 1
trap 'rm -f "$part"' EXIT
awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$readme" >"$part"
cmp -s "$part" "$root/examples/embed_minimal.c" || say "the example differs from examples/embed_minimal.c"
for page in $(sed -n 's/.*](\(docs\/[a-z-]*\.[a-z]*\)).*/\1/p' "$readme"); do
    [ -e "$root/$page" ] || say "$page does not exist"
done
for page in $(grep -o '([a-z-]*\.md)' "$root/docs/map.md" | tr -d '()'); do
    [ -e "$root/docs/$page" ] || say "docs/map.md names $page, which does not exist"
done
# In backquotes: a file, or a name with an underscore; in the picture: paths below lib.
for name in $(grep -oE '`[a-z][a-z0-9_]*(\.[ch])?`|lib/[a-z0-9_/]*\.c' "$root/docs/map.md" | tr -d '`' | sort -u); do
    case $name in
    lib/*) [ -e "$root/$name" ] ;;
    *.[ch]) find "$root/lib" "$root/include" "$root/player-sdl" "$root/tests" -name "$name" | grep -q . ;;
    *_*) grep -rqw -e "$name" "$root/lib" "$root/include" "$root/player-sdl" "$root/tests/mock" ;;
    esac || say "docs/map.md names $name, which does not exist"
done
[ "$status" -ne 0 ] || echo "README and map agree with the tree"
exit "$status"
