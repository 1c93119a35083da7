#!/usr/bin/env bash
# docker-compose.isolated.yml with the demo's tenants, tried as its users would.
. "$(dirname "$0")/lib.sh"

files=(docker-compose.isolated.yml .ci/docker-compose.isolated-demo.yml)
prepare
as_operator mkdir -p "$HOME"/.m365-{logs,state,secrets}/{contoso,fabrikam}
up "${files[@]}"
until_true healthy m365-router
until_true says /status '[.backends[].state] == ["up", "up"]'
own_files
clients
sign_in_by_itself
until_true answers contoso
until_true answers fabrikam
says /status '[.sessions[].connection] | unique == ["contoso", "fabrikam"]' >/dev/null

for container in m365-router m365-contoso; do
    docker exec "$container" grep -q '^CapEff:.0*$' /proc/1/status || fail "$container has capabilities"
    [[ $(docker exec "$container" id -u) == "$operator" ]] || fail "$container is not the operator's"
    ! docker exec "$container" touch /anywhere 2>/dev/null || fail "the root of $container can be written to"
done
[[ -z $(docker exec m365-contoso find /app -name '*fabrikam*') ]] || fail "contoso sees fabrikam's files"
[[ $(docker exec m365-contoso cat /app/state/pool.token) != $(cat "$HOME/.m365-state/pool.token") ]] ||
    fail 'a backend has the token of the router'
say 'containers have their own files, and no capability'

scrape 'session_pool_sessions_authenticated{connection="fabrikam"} == 1' \
    'session_pool_router_backend_up{connection="contoso"} == 1'

docker kill m365-fabrikam >/dev/null
answers contoso >/dev/null || fail 'contoso does not answer while fabrikam is down'
[[ $(code_of /run -d '{"connection":"fabrikam","module":"exo","command":"1"}') == 503 ]] || fail 'no 503'
docker start m365-fabrikam >/dev/null
until_true answers fabrikam
say 'one that is killed leaves the others alone'

job=$(run contoso 'Start-Sleep 3; 6*7' 0 | jq -r .job)
network=$(inspect m365-contoso '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}')
docker network disconnect "$network" m365-contoso
[[ $(code_of "/jobs/$job") == 503 ]] || fail 'a backend without a network answers'
answers fabrikam >/dev/null || fail 'fabrikam does not answer while contoso is cut off'
docker network connect --alias m365-contoso "$network" m365-contoso
until_true says "/jobs/$job?wait_seconds=5" '.state == "succeeded" and (.output | fromjson) == [42]'
say 'one that was cut off in the middle of a job still has its answer'

replace_registry m365-router m365-contoso m365-fabrikam

[[ $(code_of /container/contoso/restart -X POST) == 501 ]] || fail 'the router uses Docker unasked'
DOCKER_GID=$(stat -c %g /var/run/docker.sock)
export DOCKER_GID
up "${files[@]}" docker-compose.docker-api.yml
until_true says /containers '[.containers[].name] == ["m365-contoso", "m365-fabrikam", "m365-router"]'
before=$(inspect m365-contoso '{{.State.StartedAt}}') untouched=$(inspect m365-fabrikam '{{.State.StartedAt}}')
[[ $(code_of /container/contoso/restart -X POST) == 200 ]] || fail 'the router does not restart a container'
[[ $(inspect m365-contoso '{{.State.StartedAt}}') != "$before" ]] || fail 'it was not restarted'
[[ $(inspect m365-fabrikam '{{.State.StartedAt}}') == "$untouched" ]] || fail 'another one was restarted'
[[ $(code_of /container/person/stop -X POST) == 404 ]] || fail 'the router would stop a foreign container'
pool '/container/contoso/logs' | grep listening >/dev/null || fail 'no log'
until_true answers contoso
say 'the router restarts a container of its own'
own_files
down m365-router m365-contoso m365-fabrikam
