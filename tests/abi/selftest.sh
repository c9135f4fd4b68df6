#!/bin/sh
# Shows that the checks of this folder can fail: on changed headers, and on small libraries made here.
# usage: selftest.sh SOURCE_DIR CC
set -eu
source=$1
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
wrong=0
cases=0
mkdir -p "$tree/tests"

# The tree anew, with lists that fit it.
fresh() {
    rm -rf "$tree/include" "$tree/tests" "$tree/cmake"
    mkdir -p "$tree/tests"
    cp -R "$source/include" "$source/cmake" "$tree/"
    cp -R "$source/tests/abi" "$source/tests/lint" "$tree/tests/"
}

# expect STATUS WORDS COMMAND...
expect() {
    status=$1
    words=$2
    shift 2
    cases=$((cases + 1))
    seen=0
    "$@" >"$work/out" 2>&1 || seen=$?
    if [ "$seen" -eq 77 ]; then cat "$work/out"; exit 77; fi
    if [ "$seen" -ne "$status" ] || ! grep -qF -- "$words" "$work/out"; then
        echo "expected status $status and \"$words\", had status $seen and:"
        cat "$work/out"
        wrong=1
    fi
}

layout() {
    sh "$tree/tests/abi/layout.sh" "$tree" "$cc" "$@"
}

# change FILE SED   must change something
change() {
    sed "$2" "$tree/include/cadmium/$1" >"$work/changed"
    if cmp -s "$work/changed" "$tree/include/cadmium/$1"; then
        echo "this selftest no longer fits $1: $2"
        wrong=1
    fi
    cp "$work/changed" "$tree/include/cadmium/$1"
}

fresh
layout update >"$work/out" 2>&1 || { status=$?; cat "$work/out"; exit $status; }
cp "$tree/tests/abi/layout-x86_64.txt" "$work/good.txt"
expect 0 'as committed' layout

# case SED FILE WORDS
layout_case() {
    fresh
    cp "$work/good.txt" "$tree/tests/abi/layout-x86_64.txt"
    change "$2" "$1"
    expect 1 "$3" layout
}
layout_case 's|^    void \*wakeup_ctx;|&  int64_t more;|' player.h 'BREAK:    struct cad_player_config size'
layout_case 's|^    void \*wakeup_ctx;|&  int64_t more;|' player.h 'added:    struct cad_player_config.more'
layout_case 's|^    CAD_MEDIA_OTHER|&, CAD_MEDIA_MORE|' types.h 'added in a compatible way'
layout_case 's|^    const char \*ca_file;|int64_t more; &|' player.h 'BREAK:    struct cad_player_config.ca_file'
layout_case 's|^    int32_t http_status;|int64_t http_status;|' error.h 'ABI break'
layout_case 's|^    CAD_MEDIA_AUDIO,||' types.h 'enum cad_media_type CAD_MEDIA_AUDIO = 1  ->  gone'
layout_case 's|^#define CAD_SLOT_AUDIO 1|#define CAD_SLOT_AUDIO 3|' events.h 'BREAK:    macro CAD_SLOT_AUDIO = 1'

# library NAME FUNCTION...   lib<NAME>.so that exports the functions under the node N
library() {
    so=$work/lib$1.so
    shift
    printf 'N { global: cad_*; local: *; };\n' >"$work/map"
    for function in "$@"; do echo "void $function(void); void $function(void) {}"; done >"$work/code.c"
    "$cc" -shared -fPIC -o "$so" "$work/code.c" -Wl,--version-script="$work/map"
}
symbols() {
    sh "$tree/tests/abi/symbols.sh" "$tree" "$so" N "$@"
}
fresh
printf '%s\n' cad_a cad_b >"$tree/tests/abi/libcadmium.symbols"
library cadmium cad_a cad_b
expect 0 '2 functions, as committed' symbols
library cadmium cad_a
expect 1 'ABI break: libcadmium.so no longer exports' symbols
library cadmium cad_a cad_b cad_c
expect 1 'exports what the committed list does not have' symbols
printf '%s\n' cad_a cad_s >"$tree/tests/abi/libcadmium-sim.symbols"
library cadmium-sim cad_a cad_s
expect 1 'has a copy of public functions' symbols

fresh
rm "$tree/include/cadmium"/*
printf '/* cad_not(): a comment */\nint cad_a(void);\ncad_time (*cad_fn)(void);\nint cad_b(int (*cad_cb)(void));\n' \
    >"$tree/include/cadmium/x.h"
library cadmium cad_a cad_b
expect 0 '2 functions, each in one library' sh "$tree/tests/abi/complete.sh" "$tree" "$so"
library cadmium cad_a
expect 1 'exported by no library' sh "$tree/tests/abi/complete.sh" "$tree" "$so"
[ $wrong -ne 0 ] || echo "$cases cases"
exit $wrong
