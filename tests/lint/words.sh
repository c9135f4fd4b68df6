#!/bin/sh
# Checks that the project's files speak of the project only: no paths of one machine, no numbers of a
# tracker, nothing left to do, and no file of the corpora that are only read from beside the project.
# usage: words.sh ROOT
set -eu
root=$1
cd "$root"
if git rev-parse --show-toplevel >/dev/null 2>&1 && [ "$(git rev-parse --show-toplevel)" = "$(pwd -P)" ]; then
    list=$(git ls-files --cached --others --exclude-standard)
else
    list=$(find . \( -name .git -o -path './build*' \) -prune -o -type f -print | sed 's|^\./||')
fi
list=$(printf '%s\n' "$list" | grep -v '^tests/lint/' | LC_ALL=C sort || true)
if [ -z "$list" ]; then
    echo "no files found: is the root right?"
    exit 1
fi
status=0
pattern='/wor[k]/|\.librar[y]|/tmp/(build|cad)|[Ii]ssue #?[0-9]|\<(TODO|FIXME|XXX|HACK)\>'
if printf '%s\n' "$list" | tr '\n' '\0' | xargs -0 -r grep -IHnsE "$pattern" --; then
    status=1
fi
if printf '%s\n' "$list" | grep -E '(^|/)(tp-|w3c)[^/]*(/|$)'; then
    echo "a corpus file: it belongs beside the project, not in it"
    status=1
fi
echo "$(printf '%s\n' "$list" | wc -l) files checked"
exit $status
