# What .ci/test and the other .ci/test-* but test-all and test-pythons share: parts that are tried one after another or
# beside each other, whatever became of the rest, and a summary that names each: passed, failed, or skipped, and why.
# Sourced, with $py set to the interpreter of the environment.
work=$(mktemp -d)
log=$work/log # what the part at work says; $work/all has what all pytests said
touch "$work/all" "$work/summary"
besides=()
trap end EXIT

end() {
    local job
    for job in "${besides[@]}"; do kill -- "-${job%% *}" 2>/dev/null; done
    rm -rf "$work"
}

tell() { # tell LINE...: in the summary
    printf '%s\n' "$@" >>"$work/summary"
}

part() { # part NAME COMMAND...
    printf '\n== %s\n' "$1"
    if "${@:2}"; then tell "passed   $1"; else tell "FAILED   $1"; fi
}

# What sleeps or waits most of its time leaves the cores to others. Its output comes in one piece, by `gather`.
# In a process group of its own (set -m), so that Ctrl-C, or whatever ends this script, ends all of it.
beside() { # beside FUNCTION: its parts, beside those that follow
    set -m
    (
        log=$work/log-$1
        "$1"
    ) >"$work/out-$1" 2>&1 &
    set +m
    besides+=("$! $1")
}

gather() { # wait for the parts that run beside
    local job
    for job in "${besides[@]}"; do
        wait "${job%% *}" || tell "FAILED   ${job#* }: it was ended before its last part"
        cat "$work/out-${job#* }"
    done
    besides=()
}

skip() { # skip NAME REASON
    tell "SKIPPED  $1: $2"
}

later() { # later NAME [COMMAND]: it is not for this target
    tell "LATER    $1: ${2:-make test-all}"
}

run_pytest() { # run_pytest ARGUMENT...
    set -o pipefail
    # shellcheck disable=SC2086  # several arguments on purpose
    "$py" -m pytest "$@" ${PYTEST_ARGS:-} 2>&1 | tee "$log"
    local passed=$?
    cat "$log" >>"$work/all"
    return $passed
}

# A browser on a busy machine can be late: what failed gets one more try, and is named in the
# summary. No other test does, since one that fails now and then is a fault in it or in the program.
# It remembers what failed in a place of its own: another pytest may run beside.
run_browser() { # run_browser ARGUMENT...
    local again=(-m browser "$@" -o cache_dir=.pytest_cache/browser)
    run_pytest "${again[@]}" && return
    local failed
    failed=$(grep -a -E '^(FAILED|ERROR) ' "$log" | cut -c1-150)
    [ -n "$failed" ] && [ "$(wc -l <<<"$failed")" -le 6 ] || return 1
    run_pytest "${again[@]}" --numprocesses 1 --last-failed --last-failed-no-failures none || return 1
    # shellcheck disable=SC2001  # each line of several
    tell "REPEATED these failed at first, and passed when they were run again:" "$(sed 's/^/         /' <<<"$failed")"
}

have_browser() { # the browser, and a playwright that starts
    command -v "${CHROMIUM:-chromium}" >/dev/null && "$py" -m playwright --version >/dev/null 2>&1
}

want_browser() { # installs it where we may
    have_browser && return
    echo "Browser tests need Chromium; trying to install it."
    # libatomic1: the node inside playwright needs it. The fonts: a page would show boxes for letters.
    .ci/apt-install chromium libatomic1 fonts-dejavu-core || true
}

finish() { # the last lines, and the exit status
    gather
    have_browser || skip "browser tests" "no Chromium (on Debian: apt-get install chromium libatomic1)"
    printf '\n== summary\n'
    cat "$work/summary"
    local status=0
    # The tests that failed, those which pytest itself skipped, and its closing line, where nobody misses them.
    if grep -aq '^FAILED ' "$work/summary"; then
        status=1
        grep -a -E '^(FAILED|ERROR) tests/' "$work/all" | cut -c1-150 | sort -u
    fi
    grep -a '^SKIPPED \[' "$work/all"
    grep -a -E '[0-9]+ (passed|failed|errors?|skipped|deselected).* in [0-9.]+s' "$work/all"
    exit $status
}

pyodide=pyodide@314.0.7 # CPython 3.14; with JupyterLite's kernel 0.8

from_npm() { # from_npm FOLDER PACKAGE: into its node_modules; npm itself comes by apt
    command -v npm >/dev/null || .ci/apt-install npm || return
    npm install --prefix "$1" --no-audit --no-fund --no-package-lock --silent "$2"
}
