#!/usr/bin/env bash
# Makes the small title that tests play, and the same under protection beside it (OUT-cenc, OUT-cbcs): the ctest
# fixture "title".
# usage: title-fixture.sh SOURCE_DIR MOCKD OUT [MUX]
set -eu
if ! command -v ffmpeg >/dev/null; then
    echo 'ffmpeg is missing: scripts/install-deps.sh demo'
    exit 77
fi
"$1/scripts/make-title.sh" --preset small --duration 20 --dash number,time,periods --mockd "$2" --out "$3"
if [[ $# -lt 4 ]]; then exit; fi
for scheme in cenc cbcs; do
    "$1/scripts/make-title.sh" --preset small --duration 20 --drm $scheme --of "$3" --mockd "$2" --mux "$4" --out "$3-$scheme"
done
