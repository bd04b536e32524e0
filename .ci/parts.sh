# What .ci/test, .ci/test-course, .ci/test-lite and .ci/test-site share: parts that are tried one after another, whatever
# became of those before, and a summary that names each: passed, failed, or skipped, and why.
# Sourced, with $py set to the interpreter of the environment.
log=$(mktemp)
trap 'rm -f "$log" "$log.first" "$log.all"' EXIT
summary=()
status=0

part() { # part NAME COMMAND...
    local name=$1
    shift
    printf '\n== %s\n' "$name"
    if "$@"; then
        summary+=("passed   $name")
    else
        summary+=("FAILED   $name")
        status=1
    fi
}

skip() { # skip NAME REASON
    summary+=("SKIPPED  $1: $2")
}

later() { # later NAME [COMMAND]: it is not for this target
    summary+=("LATER    $1: ${2:-make test-all}")
}

run_pytest() { # run_pytest ARGUMENT...
    set -o pipefail
    # shellcheck disable=SC2086  # several arguments on purpose
    "$py" -m pytest "$@" ${PYTEST_ARGS:-} 2>&1 | tee "$log"
    local passed=$?
    cat "$log" >>"$log.all"
    return $passed
}

# A browser on a busy machine can be late: what failed gets one more try, and is named in the
# summary. No other test does, since one that fails now and then is a fault in it or in the program.
run_browser() { # run_browser ARGUMENT...
    run_pytest -m browser "$@" && return
    local failed
    failed=$(grep -a -cE '^(FAILED|ERROR) ' "$log")
    [ "$failed" -gt 0 ] && [ "$failed" -le 6 ] || return 1
    cp "$log" "$log.first"
    "$py" -m pytest -m browser "$@" --numprocesses 1 --last-failed --last-failed-no-failures none 2>&1 |
        tee -a "$log.all" || return 1
    summary+=("REPEATED these failed at first, and passed when they were run again:")
    while read -r line; do summary+=("         $line"); done < <(grep -a -E '^(FAILED|ERROR) ' "$log.first" | cut -c1-150)
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
    have_browser || skip "browser tests" "no Chromium (on Debian: apt-get install chromium libatomic1)"
    printf '\n== summary\n'
    printf '%s\n' "${summary[@]}"
    # The tests that failed, those which pytest itself skipped, and its closing line, where nobody misses them.
    [ "$status" = 0 ] || grep -a -E '^(FAILED|ERROR) tests/' "$log.all" | cut -c1-150 | sort -u
    grep -a '^SKIPPED \[' "$log.all"
    grep -a -E '[0-9]+ (passed|failed|errors?|skipped|deselected).* in [0-9.]+s' "$log.all"
    exit $status
}

pyodide=pyodide@314.0.7 # CPython 3.14; with JupyterLite's kernel 0.8

from_npm() { # from_npm FOLDER PACKAGE: into its node_modules; npm itself comes by apt
    command -v npm >/dev/null || .ci/apt-install npm || return
    npm install --prefix "$1" --no-audit --no-fund --no-package-lock --silent "$2"
}
