# What the tests of a start over an emulated path share: what it needs, the network namespace that they run in, and the
# emulator.
# usage: . startup.bash    from a test that was given PLAY MOCKD TITLE_DIR LINKEMU: $play, $mockd, $title, $linkemu
# shellcheck disable=SC2034
play=$1 mockd=$2 title=$3 linkemu=$4
skip() {
    echo "$1"
    exit 77
}
if [[ ! -s $title/manifest.json ]]; then skip 'no title to play'; fi
if [[ ! -s $linkemu ]]; then skip 'there is no emulator of links beside the corpora (CAD_SHARED_DATA)'; fi
for program in openssl awk ip unshare; do
    if ! command -v $program >/dev/null; then skip "$program is missing: scripts/install-deps.sh test"; fi
done
if [[ $(id -u) != 0 || ! -e /dev/net/tun ]] || ! unshare -n -m true 2>/dev/null; then
    skip 'an emulated link needs root, /dev/net/tun and a network namespace of its own'
fi
if [[ ${5:-} != inside ]]; then exec unshare -n bash "$0" "$@" inside; fi

export no_proxy='*' NO_PROXY='*'
give_up() {
    echo "$1"
    exit 1
}
. "$(dirname "${BASH_SOURCE[0]}")/../bench/startup.bash"
settle
trap 'exit 1' INT TERM
if ! build_linkemu >"$work/cc.out" 2>&1; then
    cat "$work/cc.out"
    skip 'the emulator of links does not build here'
fi
