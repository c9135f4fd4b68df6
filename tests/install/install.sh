#!/bin/sh
# Installs the build into an empty prefix, moves that elsewhere, and uses it there as an application's
# engineer would: CMake package and pkg-config, shared and static, C and C++.
# usage: install.sh SOURCE_DIR BUILD_DIR VERSION CC LIBDIR   (LIBDIR: relative to the prefix)
set -eu
source=$1
build=$2
version=$3
CC=$4
libdir=$5
export CC
unset LD_LIBRARY_PATH DESTDIR MAKEFLAGS || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/moved
so=${version%%.*}

fail() {
    echo "install: $*"
    exit 1
}

# Runs quietly; what was said is shown when it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "$*"; }
}

run() {
    "$@" >"$work/log" 2>&1 || { status=$?; cat "$work/log"; fail "exit status $status: $*"; }
    tail -n 1 "$work/log"
}

# ---- the tree ------------------------------------------------------------------------------------

check_components() {
    quietly env DESTDIR="$work/dest" cmake --install "$build" --prefix /opt/cad --component runtime
    find "$work/dest" ! -type d | sed "s|^$work/dest||" | LC_ALL=C sort >"$work/runtime"
    for library in cadmium cadmium-sim cadmium-media; do
        printf '%s\n' "/opt/cad/$libdir/lib$library.so.$so" "/opt/cad/$libdir/lib$library.so.$version"
    done | LC_ALL=C sort >"$work/expected"
    diff -u "$work/expected" "$work/runtime" || fail 'component runtime, by DESTDIR, is not as expected'
}

check_tree() {
    quietly cmake --install "$build" --prefix "$work/first"
    mv "$work/first" "$prefix"
    for file in bin/cadmium-sim bin/cadmium-manifest bin/cadmium-ttml include/cadmium/cadmium.h \
        "$libdir/libcadmium.so" "$libdir/libcadmium.a" "$libdir/pkgconfig/cadmium-media.pc" \
        share/man/man1/cadmium-sim.1 share/man/man1/cadmium-manifest.1 share/man/man1/cadmium-ttml.1 share/doc/libcadmium/CHANGELOG.md; do
        [ -e "$prefix/$file" ] || fail "$file was not installed"
    done
    if grep -rlIF -e "$work/first" -e "$source" "$prefix/$libdir" "$prefix/include"; then
        fail 'these files name the place they were built in or installed to'
    fi
    for library in "$prefix/$libdir"/*.so; do
        LC_ALL=C ldd "$library" >"$work/ldd"
        if grep 'not found' "$work/ldd"; then fail "$library: the run path does not find its libraries"; fi
    done
    for archive in "$prefix/$libdir"/*.a; do
        nm --defined-only --extern-only "$archive" 2>/dev/null |
            awk 'NF == 3 && $3 !~ /^cad_/ { print $3; bad = 1 } END { exit bad }' ||
            fail "$archive: these names may meet an application's own"
    done
    for program in "$prefix/bin"/*; do
        quietly "$program" --help
    done
}

# Manual pages: every option that --help names, and no complaint of the formatter, where there is one.
check_pages() {
    for page in "$prefix"/share/man/man1/*.1; do
        program=$prefix/bin/$(basename "$page" .1)
        sed 's/\\-/-/g' "$page" >"$work/page"
        for option in $("$program" --help | grep -oE -e '--[a-z][a-z0-9-]*' | sort -u); do
            grep -qE -e "$option([^a-z0-9-]|\$)" "$work/page" || fail "$page does not have $option"
        done
    done
    command -v groff >/dev/null || { echo 'no groff: manual pages are not formatted'; return; }
    for page in "$prefix"/share/man/man1/*.1; do
        groff -man -Tutf8 -ww -z "$page" 2>"$work/log" || fail "$page"
        [ ! -s "$work/log" ] || { cat "$work/log"; fail "$page"; }
    done
}

# ---- the example project --------------------------------------------------------------------------

example=$source/examples/out-of-tree

by_cmake() {
    out=$work/cmake-$1
    quietly cmake -S "$example" -B "$out" -DCMAKE_PREFIX_PATH="$prefix" -DSTATIC="$2"
    quietly cmake --build "$out"
}

by_make() {
    out=$work/make-$1
    mkdir "$out"
    quietly make -C "$example" BUILD="$out" PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig" STATIC="$2"
}

# links FOLDER yes|no   whether the programs of FOLDER load libcadmium.so
links() {
    for program in virtual play; do
        LC_ALL=C ldd "$1/$program" >"$work/ldd"
        if grep 'not found' "$work/ldd"; then fail "$1/$program: a library is not found"; fi
        loads=no
        if grep -q "$prefix/.*libcadmium\.so" "$work/ldd"; then loads=yes; fi
        [ "$loads" = "$2" ] || { cat "$work/ldd"; fail "$1/$program: loads libcadmium.so: $loads"; }
    done
    run "$1/virtual" "$work/title.mp4"
}

check_example() {
    by_cmake shared OFF
    by_cmake static ON
    by_make shared ''
    by_make static 1
    links "$work/cmake-shared" yes
    links "$work/cmake-static" no
    links "$work/make-shared" yes
    links "$work/make-static" no
    run "$work/cmake-shared/play" "$work/title.mp4"
    run "$work/make-static/play" "$work/title.mp4"
}

# What --static says must have each library before what it needs.
check_static_order() {
    flags=$(PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig pkg-config --static --libs cadmium-media cadmium-sim)
    case " $flags " in
    *" -lcadmium-media "*" -lcadmium "*" -lcurl "*) ;;
    *) fail "pkg-config --static: $flags" ;;
    esac
}

# A version that promises nothing to this one is refused, and a component that is not there.
check_refusals() {
    for wanted in '0.0' '0.2' '1.0' "$version COMPONENTS teapot"; do
        mkdir -p "$work/refused"
        printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' 'project(x NONE)' \
            "find_package(cadmium $wanted QUIET)" \
            'if(cadmium_FOUND)' 'message(FATAL_ERROR "found")' 'endif()' >"$work/refused/CMakeLists.txt"
        quietly cmake -S "$work/refused" -B "$work/refused/build" -DCMAKE_PREFIX_PATH="$prefix"
    done
}

check_cxx() {
    cxx=$(command -v g++ || command -v clang++ || true)
    [ -n "$cxx" ] || { echo 'no C++ compiler: C++ is not tried'; return; }
    for standard in c++11 c++20; do
        quietly "$cxx" -std=$standard -Wall -Wextra -Wpedantic -Wold-style-cast -Werror \
            -I"$prefix/include" -o "$work/cxx" "$source/tests/install/cxx.cc" \
            -L"$prefix/$libdir" -lcadmium -Wl,-rpath,"$prefix/$libdir"
        run "$work/cxx"
    done
}

check_components
check_tree
check_pages
check_example
check_static_order
check_refusals
check_cxx
