#!/bin/sh
# Shows that a lint can fail: runs it over small bad trees made on the spot and expects failure with the
# right words, and over a good one and expects success.
# usage: selftest.sh LINT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lint=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
wrong=0
cases=0

# Starts a new tree that is good in every respect.
fresh() {
    rm -rf "$tree"
    mkdir -p "$tree/lib/base" "$tree/lib/mp4" "$tree/lib/abr" "$tree/lib/engine" "$tree/lib/drive" \
        "$tree/include/cadmium" "$tree/docs"
    put include/cadmium/base.h '#ifndef A' '#define A' '#include <stdint.h>' '#ifdef __cplusplus' 'extern "C" {' \
        '#endif' 'int32_t cad_one(int32_t n);' '#ifdef __cplusplus' '}' '#endif' '#endif'
    put lib/base/one.c '#include "cadmium/base.h"' '/* malloc(1) time(0) */' \
        'static const char *const names[] = {"printf(", "\"getenv("};' \
        'int32_t cad_one(int32_t n) { return names[n != 0][0]; }'
    put lib/mp4/mp4.h '#include "cadmium/base.h"' 'int cad_mp4(void);'
    put lib/mp4/two.c '#include "mp4/mp4.h"' 'int cad_mp4(void) { return cad_one(0); }'
    put lib/engine/engine.c '#include "mp4/mp4.h"' 'int cad_engine(void);' \
        'int cad_engine(void) { return cad_mp4(); }'
    put docs/map.md 'A session ends.'
}

# put FILE LINE...
put() {
    file=$tree/$1
    shift
    printf '%s\n' "$@" >"$file"
}

run() {
    sh "$here/$lint.sh" "$@" >"$work/out" 2>&1
}

good() {
    cases=$((cases + 1))
    if ! run "$@"; then
        echo "a good tree fails:"
        cat "$work/out"
        wrong=1
    fi
}

# bad WORDS ARGUMENT...   the lint must fail and say WORDS
bad() {
    words=$1
    shift
    cases=$((cases + 1))
    if run "$@"; then
        echo "passes, but should say: $words"
        wrong=1
    elif ! grep -qF -- "$words" "$work/out"; then
        echo "fails without saying: $words"
        cat "$work/out"
        wrong=1
    fi
}

# bad_c WORDS FILE LINE...   the same with one file of a fresh tree changed
bad_c() {
    expected=$1
    shift
    fresh
    put "$@"
    bad "$expected" "$tree"
}

# Prints the first N lines of one repeated text.
repeat() {
    awk -v n="$1" -v text="$2" 'BEGIN { for (i = 0; i < n; i++) print text }'
}

# objects ROOM FILE   compiles and lists one object
objects() {
    "${CC:-cc}" -std=c11 -fno-builtin -w -fPIC -I"$tree/include" -I"$tree/lib" -c "$tree/$2" -o "$work/$1.o"
    echo "$work/$1.o" >"$work/$1.list"
}

try_layers() {
    fresh; good "$tree"
    bad_c 'room mp4 may not include "abr/x.h"' lib/mp4/two.c '#include "abr/x.h"'
    bad_c 'room mp4 may not include cadmium/manifest.h' lib/mp4/two.c '#include "cadmium/manifest.h"'
    bad_c 'room engine may not include cadmium/text.h' lib/engine/e.c '#include "cadmium/text.h"'
    bad_c 'others may include only its public header' lib/engine/e.c '#include "abr/inner.h"'
    bad_c 'room abr may not include <expat.h>' lib/abr/a.c '#include <expat.h>'
    bad_c 'room drive may not include <libavutil/md5.h>' lib/drive/a.c '#  include <libavutil/md5.h>'
    bad_c '<pthread.h> is not for layers 0 to 2' lib/base/a.c '#include <pthread.h>'
    bad_c 'a public header may not include "base/x.h"' include/cadmium/abr.h '#include "base/x.h"'
    bad_c 'may not include cadmium/engine.h' include/cadmium/abr.h '#include "cadmium/engine.h"'
    bad_c 'an edge header may hold no code' include/cadmium/store.h 'static inline int f(void) { return 0; }'
    bad_c 'cadmium/new.h is not in layers.table' lib/abr/a.c '#include "cadmium/new.h"'
    # Nobody of layers 1 and 2 but the engine knows another room, whichever two there are; nor does a new file of one.
    below='mp4 manifest timedtext msl abr steer fetch telemetry'
    fresh
    for room in $below; do
        mkdir -p "$tree/lib/$room"
        for other in $below engine drm drive media; do
            if [ $room = $other ]; then continue; fi
            put lib/$room/new.c "#include \"$other/$other.h\""
            bad "lib/$room/new.c:1: room $room may not include \"$other/$other.h\"" "$tree"
        done
        rm "$tree/lib/$room/new.c"
    done
    for other in timedtext drm drive media; do
        bad_c "room engine may not include \"$other/x.h\"" lib/engine/new.c "#include \"$other/x.h\""
    done
    # A table that would allow it is no way around.
    fresh
    sed 's/^room abr .*/room abr 1 mp4 -/' "$here/layers.table" >"$work/table"
    bad 'room abr of layer 1 may not know mp4 of layer 1' "$tree" "$work/table"
    sed 's/^room fetch .*/room fetch 1 engine -/' "$here/layers.table" >"$work/table"
    bad 'room fetch of layer 1 may not know engine of layer 2' "$tree" "$work/table"
    sed 's/^room steer .*/room steer 2 abr -/' "$here/layers.table" >"$work/table"
    bad 'room steer: layer 2 is for the engine alone' "$tree" "$work/table"
    fresh; mkdir "$tree/lib/attic"; put lib/attic/a.c '#include <stdint.h>'; bad 'belongs to no room' "$tree"
    rm -rf "$tree"; mkdir -p "$tree/lib" "$tree/include"; bad 'no sources found' "$tree"
}

