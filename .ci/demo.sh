#!/usr/bin/env bash
# Runs the release binary as a newcomer would, and tries what the documents promise:
# the README's lines against the demo, /metrics with promtool, the API with schemathesis.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${venv:-$PWD/target/ci/venv}
binary=$PWD/target/release/session-pool
# As `cargo run` would have it, from .cargo/config.toml.
export SESSION_POOL_DEV_PWSH=${SESSION_POOL_DEV_PWSH:-$PWD/../shared/pwsh/pwsh}
export HOME
HOME=$(mktemp -d)
pool=

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start ARGUMENT...: starts the pool on a free port, and returns when it answers.
start() {
    port=$(free_port)
    "$binary" "$@" --port "$port" </dev/null >"$HOME/output.log" 2>&1 &
    pool=$!
    for _ in $(seq 300); do
        if curl -sf "localhost:$port/health" >/dev/null; then return 0; fi
        kill -0 "$pool" || break
        sleep 0.1
    done
    cat "$HOME/output.log" >&2
    return 1
}

# SIGTERM ends it within seconds, with exit code 0 and nothing left behind.
stop() {
    local ending=$pool
    pool=
    kill "$ending"
    wait "$ending"
}

clean() {
    if [[ -n $pool ]]; then
        kill -9 "$pool" || true
        tail -n 20 "$HOME/output.log" >&2
    fi
    rm -rf "$HOME"
}
trap clean EXIT

start demo
python3 .ci/readme.py README.md "$HOME" "$port" "$@"
curl -sf -H 'Accept: text/plain' "localhost:$port/metrics" | promtool check metrics
curl -sf "localhost:$port/metrics" | jq -e .uptime_seconds >/dev/null
stop

# The same tenants in a pool of one connection, every sign-in from a cache: made-up requests then
# get as far as a job.
demo=$HOME/.m365-demo
jq -n '{sign_in: (["exo", "pnp", "azure", "teams"] | map({(.): {behaviour: "instant"}}) | add)}' \
    >"$demo/settings.json"
export PSModulePath=$demo/modules SESSION_POOL_DEMO_DIR=$demo SESSION_POOL_PASS_ENV=SESSION_POOL_DEMO_DIR
export SESSION_POOL_REGISTRY=$demo/connections.json M365_CONNECTION=contoso
start serve
venv=$venv bash .ci/schemathesis.sh "http://localhost:$port" "$(cat "$HOME/.m365-state/pool.token")" \
    --max-examples "${SCHEMATHESIS_EXAMPLES:-25}" --seed 4
stop
