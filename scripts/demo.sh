#!/usr/bin/env bash
# Makes a title, serves it with the mocks, plays it, and says how it went.
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/demo.sh [--headless] [--drm SCHEME] [--mpd] [--video FILE] [--help] [-- ARGUMENT...]

Installs what is missing, builds, makes a title under build/title (once), starts the mocks on loopback and
plays the title with English subtitles and figures over the picture: in a window where there is a display, else
headless. Ends with a summary of what the player did and what the services saw; the exit status is the player's.

  --headless     no window, even where there is a display
  --drm SCHEME   play it protected by cenc or cbcs, with keys from the mocks' licence service
  --mpd          play the title's MPD; else the service is asked for its licensed manifest
  --video FILE   make the title anew from this video
  -- ARGUMENT... handed to cadmium-play, for example: -- --until 20 --subtitles de
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
title_id=900100
headless=
video=
mpd=
drm=
while (($# > 0)); do
    case $1 in
    --headless) headless=yes ;;
    --mpd) mpd=yes ;;
    --drm)
        if (($# < 2)) || [[ ! $2 =~ ^(cenc|cbcs)$ ]]; then
            echo "demo: --drm takes cenc or cbcs" >&2
            exit 2
        fi
        drm=$2
        shift
        ;;
    --video)
        if (($# < 2)) || [[ ! -r $2 ]]; then
            echo "demo: --video needs a readable file" >&2
            exit 2
        fi
        video=$(realpath "$2")
        shift
        ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
cd "$root" || exit 1
work=build/demo
bin=build/release/bin
title_dir=build/title
if [[ -n $drm ]]; then title_dir=build/title-$drm; fi
mock_pid=

# For awk: the value of a field of the flat JSON object in the line, "" if it has none.
json_field='function field(name,    at) {
    if (!match($0, "\"" name "\"[ ]*:[ ]*(\"[^\"]*\"|[^,}]*)")) return ""
    at = substr($0, RSTART, RLENGTH)
    sub(/^[^:]*:[ ]*/, "", at)
    gsub(/"/, "", at)
    return at
}
'

stop_mocks() {
    if [[ -n $mock_pid ]]; then
        kill "$mock_pid" 2>/dev/null
        wait "$mock_pid" 2>/dev/null
        mock_pid=
    fi
}
trap stop_mocks EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() {
    printf '\n== %s\n' "$1"
}

give_up() {
    echo "demo: $1" >&2
    exit 1
}

build() {
    step 'build'
    cmake --preset release >"$work/configure.log" 2>&1 ||
        { tail -n 20 "$work/configure.log" >&2; give_up 'CMake failed'; }
    # The programs by file name: the tests need not be built to play.
    cmake --build build/release --target bin/cadmium-play bin/cadmium-mockd bin/cadmium-mux ||
        give_up 'the build failed'
}

make_title() {
    if [[ -n $video || ! -s build/title/title.mpd ]]; then
        step 'make a title'
        scripts/make-title.sh ${video:+"$video"} || give_up 'no title was made'
    elif [[ ! -s build/title/text-en.ttml ]]; then
        # One of the days before subtitles.
        "$bin/cadmium-mockd" --describe build/title --write-text || give_up 'no subtitles were made'
        "$bin/cadmium-mockd" --describe build/title --mpd >"$work/title.mpd" &&
            mv "$work/title.mpd" build/title/title.mpd || give_up 'the MPD was not made anew'
    fi
    if [[ -z $drm || build/title/text-en.ttml -ot $title_dir/text-en.ttml ]]; then return; fi
    step "protect it by $drm"
    scripts/make-title.sh --drm "$drm" --of build/title --out "$title_dir" --force || give_up 'it was not protected'
}

# Starts the mocks on ports that are free, and waits until they listen.
start_mocks() {
    step 'start the mocks'
    rm -f "$work/ready.json" "$work/access.jsonl" "$work/account.json"
    "$bin/cadmium-mockd" --title-dir "$title_dir" --port 0 --account "$work/account.json" --ready-file "$work/ready.json" \
        --access-log "$work/access.jsonl" >"$work/mockd.log" 2>&1 &
    mock_pid=$!
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if [[ -s $work/ready.json ]]; then break; fi
        kill -0 "$mock_pid" 2>/dev/null || break
        sleep 0.1
    done
    base=$(sed -n 's/.*"base" *: *"\([^"]*\)".*/\1/p' "$work/ready.json" 2>/dev/null)
    if [[ -z $base ]]; then
        tail -n 20 "$work/mockd.log" >&2
        give_up 'the mocks did not start'
    fi
    echo "serving title $title_id at $base"
}

# Turns the player's JSON lines into lines for a person, while it plays.
tell() {
    awk "$json_field"'
    {
        event = field("event")
        t = field("t") + 0
        if (start == "") start = t
        if (event == "rung" && field("track") == "audio") what = "sound at " field("kbps") " kbit/s"
        else if (event == "rung") what = "picture " field("width") "x" field("height") " at " field("kbps") " kbit/s"
        else if (event == "first_frame") what = "first picture"
        else if (event == "stall_begin") what = "stall"
        else if (event == "stall_end") what = "plays on"
        else if (event == "seek_done") what = "seek done, at " field("to") " s"
        else if (event == "track" && field("track") == "text") what = "subtitles: " (field("id") == "" ? "off" : field("id"))
        else if (event == "track") what = (field("track") == "audio" ? "sound" : "picture") " of track " field("id")
        else if (event == "keys") what = "keys: " field("status")
        else if (event == "probes") what = sprintf("fastest server %s, %.1f ms", field("target"), field("latency") * 1000)
        else if (event == "error") what = "error: " field("message") " (" field("code") ")"
        else if (event == "server") what = (field("track") == "audio" ? "sound" : "picture") " from server " field("id")
        else if (event == "load") what = "loaded"
        else if (event == "end") what = "end"
        else next
        printf "  %7.2f s  %s\n", t - start, what
        fflush()
    }'
}

play() {
    local options=(--json-stats --subtitles en --store "$work/store")
    rm -f "$work/subtitles.txt"
    if [[ -n $headless || -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
        options+=(--headless --dump-text "$work/subtitles.txt")
        step 'play, headless'
    else
        options+=(--overlay)
        step 'play (i hides the figures, v changes subtitles, q ends it)'
    fi
    local target=(--title "$title_id" "$base")
    if [[ -n $mpd ]]; then target=("$base/files/title.mpd"); fi
    "$bin/cadmium-play" "${options[@]}" "$@" "${target[@]}" | tee "$work/stats.jsonl" | tell
    return "${PIPESTATUS[0]}"
}

# What the mocks took: events and logs of the account, probes and licences of the access log.
services() {
    if [[ ! -s $work/account.json ]]; then return; fi
    local events logs
    if [[ -n $mpd ]]; then return; fi # an MPD links to no services
    events=$(sed -n 's/^{"events":{"held":[0-9]*,"types":{\([^}]*\)}.*/\1/p' "$work/account.json" | tr -d '"' | sed 's/:/ /g; s/,/, /g')
    logs=$(sed -n 's/.*"logs":{"batches":\([0-9]*\),"entries":\([0-9]*\).*/\2 entries in \1 batches/p' "$work/account.json")
    echo '  the services saw:'
    echo "    events       ${events:-none}"
    echo "    logs         ${logs:-none}"
    awk "$json_field"'
    {
        kind = field("kind")
        count[kind]++
        if (kind == "probe" && !(field("host") in hosts)) { hosts[field("host")] = 1; servers++ }
    }
    END {
        printf "    probes       %d, of %d servers\n", count["probe"], servers
        if (count["licence"]) printf "    licences     %d\n", count["licence"]
    }' "$work/access.jsonl"
}

# The end event of the player and the access log of the mocks, as a table.
summary() {
    step 'summary'
    awk "$json_field"'
    /"event" *: *"error"/ { errors++ }
    /"event" *: *"end"/ {
        ended = 1
        if (field("startup_s") == "null") {
            print "  nothing was played"
            next
        }
        printf "  startup        %.3f s\n", field("startup_s")
        printf "  stalls         %d (%.1f s)\n", field("stalls"), field("stall_s")
        printf "  mean rate      %d kbit/s\n", field("mean_kbps")
        print "  rung switches  " field("switches")
        print "  frames         " field("frames") " shown, " field("dropped") " dropped"
        if (field("protected") == "true")
            printf "  keys           %s, licence in %.0f ms\n", field("keys"), field("licence_s") * 1000
    }
    END {
        if (!ended) print "  the player did not say how it ended"
        if (errors) print "  errors         " errors
    }' "$work/stats.jsonl"
    if [[ -s $work/subtitles.txt ]]; then
        echo "  subtitles      $(wc -l <"$work/subtitles.txt") shown, as in $work/subtitles.txt"
    fi
    services
    if [[ ! -s $work/access.jsonl ]]; then return; fi
    echo '  requests by server:'
    awk "$json_field"'
    {
        host = field("host")
        if (!(host in requests)) names[n++] = host
        requests[host]++
        bytes[host] += field("bytes")
        if (field("status") + 0 >= 400) bad[host]++
    }
    END {
        for (i = 0; i < n; i++)
            printf "    %-28s %5d requests  %8.1f MB  %d refused\n", names[i], requests[names[i]],
                bytes[names[i]] / 1e6, bad[names[i]]
    }' "$work/access.jsonl"
}

mkdir -p "$work"
step 'set-up'
scripts/install-deps.sh demo || give_up 'some packages are missing'
build
make_title
start_mocks
play "$@"
status=$?
stop_mocks
summary
if ((status != 0)); then echo "cadmium-play ended with status $status"; fi
exit "$status"
