#!/usr/bin/env bash
# Makes the small title that tests play: the ctest fixture "title".
# usage: title-fixture.sh SOURCE_DIR MOCKD OUT
set -eu
if ! command -v ffmpeg >/dev/null; then
    echo 'ffmpeg is missing: scripts/install-deps.sh demo'
    exit 77
fi
exec "$1/scripts/make-title.sh" --preset small --duration 20 --dash number,time,periods --mockd "$2" --out "$3"
