#!/usr/bin/env bash
# Builds and tests libcadmium in every way it is built: gcc, clang, sanitizers, fuzzing.
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/test.sh [--quick | --all] [--help]

Installs what is missing, then builds with gcc and clang (warnings are errors), runs all tests, compares
what the simulator prints as either compiler built it, runs the tests again under AddressSanitizer and
UndefinedBehaviorSanitizer, and fuzzes each parser for a while. Ends with the line
"N passed, N failed, N skipped"; the exit status is 0 if none failed.

  --quick            only the gcc release build and its tests
  --all              under the sanitizers too every test that takes its time: whole titles in several
                     formats, scenarios in real time, sound devices

  CAD_FUZZ_SECONDS   seconds for each fuzz target (default 12)
  CAD_JOBS           build and test jobs at a time (default: one a processor)
TEXT
}

quick=
thorough=
for argument in "$@"; do
    case $argument in
    --quick) quick=yes ;;
    --all) thorough=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
logs=build/log
findings=build/fuzz/findings
fuzz_seconds=${CAD_FUZZ_SECONDS:-12}
jobs=${CAD_JOBS:-$(nproc)}
realtime='^(net|player|contract|real)$' # labels
# They take long, and what they run is run under the sanitizers by others: left out there without --all.
long='^(net/(play-(tracks|dash|expiry|tape|secrets)|nginx-link|black-dns|startup)|real/|contract/sink/sdl|tools/ftl-mockd)'
mkdir -p "$logs"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

passed=0
failed=0
skipped=0
lines=()

elapsed() {
    printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60))
}

heading() {
    step=$1
    step_start=$SECONDS
    printf '\n[%s] == %s\n' "$(elapsed)" "$step"
}

# note RESULT   closes the step in the summary
note() {
    lines+=("$(printf '%-44s %4d s  %s' "$step" $((SECONDS - step_start)) "$1")")
}

# A step that only has to work: counts when it fails.  must NAME LOG COMMAND...
must() {
    local log=$logs/$2.log
    heading "$1"
    shift 2
    if "$@" >"$log" 2>&1; then
        note ok
        return 0
    fi
    # What a compiler says stands before ninja's last words.
    grep -E -A 3 'error:|Error' "$log" | head -n 60 || tail -n 15 "$log"
    echo "(all of it: $log)"
    failed=$((failed + 1))
    note FAILED
    return 1
}

configure_and_build() {
    local preset=$1
    shift
    cmake --preset "$preset" && cmake --build "build/$preset" -j "$jobs" "$@"
}

# The number behind NAME= in the first testsuite element of a JUnit file.
junit_count() {
    grep -m1 -oE "\b$2=\"[0-9]+\"" "$1" | grep -oE '[0-9]+' || echo 0
}

# Why tests were skipped, by their own words, which ctest writes only to its JUnit file.
skip_reasons() {
    awk '
    /<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name); skipped = 0 }
    /<skipped / { skipped = 1 }
    skipped && sub(/.*<system-out>/, "") {
        sub(/<\/system-out>.*/, "")
        sub(/^SKIP: */, "")
        print "skipped: " name ": " ($0 == "" ? "no reason given" : $0)
        skipped = 0
    }' "$1"
}

# Tests that run in real time (sockets, devices, players) may be disturbed by whatever else the machine
# does: one that fails gets up to two more tries. All others get one. They wait more than they work, so
# that more of them run at a time.
run_tests() {
    run_ctest "$1" "tests, $1" -j "$jobs" -LE "$realtime"
    local options=(-j $((jobs * 4)) -L "$realtime" --repeat until-pass:3)
    if [[ $1 == asan && -z $thorough ]]; then options+=(-E "$long"); fi
    run_ctest "$1-realtime" "real time, $1" "${options[@]}"
}

