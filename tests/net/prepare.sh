#!/usr/bin/env bash
# Titles prepared beside one that plays, with licences, probes and reports: the service is asked once for each.
# usage: prepare.sh CLIENT PLAY MOCKD TITLE_DIR
set -u
client=$1
shift
. "$(dirname "$0")/play.bash"
if [[ ! -s $title/.keys ]]; then
    echo 'no protected title to play'
    exit 77
fi
serve
timeout 60 "$client" "$base" "$work/store"
check 'client' $? 0
sleep 0.2
check 'manifests' "$(counts manifests)" 4
check 'licences' "$(curl -sS -m 10 "$control/counts" | sed 's/.*"licences":{"requests":\([0-9]*\),"given":\([0-9]*\).*/\1 \2/')" '8 8'
check 'events' "$(counts events)" 8
check 'left in the store' "$(find "$work/store" -name 'pb-*' | wc -l)" 0
check 'refused' "$(counts refused)" 0
unserve
finish
