# What the window-*test.sh share: a virtual display, pictures of a window on it, and an end that leaves nothing.
# usage: . window-display.sh    then open_display; what the test starts besides is in $playing and $service
for program in Xvfb import convert; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "$program is missing: scripts/install-deps.sh test"
        exit 77
    fi
done
# Libraries behind the window (D-Bus, Mesa) keep memory to the end, partly in modules that are unloaded
# by then, which a leak checker cannot name. Leaks are looked for in the runs without a window.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
work=$(mktemp -d)
# Nothing is kept beside the test.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME
server=
service=
playing=

finish() {
    for process in $playing $service $server; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/out" "$work/err" 2>/dev/null || true
    exit 1
}

# Waits until a file has something in it.
await() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if [ -s "$1" ]; then return; fi
        sleep 0.25
    done
    fail "nothing in $1"
}

# The server names a free display by itself.
open_display() {
    Xvfb -displayfd 3 -screen 0 1600x900x24 3>"$work/display" >/dev/null 2>&1 &
    server=$!
    await "$work/display"
    DISPLAY=:$(cat "$work/display")
    SDL_AUDIODRIVER=dummy
    SDL_RENDER_DRIVER=software
    export DISPLAY SDL_AUDIODRIVER SDL_RENDER_DRIVER
}

# shoot NAME TITLE   the window alone, found by its title: 1280x720
shoot() {
    import -window "$2 - cadmium-play" "$work/$1.png" || fail "no window called $2"
    [ "$(convert "$work/$1.png" -format '%wx%h' info:)" = 1280x720 ] || fail "the window's size"
}
