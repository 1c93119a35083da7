# Sourced by .ci/run and .ci/long: named, timed steps, and the tools they need.
# shellcheck shell=bash

export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never
# A compiler that keeps what it needs for an incremental build only costs time and space here.
export CARGO_INCREMENTAL=0
export DEBIAN_FRONTEND=noninteractive

current_step='' step_began=0 steps_done=()

# step NAME COMMAND...: runs it, says how long it took, ends the run where it fails.
step() {
    current_step=$1 step_began=$SECONDS
    shift
    printf '\n==> %s\n' "$current_step"
    "$@"
    steps_done+=("$(printf '%5ds  %s' $((SECONDS - step_began)) "$current_step")")
    printf '<== %s: %d s\n' "$current_step" $((SECONDS - step_began))
    current_step=''
}

# Prints every step and its time; behind a failure the one that failed.
print_steps() {
    printf '\n==> steps\n'
    printf '%s\n' ${steps_done[@]+"${steps_done[@]}"}
    if [[ -n $current_step ]]; then
        printf '%5ds  FAILED: %s\n' $((SECONDS - step_began)) "$current_step"
    fi
}

# The Debian packages the checks need, where they are missing. Nothing in the product needs them.
install_packages() {
    local missing=()
    command -v jq >/dev/null || missing+=(jq)
    command -v curl >/dev/null || missing+=(curl)
    command -v promtool >/dev/null || missing+=(prometheus)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
    ((${#missing[@]})) || return 0
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# The Python clients that the tests speak to: versions are pinned in .ci/requirements.txt.
make_venv() {
    [[ -x $venv/bin/python ]] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r .ci/requirements.txt
    "$venv/bin/python" -c 'import mcp, schemathesis'
}