try_banned() {
    fresh; good "$tree"
    bad_c 'getenv()' lib/drive/a.c 'const char *s = getenv("A");'
    bad_c 'printf()' lib/drive/a.c 'void f(void) { /* note */ printf ("a"); }'
    bad_c 'malloc()' lib/drive/a.c 'void *f(void) { return malloc(1); }'
    bad_c 'strcpy()' lib/base/a.c 'void f(char *s) { strcpy(s, ""); }'
    bad_c 'double' lib/abr/a.c 'static const double half = 0.5;'
    bad_c 'long' lib/abr/a.c 'unsigned long n;'
    bad_c 'clock_gettime()' lib/engine/a.c 'int f(void) { return clock_gettime(0, 0); }'
    bad_c '#if inside a function' lib/drive/a.c 'int f(void) {' '#ifdef A' 'return 1;' '#endif' 'return 0; }'
    bad_c 'a.c:3: free()' lib/mp4/a.c '/* a' '*/' 'void f(void *p) { free(p); }'
    fresh; put lib/mp4/a.c 'void f(struct a *p) { p->free(p); }'; good "$tree"
    put ok.table 'call free lib' 'allow lib/mp4/a.c free'; put lib/mp4/a.c 'free(p);'; good "$tree" "$tree/ok.table"
}

try_statics() {
    fresh; objects base lib/base/one.c; good "$work/base.list"
    put lib/base/one.c 'int cad_count(void);' 'int cad_count(void) { static int n; return n++; }'
    objects base lib/base/one.c; bad 'in .bss' "$work/base.list"
    put lib/base/one.c 'int cad_global = 3;'
    objects base lib/base/one.c; bad 'mutable cad_global in .data' "$work/base.list"
}

try_symbols() {
    table=$here/symbols.table
    fresh; objects base lib/base/one.c; objects mp4 lib/mp4/two.c; objects engine lib/engine/engine.c
    good "$table" "base=$work/base.list" "mp4=$work/mp4.list" "engine=$work/engine.list"
    for name in pthread_create socket clock_gettime fopen read getenv rand puts malloc XML_Parse; do
        put lib/mp4/two.c "extern char $name[];" "char *cad_mp4(void);" "char *cad_mp4(void) { return $name; }"
        objects mp4 lib/mp4/two.c; bad "mp4/mp4.o: may not use $name" "$table" "mp4=$work/mp4.list"
    done
    put lib/abr/a.c 'int cad_mp4(void);' 'int cad_abr(void);' 'int cad_abr(void) { return cad_mp4(); }'
    objects mp4 lib/abr/a.c; mv "$work/mp4.list" "$work/abr.list"
    sed -i 's/mp4.o/abr.o/' "$work/abr.list"; mv "$work/mp4.o" "$work/abr.o"
    fresh; objects mp4 lib/mp4/two.c
    bad 'may not use cad_mp4 of room  mp4' "$table" "base=$work/base.list" "mp4=$work/mp4.list" "abr=$work/abr.list"
}

