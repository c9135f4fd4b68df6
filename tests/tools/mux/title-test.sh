#!/usr/bin/env bash
# A title that make-title.sh protected is the clear one it was made of, to our own CDM and to ffmpeg; each of its
# three keys opens what it should.
# usage: title-test.sh MUX_CHECK CLEAR_DIR PROTECTED_DIR SCHEME
set -u
mux_check=$1
clear=$2
title=$3
scheme=$4
failed=0
null=/dev/null

if [[ ! -s $title/manifest.json ]] || ! command -v ffmpeg >"$null"; then
    echo 'no title to look at'
    exit 77
fi

check() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED $1: '$2', not '$3'"
        failed=1
    fi
}
key_of() { sed -n "s/^\([0-9a-f]*\):\([0-9a-f]*\) $1\$/\\$2/p" "$title/.keys"; }
packets() { ffmpeg -v error "$@" -map 0 -c copy -f framemd5 - 2>"$null" | grep -v '^#' | cut -d, -f1-6; }

check 'keys' "$(cut -d' ' -f2 "$title/.keys" | tr '\n' ' ')" 'audio sd hd '
check 'who may read the keys' "$(stat -c %a "$title/.keys")" 600
for file in "$clear"/*.mp4; do
    name=${file##*/}
    role=sd
    case $name in audio-*) role=audio ;; video-400.mp4) role=hd ;; esac
    if ! "$mux_check" "$title/.keys" "$file" "$title/$name" >"$null"; then
        echo "FAILED $name: our own CDM"
        failed=1
    fi
    check "$name: to ffmpeg" "$(packets -decryption_key "$(key_of $role 2)" -i "$title/$name" | md5sum)" \
        "$(packets -i "$file" | md5sum)"
    check "$name: key id in it" "$(od -An -v -tx1 -N 4096 "$title/$name" | tr -d ' \n' | grep -c "$(key_of $role 1)")" 1
done
check 'rungs under protection' "$(grep -o '"content_profile":"[a-z0-9A-Z.-]*"' "$title/manifest.json" | sort | uniq -c | tr -s ' \n' ' ')" \
    " 1 \"content_profile\":\"av1-main-L40-dash-$scheme-prk\" 1 \"content_profile\":\"ddplus-5.1-dash\" 2 \"content_profile\":\"heaac-2-dash\" 4 \"content_profile\":\"playready-h264mpl40-dash\" "
check 'clear streams' "$(grep -c '"isDrm":false' "$title/manifest.json")" 0
check 'subtitles' "$(grep -o '"downloadableIds":{"imsc1.1":"text-[a-z]*"}' "$title/manifest.json" | tr -d '{}\n')" \
    '"downloadableIds":"imsc1.1":"text-en""downloadableIds":"imsc1.1":"text-de"'
check 'schemes in the MPD' "$(grep -o 'mp4protection:2011" value="[a-z]*"' "$title/title.mpd" | sort -u)" \
    "mp4protection:2011\" value=\"$scheme\""
check 'sidecars in the MPD' "$(grep -c '<BaseURL>text-[a-z]*[.]ttml</BaseURL>' "$title/title.mpd")" 2
for lang in en de; do
    check "cues in $lang" "$(grep -c '<p ' "$title/text-$lang.ttml")" 8
done
exit $failed
