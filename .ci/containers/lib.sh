# Sourced by the other scripts here: an operator's home, the pool's client, and containers that are
# gone when the script ends.
# shellcheck shell=bash
# They start containers of fixed names on port 5200: one at a time.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD

export M365_IMAGE=${M365_IMAGE:-m365-session-pool:ci}
mm=${MM:-$PWD/target/release/mm}
python=${MM_TEST_PYTHON:-$PWD/target/ci/venv/bin/python}
# The operator: not root, and without an account of this machine.
operator=1000
export HOME
HOME=$(mktemp -d)
chown "$operator:$operator" "$HOME"
chmod 0755 "$HOME"
export UID_GID=$operator:$operator
pool_url=http://localhost:5200
person_port=5299
compose=() others=() prometheus=

exec 9>"${TMPDIR:-/tmp}/m365-containers.lock"
flock 9

as_operator() { setpriv --reuid "$operator" --regid "$operator" --clear-groups "$@"; }
say() { printf '    %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

clean() {
    local code=$?
    if ((code != 0)) && ((${#compose[@]})); then
        "${compose[@]}" logs --no-color --tail 30 >&2 || true
    fi
    if [[ -n $prometheus ]]; then kill "$prometheus" || true; fi
    if ((${#compose[@]})); then "${compose[@]}" down -v >/dev/null 2>&1 || true; fi
    if ((${#others[@]})); then docker rm -f -v "${others[@]}" >/dev/null 2>&1 || true; fi
    rm -rf "$HOME"
    exit "$code"
}
trap clean EXIT

# Repeats a command until it succeeds, for at most a minute and a half.
until_true() {
    local end=$((SECONDS + 90))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "it did not come true: $*"
        sleep 0.2
    done
}

# Milliseconds since the epoch.
now() { date +%s%3N; }

pool() {
    local path=$1
    shift
    curl -sS -m 90 -H "Authorization: Bearer $(as_operator cat "$HOME/.m365-state/pool.token")" \
        -H 'Content-Type: application/json' "$@" "$pool_url$path"
}
run() { pool /run -d "$(jq -cn --arg connection "$1" --arg command "$2" --argjson wait "${3:-null}" \
    '{connection: $connection, module: "exo", command: $command, format: "json", wait_seconds: $wait}')"; }
answers() { run "$1" 'Get-Mailbox -ResultSize 1' |
    jq -e --arg tenant "$1.example" '.status == "success" and (.output | contains($tenant))'; }
says() { pool "$1" | jq -e "$2"; }
code_of() { pool "$@" -o /dev/null -w '%{http_code}'; }
healthy() { [[ $(inspect "$1" '{{.State.Health.Status}}') == healthy ]]; }
inspect() { docker inspect -f "$2" "$1"; }
logged() { docker logs "$1" 2>&1 | grep "$2" >/dev/null; }

# What the README has before the first start; the demo's modules in the place of Microsoft's, and the
# person who enters its codes.
prepare() {
    as_operator mkdir -p -m 700 "$HOME"/.m365-{logs,state,secrets,policy}
    others+=(m365-person)
    docker run -d --name m365-person --user "$UID_GID" -e HOME=/host -p "127.0.0.1:$person_port:5200" \
        --mount "type=bind,source=$HOME,target=/host" "$M365_IMAGE" demo >/dev/null
    until_true healthy m365-person
    as_operator cp "$HOME/.m365-demo/connections.json" "$HOME/.m365-connections.json"
    # Each connection has a user id of its own in the unified container.
    mkdir -p "$HOME"/.m365-demo/{pending,signed-in,declined,revoked}
    chmod -R a+rwX "$HOME/.m365-demo"
}

# From here on nobody is asked for a code.
sign_in_by_itself() {
    jq -n '{sign_in: (["exo", "pnp", "azure", "teams"] | map({(.): {behaviour: "instant"}}) | add)}' \
        >"$HOME/.m365-demo/settings.json"
}

# up FILE...: as the operator does it.
up() {
    local file
    compose=(docker-compose -p m365-session-pool)
    for file in "$@"; do compose+=(-f "$file"); done
    "${compose[@]}" up -d --no-build >"$HOME/compose.log" 2>&1 || {
        cat "$HOME/compose.log" >&2
        fail 'docker-compose up'
    }
}

# Everything stops within its time, also what is in the middle of a command.
down() {
    local began
    run contoso 'Start-Sleep -Seconds 600' 0 >/dev/null
    began=$(now)
    "${compose[@]}" stop >/dev/null 2>&1
    say "stopped in $(($(now) - began)) ms"
    (($(now) - began < 10000)) || fail 'it did not stop within --drain-seconds'
    local container code
    for container in "$@"; do
        code=$(inspect "$container" '{{.State.ExitCode}}')
        [[ $code == 0 ]] || fail "$container ended with $code"
    done
    "${compose[@]}" down -v >/dev/null 2>&1
    compose=()
}

# The README's lines, mm among them; then the official MCP client, and a shell of the operator's.
clients() {
    local lines
    lines=$("$python" .ci/readme.py README.md "$HOME" 5200 --deployed "$person_port" "$(dirname "$mm")") ||
        fail "the README's lines"
    say "README: $lines"
    env TEST_CONNECTION=fabrikam TEST_SLOW_COMMAND='Start-Sleep -Seconds 60' \
        "$python" crates/mm/tests/integration/official_client.py auto plain "$mm" >"$HOME/seen.json"
    jq -e '(.connections.text | contains("Connection: fabrikam | tenant: fabrikam.example"))
        and (.quick.text | endswith("\n\n2\n"))
        and (.cancelled.text | contains("Status: cancelled"))' "$HOME/seen.json" >/dev/null || {
        jq . "$HOME/seen.json" >&2
        fail 'the MCP client'
    }
    cp "$mm" "$HOME/mm"
    [[ $(cd "$HOME" && as_operator ./mm run fabrikam exo 1+1) == 2 ]] || fail "the operator's mm"
    say 'the MCP client and the command line have their answers'
}

# A real Prometheus scrapes it, and finds what each query asks for.
scrape() {
    local directory port=19190 query
    pool /metrics -H 'Accept: text/plain' | promtool check metrics
    directory=$(mktemp -d -p "$HOME")
    printf 'global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: m365\n  static_configs: [{targets: ["localhost:5200"]}]\n' >"$directory/prometheus.yml"
    prometheus --config.file="$directory/prometheus.yml" --storage.tsdb.path="$directory/data" \
        --web.listen-address="127.0.0.1:$port" >"$directory/log" 2>&1 9>&- &
    prometheus=$!
    for query in "$@"; do until_true found "$port" "$query"; done
    kill "$prometheus"
    wait "$prometheus" || true
    prometheus=
    say "Prometheus finds $*"
}
found() { curl -sS -G "localhost:$1/api/v1/query" --data-urlencode "query=$2" | jq -e '.data.result | length > 0'; }

# The registry is replaced: written in place, which a container sees, and by renaming, as editors do,
# which it cannot see in a file that is mounted alone.
replace_registry() {
    local container=$1 registry=$HOME/.m365-connections.json
    description() { jq --arg text "$1" '.connections.contoso.description = $text' "$HOME/.m365-demo/connections.json"; }
    description 'in place' >"$registry"
    until_true says /connections '.connections.contoso.description == "in place"'
    description renamed >"$registry.new"
    mv "$registry.new" "$registry"
    until_true logged "$container" 'has been replaced on the host.*restart the container'
    { docker exec "$container" session-pool doctor || true; } | grep 'registry: .*replaced.*restart' >/dev/null ||
        fail 'doctor does not say that the registry was replaced'
    docker restart "$@" >/dev/null
    until_true says /connections '.connections.contoso.description == "renamed"'
    say 'a registry that was replaced is taken over, or it is said how'
}

# Files of the pool's that the operator must be able to read, and nobody else. PowerShell's caches lie in
# directories that are closed; the log of `mm` is its caller's.
own_files() {
    local foreign
    foreign=$(find "$HOME/.m365-state" "$HOME/.m365-logs" \( -name homes -o -name checker -o -name mm.jsonl \) -prune \
        -o -type f \( ! -user "$operator" -o -perm /077 \) -print)
    [[ -z $foreign ]] || fail "not the operator's alone: $foreign"
}