try_lengths() {
    fresh; good "$tree"
    { echo 'int f(void) {'; repeat 69 ';'; echo '}'; } >"$tree/lib/abr/a.c"
    bad 'f() has 71 lines, at most 70' "$tree"
    put allow 'switch lib/abr/a.c f'; good "$tree" "$tree/allow"
    { echo 'int f(void) {'; repeat 119 ';'; echo '}'; } >"$tree/lib/abr/a.c"
    bad 'f() has 121 lines, at most 120' "$tree" "$tree/allow"
    bad_c 'has 6 parameters' lib/abr/a.c 'int f(int a, int b, void (*g)(int, int), int c, int d, int e) {}'
    fresh; put lib/abr/a.c 'int f(int a, int b, void (*g)(int, int), int c, int d) { return 0; }'; good "$tree"
    repeat 901 '' >"$tree/lib/abr/a.c"; bad '901 lines, at most 900' "$tree"
    fresh; repeat 401 '' >"$tree/include/cadmium/abr.h"; bad '401 lines, at most 400' "$tree"
    bad_c '101 columns' lib/abr/a.c "/* $(repeat 95 x | tr -d '\n') */"
}

try_headers() {
    fresh; good "$tree"
    bad_c 'not C11 alone' include/cadmium/abr.h '#ifndef B' '#define B' 'size_t cad_n(void);' '#endif'
    bad_c 'not C++11 alone' include/cadmium/abr.h '#ifndef B' '#define B' 'struct b { int class; };' '#endif'
    bad_c 'not C11 alone' include/cadmium/abr.h 'struct b { int a; };'
    bad_c 'without extern "C"' include/cadmium/abr.h '#ifndef B' '#define B' 'int cad_b(void);' '#endif'
}

try_words() {
    fresh; good "$tree"
    bad_c 'docs/map.md:1' docs/map.md 'see issue ''#12'
    bad_c 'docs/map.md:2' docs/map.md '' 'made in /wor''k/main'
    bad_c 'lib/abr/a.c:1' lib/abr/a.c '/* TODO: more */'
    bad_c 'lib/abr/a.c:1' lib/abr/a.c '/* FIXME */'
    bad_c 'docs/map.md:1' docs/map.md '.libr''ary'
    fresh; put docs/tp-1.mpd '<MPD/>'; bad 'a corpus file' "$tree"
}

try_readme() {
    fresh
    mkdir "$tree/examples"
    put examples/embed_minimal.c 'int main(void);'
    put README.md '# x' '' '    scripts/demo.sh' '    scripts/test.sh' '' '```c' 'int main(void);' '```'
    cp "$tree/README.md" "$work/readme"
    good "$tree"
    put examples/embed_minimal.c 'int main(int argc);'; bad 'the example differs' "$tree"
    put examples/embed_minimal.c 'int main(void);'
    put README.md '# x' '' '    make' '' '```c' 'int main(void);' '```'; bad 'the first commands' "$tree"
    { cat "$work/readme"; echo '[a](docs/gone.md)'; } >"$tree/README.md"; bad 'docs/gone.md' "$tree"
    cp "$work/readme" "$tree/README.md"; put docs/map.md '(lost.md)'; bad 'lost.md' "$tree"
    mkdir -p "$tree/player-sdl" "$tree/tests/mock"
    put docs/map.md '`cad_mp4` in `two.c`, lib/engine/engine.c: `run`'; good "$tree"
    put docs/map.md '`cad_mp4_gone`'; bad 'cad_mp4_gone, which' "$tree"
    put docs/map.md '`three.c`'; bad 'three.c, which' "$tree"
    put docs/map.md 'lib/engine/gone.c'; bad 'lib/engine/gone.c, which' "$tree"
}

try_size() {
    fresh
    "${CC:-cc}" -shared -fPIC -I"$tree/include" -o "$work/core.so" "$tree/lib/base/one.c"
    good "$work/core.so"
    bad 'the core is too large' "$work/core.so" 1000
    : >"$work/empty.c"
    mkdir "$work/away"
    "${CC:-cc}" -shared -fPIC -Wl,-soname,libavcodec.so.59 -o "$work/away/libavcodec.so.59" "$work/empty.c"
    "${CC:-cc}" -shared -fPIC -Wl,--no-as-needed -o "$work/core.so" "$work/empty.c" "$work/away/libavcodec.so.59"
    bad 'libavcodec' "$work/core.so"
}

"try_$lint"
echo "$lint: $cases cases"
exit $wrong
