#!/usr/bin/env bash
# Protected titles: every picture and sound of them is that of the clear title, by cenc and by cbcs, from a licensed
# manifest and from an MPD; licences that are late, refused, broken, or not asked for at all; no key is ever told.
# usage: play-drm.sh PLAY MOCKD TITLE_DIR   (TITLE_DIR-cenc, TITLE_DIR-cbcs)
set -u
. "$(dirname "$0")/play.bash"
clear_title=$title
for scheme in cenc cbcs; do
    if [[ ! -s $title-$scheme/manifest.json ]]; then
        echo 'no protected title to play'
        exit 77
    fi
done

# whole NAME OPTION...   plays all of it, as fast as can be, at one rung: $work/NAME.pictures, $work/NAME.sound
whole() {
    local name=$1
    shift
    run --fast --rung 2 --no-store --framemd5 "$work/$name.pictures" --soundmd5 "$work/$name.sound" "$@" </dev/null
    check "$name: status" $status 0
    check "$name: ends" "$(events end)" 1
    check "$name: errors" "$(events error)" 0
    check "$name: pictures" "$(wc -l <"$work/$name.pictures")" 480
}

same() {
    check_that "pictures of $2 and $1" cmp -s "$work/$1.pictures" "$work/$2.pictures"
    check_that "sound of $2 and $1" cmp -s "$work/$1.sound" "$work/$2.sound"
}

# Keys of the title in every spelling that a log or a report might have them in.
no_keys_in() {
    local key coded spelling
    while IFS=: read -r _ key _; do
        key=${key%% *}
        coded=$(printf '%b' "$(sed 's/../\\x&/g' <<<"$key")" | base64)
        check 'bytes of a key' ${#coded} 24
        for spelling in "$key" "${key^^}" "$coded" "$(tr '+/' '-_' <<<"$coded" | tr -d =)"; do
            check "a key in what was told" "$(grep -Fc -e "$spelling" "$@" | awk -F: '{ n += $NF } END { print n + 0 }')" 0
        done
    done < <(sed 's/#.*//' "$title/.keys" | grep :)
}

serve
whole clear --title 900100 "$base"
whole clear-mpd "$base/files/title.mpd"
unserve

for scheme in cenc cbcs; do
    title=$clear_title-$scheme
    serve
    whole $scheme --title 900100 "$base"
    same clear $scheme
    check "$scheme: keys" "$(grep -o '"event":"keys"[^}]*' "$work/events" | grep -c usable)" 1
    check "$scheme: refused licences" "$(counts denied)" 0
    no_keys_in "$work/events" "$work/err" "$work/log" "$log"
    whole $scheme-mpd "$base/files/title.mpd"
    same clear-mpd $scheme-mpd
    unserve
done

# A licence late by two seconds: the picture comes with it, media are there before it, and it is no stall.
title=$clear_title-cenc
serve
control '/licence/delay?ms=2000'
run --no-store --until 3 --title 900100 "$base" </dev/null
check 'late: status' $status 0
check 'late: stalls' "$(events stall_begin)" 0
startup=$(field end startup_s)
first=$(grep -n '"kind":"licence"' "$log" | head -n 1 | cut -d: -f1)
check_that 'late: media before the licence' test "$(head -n "${first:-0}" "$log" | grep -c '"kind":"range"')" -ge 4
check_that 'late: the first picture with it' awk -v t="${startup:-0}" 'BEGIN { exit !(t >= 1.9 && t < 3) }'

refused() {
    control "$1"
    run --no-store --title 900100 "$base" </dev/null
    check_that "$2: status" test $status -ne 0
    check "$2" "$(field error code)" "$2"
    check "$2: pictures" "$(events first_frame)" 0
    control /licence/ok
}
refused '/licence/refuse?message=too+many+devices' DRM_LICENCE_DENIED
check_that 'the words of the service' grep -q 'too many devices' "$work/events"
refused /licence/garbage DRM_LICENCE_BAD
refused /licence/cut DRM_LICENCE_BAD
refused '/licence/status?code=503' DRM_LICENCE_NET

# Keys at hand: nobody is asked.
given=$(counts given)
keys=()
while IFS=: read -r kid key _; do keys+=(--key "$kid:${key%% *}"); done < <(sed 's/#.*//' "$title/.keys" | grep :)
control '/licence/refuse'
whole keys "${keys[@]}" --title 900100 "$base"
same clear keys
check 'licences that were asked for' "$(counts given)" "$given"
no_keys_in "$work/events" "$work/err" "$work/log" "$log"
unserve
finish
