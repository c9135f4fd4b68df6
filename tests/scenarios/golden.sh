#!/bin/sh
# Plays a scenario and compares its decision log with tests/golden/scenario/NAME.log.
# usage: golden.sh CADMIUM-SIM NAME [--update]   --update writes the golden file anew
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sim=$1
name=$2
golden=$here/../golden/scenario/$name.log
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$sim" --scenario "$here/$name.scn" --check --log "$log"
if [ "${3:-}" = --update ]; then
    mkdir -p "$(dirname "$golden")"
    cp "$log" "$golden"
    exit 0
fi
if ! diff -u "$golden" "$log"; then
    echo "decisions differ; if that was meant: $0 $sim $name --update"
    exit 1
fi
