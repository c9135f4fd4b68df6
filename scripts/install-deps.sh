#!/bin/sh
# Installs what is missing to build, test or demonstrate libcadmium, and nothing else (Debian, Ubuntu).
# With everything there it takes a moment and needs neither network nor rights.
set -eu

usage() {
    cat <<'TEXT'
usage: scripts/install-deps.sh [--list] [build|test|demo|all]

  build   compilers, CMake and the libraries; enough for every program
  demo    build, and what makes a title to play (the ffmpeg program)
  test    demo, and what the tests need (clang, cmocka, ctags, a virtual display, ...)
  all     the same as test (this is what happens without an argument)

  --list  only print the packages that are missing
TEXT
}

# A word is one package; a|b is satisfied by either, and a is installed if it can be.
build_packages='gcc libc6-dev cmake ninja-build pkg-config|pkgconf ca-certificates
    libcurl4-openssl-dev|libcurl4-gnutls-dev libexpat1-dev libmbedtls-dev zlib1g-dev
    libavcodec-dev libavformat-dev libavfilter-dev libavutil-dev libswscale-dev
    libswresample-dev libdav1d-dev libsdl2-dev libmicrohttpd-dev
    libfreetype-dev|libfreetype6-dev libharfbuzz-dev libfribidi-dev libfontconfig-dev|libfontconfig1-dev fonts-dejavu-core'
demo_packages='ffmpeg'
test_packages='g++ clang libclang-rt-dev|libclang-rt-14-dev binutils libcmocka-dev universal-ctags
    curl openssl git make doxygen groff-base xvfb xauth imagemagick nginx-light|nginx'

# The same for systems that have no dpkg: programs and pkg-config modules to look for.
build_probes='gcc cmake ninja pkg-config libcurl expat zlib libavcodec libavformat libavfilter libavutil
    libswscale libswresample dav1d sdl2 libmicrohttpd
    freetype2 harfbuzz fribidi fontconfig'
demo_probes='ffmpeg'
test_probes='g++ clang nm objdump cmocka ctags curl openssl git make doxygen groff Xvfb xauth convert nginx'

say() {
    printf 'install-deps: %s\n' "$*" >&2
}

# Prints the packages of "$@" that are not installed.
missing_packages() {
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null |
        awk '$1 ~ /^.i/ { printf " %s", $2 }')
    for group in "$@"; do
        have=
        for package in $(printf '%s' "$group" | tr '|' ' '); do
            case "$installed " in *" $package "*) have=yes ;; esac
        done
        [ -n "$have" ] || printf '%s\n' "$group"
    done
}

# Prints which of the probes "$@" finds neither a program nor a pkg-config module.
missing_probes() {
    for probe in "$@"; do
        command -v "$probe" >/dev/null 2>&1 && continue
        pkg-config --exists "$probe" 2>/dev/null && continue
        printf '%s\n' "$probe"
    done
}

# Of each a|b the first that apt knows.
choose() {
    for group in "$@"; do
        chosen=${group%%|*}
        for package in $(printf '%s' "$group" | tr '|' ' '); do
            if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
                chosen=$package
                break
            fi
        done
        printf '%s\n' "$chosen"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

update_lists() {
    say 'apt-get update'
    as_root apt-get update -q
}

install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

install_with_apt() {
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        say 'these packages are missing, and this user may not install them (no sudo). As root:'
        printf '    apt-get update && apt-get install --no-install-recommends %s\n' "$(echo "$@" | sed 's/|[^ ]*//g')" >&2
        return 1
    fi
    updated=
    if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
        update_lists
        updated=yes
    fi
    # shellcheck disable=SC2046
    set -- $(choose "$@")
    say "installing $*"
    if install_packages "$@"; then return 0; fi
    if [ -n "$updated" ]; then return 1; fi
    # Lists that are old name files the mirror no longer has.
    update_lists
    install_packages "$@"
}

mode=all
list_only=
for argument in "$@"; do
    case $argument in
    build | test | demo | all) mode=$argument ;;
    --list) list_only=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
case $mode in
build) packages=$build_packages; probes=$build_probes ;;
demo) packages="$build_packages $demo_packages"; probes="$build_probes $demo_probes" ;;
*)
    packages="$build_packages $demo_packages $test_packages"
    probes="$build_probes $demo_probes $test_probes"
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    missing=$(missing_probes $probes)
    [ -n "$missing" ] || exit 0
    if [ -n "$list_only" ]; then printf '%s\n' "$missing"; exit 0; fi
    say "this system has no apt. Please install with its own tools (programs, or libraries with headers):"
    # shellcheck disable=SC2086
    printf '    %s\n' $missing >&2
    say 'and mbedTLS 2.28 with headers. On Debian 12 the packages are:'
    # shellcheck disable=SC2086
    echo $packages | fold -s -w 90 | sed 's/^/    /' >&2
    exit 1
fi

# shellcheck disable=SC2086
missing=$(missing_packages $packages)
[ -n "$missing" ] || exit 0
if [ -n "$list_only" ]; then
    printf '%s\n' "$missing"
    exit 0
fi
# shellcheck disable=SC2086
install_with_apt $missing