# run_ctest NAME HEADING OPTION...   NAME begins with the preset.
run_ctest() {
    local name=$1
    local preset=${name%-realtime}
    local junit=$root/$logs/ctest-$name.xml
    local log=$logs/ctest-$name.log
    heading "$2"
    shift 2
    rm -f "$junit"
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@" \
        --output-junit "$junit" >"$log" 2>&1
    local status=$?
    sed -n -e '/\*\*\*/p' -e '/tests passed/,$p' "$log"
    if [[ ! -s $junit ]]; then
        tail -n 30 "$log"
        failed=$((failed + 1))
        note FAILED
        return
    fi
    local all bad no
    all=$(junit_count "$junit" tests)
    bad=$(junit_count "$junit" failures)
    no=$(($(junit_count "$junit" skipped) + $(junit_count "$junit" disabled)))
    if ((no > 0)); then skip_reasons "$junit"; fi
    if ((bad > 0)); then
        # From the first failing test's own words, not from ctest's list of them.
        sed -n '/\*\*\*Failed\|\*\*\*Timeout\|\*\*\*Exception/,/Start /p' "$log" | head -n 200
        echo "(all of it: $log)"
    fi
    # A test that did not run at all makes ctest fail without a failure in the count.
    if ((status != 0 && bad == 0)); then bad=1; fi
    passed=$((passed + all - bad - no))
    failed=$((failed + bad))
    skipped=$((skipped + no))
    note "$((all - bad - no)) passed, $bad failed, $no skipped"
}

# Runs one fuzz target over its corpus; what it learns stays in build/fuzz/corpus.
fuzz_one() {
    local program=$1
    local name=${program##*/fuzz_}
    local learnt=build/fuzz/corpus/$name
    local options=(-max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="$findings/$name-")
    local folders=("$learnt")
    mkdir -p "$learnt"
    if [[ -d fuzz/corpus/$name ]]; then folders+=("fuzz/corpus/$name"); fi
    local dictionary
    for dictionary in "fuzz/$name.dict" "fuzz/dictionaries/$name.dict"; do
        if [[ -f $dictionary ]]; then options+=(-dict="$dictionary"); fi
    done
    "$program" "${options[@]}" "${folders[@]}" >"$logs/fuzz-$name.log" 2>&1
}

run_fuzz() {
    heading "fuzzing, $fuzz_seconds s each"
    mkdir -p "$findings"
    local programs=()
    local program
    for program in build/fuzz/fuzz/fuzz_*; do
        if [[ -f $program && -x $program ]]; then programs+=("$program"); fi
    done
    if ((${#programs[@]} == 0)); then
        echo "no fuzz target was built"
        failed=$((failed + 1))
        note FAILED
        return
    fi
    local bad=0 i name two
    for ((i = 0; i < ${#programs[@]}; i += 2)); do
        local pids=()
        two=("${programs[@]:i:2}")
        for program in "${two[@]}"; do
            fuzz_one "$program" &
            pids+=($!)
        done
        local k
        for k in "${!pids[@]}"; do
            name=${two[k]##*/fuzz_}
            if wait "${pids[k]}"; then
                printf '  %-20s %s runs\n' "$name" \
                    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/fuzz-$name.log")"
            else
                printf '  %-20s FAILED, input in %s:\n' "$name" "$findings"
                grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$logs/fuzz-$name.log" ||
                    tail -n 15 "$logs/fuzz-$name.log"
                bad=$((bad + 1))
            fi
        done
    done
    passed=$((passed + ${#programs[@]} - bad))
    failed=$((failed + bad))
    note "$((${#programs[@]} - bad)) passed, $bad failed"
}

# The simulator must print the same bytes whichever compiler built it. Both builds were asked for: where
# the script or a binary is absent, nothing was compared, and that is a failure.
compare_compilers() {
    heading 'gcc and clang builds decide the same'
    bash tests/scenarios/compare-builds.sh build/release build/clang-release 2>&1 |
        tee "$logs/compare.log"
    if ((PIPESTATUS[0] == 0)); then
        passed=$((passed + 1))
        note '1 passed'
    else
        failed=$((failed + 1))
        note FAILED
    fi
}

finish() {
    printf '\n[%s] == summary\n' "$(elapsed)"
    printf '%s\n' "${lines[@]}"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    if ((failed > 0)); then exit 1; fi
    exit 0
}

heading 'set-up'
if ! scripts/install-deps.sh test; then
    failed=1
    note FAILED
    finish
fi
note ok

if must 'build, release (gcc)' build-release configure_and_build release; then run_tests release; fi
if [[ -n $quick ]]; then finish; fi

must 'build, clang-release' build-clang configure_and_build clang-release
compare_compilers
if must 'build, asan (gcc)' build-asan configure_and_build asan; then run_tests asan; fi
if must 'build, fuzz (clang)' build-fuzz configure_and_build fuzz --target fuzz_targets; then
    run_fuzz
fi
finish
