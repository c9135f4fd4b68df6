#!/bin/sh
# Makes the API reference and expects no warning; then shows that there would be one for a function and a
# member without a comment.
# usage: api.sh SOURCE_DIR
set -eu
source=$1
if ! command -v doxygen >/dev/null; then
    echo "SKIP: doxygen is missing: scripts/install-deps.sh test"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# document TREE   leaves the warnings in TREE/warnings.txt
document() {
    sed -e "s|@PROJECT_SOURCE_DIR@|$1|g" -e "s|@PROJECT_VERSION@|0|" -e "s|@CAD_DOCS_DIR@|$1|" \
        -e 's|@CAD_DOCS_WARN@|NO|' "$source/docs/Doxyfile.in" >"$1/Doxyfile"
    (cd "$1" && doxygen Doxyfile) >"$1/log" 2>&1 || { cat "$1/log"; exit 1; }
    [ -s "$1/html/player_8h.html" ] || { echo 'no page of player.h was made'; exit 1; }
}

mkdir -p "$work/good" "$work/bad"
for tree in "$work/good" "$work/bad"; do
    mkdir "$tree/docs"
    cp -R "$source/include" "$tree/"
    cp "$source/docs/api.md" "$source/docs/doxygen-filter.awk" "$tree/docs/"
done

# A filter that loses lines would make warnings name wrong ones.
for header in "$source"/include/cadmium/*.h; do
    lines=$(awk -f "$source/docs/doxygen-filter.awk" "$header" | wc -l)
    if [ "$lines" -ne "$(wc -l <"$header")" ]; then
        echo "$header: $lines lines come out of docs/doxygen-filter.awk"
        exit 1
    fi
done

document "$work/good"
if [ -s "$work/good/warnings.txt" ]; then
    sed "s|$work/good/||" "$work/good/warnings.txt"
    echo "Say what these are in a comment, behind them or above (docs/doxygen-filter.awk)."
    exit 1
fi
grep -q 'out of memory or over the byte ceiling' "$work/good/html/error_8h.html" ||
    { echo 'the texts of the result list are missing'; exit 1; }

sed -e 's|^struct cad_player;|int cad_player_nobody(void);\n\n&|' \
    -e 's|^    void \*wakeup_ctx;|    int unsaid;\n&|' "$source/include/cadmium/player.h" \
    >"$work/bad/include/cadmium/player.h"
document "$work/bad"
for name in cad_player_nobody unsaid; do
    grep -q "$name" "$work/bad/warnings.txt" || { echo "$name has no comment, and no warning came"; exit 1; }
done
echo "$(find "$work/good/html" -name '*_8h.html' | wc -l) headers documented"
