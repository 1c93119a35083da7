#!/usr/bin/env bash
# Builds the image on this machine's bases, brings both compose files up with the demo's tenants,
# and tries them as their users would. Needs target/release/mm.
set -euo pipefail
cd "$(dirname "$0")/.."

bash .ci/bases.sh

export M365_IMAGE=m365-session-pool:ci
mm=$PWD/target/release/mm
# The operator: not root, and without an account of this machine.
operator=1000
export HOME
HOME=$(mktemp -d)
chown "$operator:$operator" "$HOME"
chmod 0755 "$HOME"
export UID_GID=$operator:$operator
pool_url=http://localhost:5200
compose=()

as_operator() { setpriv --reuid "$operator" --regid "$operator" --clear-groups "$@"; }
say() { printf '    %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; return 1; }

clean() {
    local code=$?
    if ((code != 0)) && ((${#compose[@]})); then
        "${compose[@]}" logs --no-color --tail 30 >&2 || true
    fi
    if ((${#compose[@]})); then "${compose[@]}" down -v >/dev/null 2>&1 || true; fi
    docker rm -f m365-demo-files >/dev/null 2>&1 || true
    rm -rf "$HOME"
}
trap clean EXIT

# Repeats a command until it succeeds, for at most a minute.
until_true() {
    local end=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "did not come true in a minute: $*"
        sleep 0.2
    done
}

pool() {
    local path=$1
    shift
    curl -sS -m 60 -H "Authorization: Bearer $(as_operator cat "$HOME/.m365-state/pool.token")" \
        -H 'Content-Type: application/json' "$@" "$pool_url$path"
}
run() { pool /run -d "$(jq -cn --arg connection "$1" --arg command "$2" \
    '{connection: $connection, module: "exo", command: $command, format: "json"}')"; }
answers() { run "$1" "Get-Mailbox -ResultSize 1" |
    jq -e --arg tenant "$1.example" '.status == "success" and (.output | contains($tenant))'; }
healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$1") == healthy ]]; }
code_of() { pool "$@" -o /dev/null -w '%{http_code}'; }

build() {
    docker build -q -t "$M365_IMAGE" \
        --build-arg RUST_BASE=mm-ci/rust:stable --build-arg POWERSHELL_BASE=mm-ci/pwsh:7.6 \
        --build-arg LTO=off --build-arg EXCHANGE_VERSION= --build-arg PNP_VERSION= \
        --build-arg AZ_ACCOUNTS_VERSION= --build-arg TEAMS_VERSION= . 2>/dev/null
    local base image
    base=$(docker image inspect -f '{{.Size}}' mm-ci/pwsh:7.6)
    image=$(docker image inspect -f '{{.Size}}' "$M365_IMAGE")
    say "the image adds $(((image - base) / 1000000)) MB to its base"
    ((image - base < 30000000)) || fail 'the image adds 30 MB or more to its base'
}

# What the README has before the first start, the demo's modules, and sign-ins without a person.
prepare() {
    as_operator mkdir -p "$HOME"/.m365-{logs,state,secrets,policy} "$HOME"/.m365-{logs,state,secrets}/{contoso,fabrikam}
    docker run -d --name m365-demo-files --user "$UID_GID" -e HOME=/host \
        --mount "type=bind,source=$HOME,target=/host" "$M365_IMAGE" demo >/dev/null
    until_true test -e "$HOME/.m365-demo/connections.json"
    until_true docker exec m365-demo-files session-pool healthcheck
    docker rm -f m365-demo-files >/dev/null
    as_operator cp "$HOME/.m365-demo/connections.json" "$HOME/.m365-connections.json"
    jq -n '{sign_in: (["exo", "pnp", "azure", "teams"] | map({(.): {behaviour: "instant"}}) | add)}' \
        >"$HOME/.m365-demo/settings.json"
    # Each connection has a user id of its own in the unified container.
    chmod -R a+rwX "$HOME/.m365-demo"
}

up() {
    compose=(docker-compose -p m365-session-pool -f "$1" -f "$2")
    "${compose[@]}" up -d --no-build >/dev/null 2>&1
}

down() {
    local began=$SECONDS
    "${compose[@]}" down -v >/dev/null 2>&1
    compose=()
    say "stopped in $((SECONDS - began)) s"
}

unified() {
    echo '--- unified'
    up docker-compose.unified.yml .ci/docker-compose.unified-demo.yml
    until_true healthy m365-pool
    until_true answers contoso
    until_true answers fabrikam
    local file ids
    for file in "$HOME"/.m365-state/pool.token "$HOME"/.m365-logs/session-pool-unified.log; do
        [[ $(stat -c %u:%a "$file") == "$operator:600" ]] || fail "$file is not the operator's alone"
    done
    ids=$(for connection in contoso fabrikam; do run "$connection" 'id -u' | jq -r .output; done | sort -u | wc -l)
    [[ $ids == 2 ]] || fail 'the connections share a user id'
    # Asked from outside: the policy would not let a command look.
    # shellcheck disable=SC2016
    docker exec m365-pool sh -c 'sessions=0
        for s in /proc/[0-9]*/status; do
            grep -q "^Name:.*pwsh" $s 2>/dev/null && grep -q "^Uid:.*2000" $s || continue
            sessions=$((sessions + 1))
            if grep -q "^Cap[IPEA].*[1-9a-f]$" $s || grep -q "^NoNewPrivs:.0" $s; then exit 1; fi
        done
        [ $sessions = 2 ]' || fail 'a session has capabilities, or has no user id of its own'
    ! docker exec --user 20000 m365-pool cat /app/state/pool.token >/dev/null 2>&1 ||
        fail 'a session could read the token'
    pool /metrics -H 'Accept: text/plain' | promtool check metrics
    as_operator env HOME="$HOME" "$mm" run contoso exo 'Get-Mailbox -ResultSize 1' | grep Name >/dev/null
    scrape
    # A new registry, in place: its own file is what the container sees.
    jq '.connections.contoso.description = "changed"' "$HOME/.m365-demo/connections.json" >"$HOME/.m365-connections.json"
    until_true sh -c "$(declare -f pool as_operator); HOME=$HOME operator=$operator pool_url=$pool_url; pool /connections | grep -q changed"
    say 'a container that is killed comes back'
    docker kill m365-pool >/dev/null
    docker start m365-pool >/dev/null
    until_true answers contoso
    down
}

# A real Prometheus scrapes the pool, and finds it up.
scrape() {
    local directory port=19190 pid
    directory=$(mktemp -d)
    printf 'global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: m365\n  static_configs: [{targets: ["localhost:5200"]}]\n' >"$directory/prometheus.yml"
    prometheus --config.file="$directory/prometheus.yml" --storage.tsdb.path="$directory/data" \
        --web.listen-address="127.0.0.1:$port" >"$directory/log" 2>&1 &
    pid=$!
    until_true sh -c "curl -s 'localhost:$port/api/v1/query?query=session_pool_sessions' | jq -e '.data.result | length > 0'"
    kill "$pid"
    wait "$pid" || true
    rm -rf "$directory"
}

isolated() {
    echo '--- isolated'
    up docker-compose.isolated.yml .ci/docker-compose.isolated-demo.yml
    until_true healthy m365-router
    until_true answers contoso
    until_true answers fabrikam
    pool /status | jq -e '[.sessions[].connection] | sort == ["contoso", "fabrikam"]' >/dev/null
    pool /metrics -H 'Accept: text/plain' | promtool check metrics
    as_operator env HOME="$HOME" "$mm" run fabrikam exo 'Get-Mailbox -ResultSize 1' | grep Name >/dev/null
    say 'one that is killed leaves the others alone'
    docker kill m365-fabrikam >/dev/null
    answers contoso >/dev/null
    [[ $(code_of /run -d '{"connection":"fabrikam","module":"exo","command":"1"}') == 503 ]] || fail 'no 503'
    docker start m365-fabrikam >/dev/null
    until_true answers fabrikam
    say 'a backend that was cut off still has the answer of its job'
    local job network
    job=$(pool /run -d '{"connection":"contoso","module":"exo","command":"Start-Sleep 3; 6*7","wait_seconds":0}' | jq -r .job)
    network=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' m365-contoso)
    docker network disconnect "$network" m365-contoso
    docker network connect --alias m365-contoso "$network" m365-contoso
    until_true sh -c "$(declare -f pool as_operator); HOME=$HOME operator=$operator pool_url=$pool_url; pool '/jobs/$job?wait_seconds=5' | jq -e '.state == \"succeeded\" and .output == \"42\"'"
    down
}

build
prepare
unified
rm -rf "$HOME"/.m365-state/*
as_operator mkdir -p "$HOME"/.m365-state/{contoso,fabrikam}
cp "$HOME/.m365-demo/connections.json" "$HOME/.m365-connections.json"
isolated
