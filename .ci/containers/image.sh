#!/usr/bin/env bash
# What the image is by itself: small, quick to start and to stop, and the first process of its container.
. "$(dirname "$0")/lib.sh"

config() { docker image inspect -f "$1" "$M365_IMAGE"; }

base=$(docker image inspect -f '{{.Size}}' mm-ci/pwsh:7.6)
size=$(config '{{.Size}}')
say "it adds $(((size - base) / 1000000)) MB to its PowerShell base"
((size - base < 30000000)) || fail 'it adds 30 MB or more'
[[ $(config '{{.Config.User}}') == 1000:1000 ]] || fail 'it does not run as 1000:1000'
[[ $(config '{{json .Config.Healthcheck.Test}}') == '["CMD","session-pool","healthcheck"]' ]] || fail 'HEALTHCHECK'
for label in title description licenses documentation; do
    [[ -n $(config "{{index .Config.Labels \"org.opencontainers.image.$label\"}}") ]] || fail "label $label"
done

as_operator mkdir -p "$HOME/state"
# start NAME ARGUMENT...: a container of the bare image, with a read-only root.
start() {
    local name=$1
    shift
    others+=("$name")
    docker run -d --name "$name" --read-only --tmpfs /tmp --tmpfs /app/logs:uid=1000 \
        --mount "type=bind,source=$HOME/state,target=/app/state" "$@" >/dev/null
}

# From the start of its first process to the line that says it serves; the best of three, for a machine
# that has other things to do.
best=100000
for attempt in 1 2 3; do
    start "m365-alone-$attempt" "$M365_IMAGE"
    until_true logged "m365-alone-$attempt" listening
    began=$(date -d "$(inspect "m365-alone-$attempt" '{{.State.StartedAt}}')" +%s%3N)
    ready=$(docker logs -t "m365-alone-$attempt" 2>&1 | grep listening | cut -d' ' -f1)
    took=$(($(date -d "$ready" +%s%3N) - began))
    ((took >= best)) || best=$took
    docker stop "m365-alone-$attempt" >/dev/null
    [[ $(inspect "m365-alone-$attempt" '{{.State.ExitCode}}') == 0 ]] || fail 'it does not end well'
    ((took >= 1000)) || break
done
say "it listens after $best ms"
((best < 1000)) || fail 'it takes a second or more to start'

start m365-first -e SESSION_POOL_DRAIN_SECONDS=5 "$M365_IMAGE"
until_true docker exec m365-first session-pool healthcheck
# An orphan becomes a child of process 1, and must not stay a zombie.
# shellcheck disable=SC2016
orphan=$(docker exec m365-first sh -c 'sleep 0.3 >/dev/null & echo $!')
gone() { ! docker exec m365-first test -e "/proc/$1"; }
until_true gone "$orphan"
# It does not give its environment to others of its user.
! docker exec m365-first cat /proc/1/environ >/dev/null 2>&1 || fail 'the environment of process 1 is open'
began=$(now)
docker stop -t 30 m365-first >/dev/null
took=$(($(now) - began))
say "it stops in $took ms"
((took < 5000)) || fail 'it does not stop within --drain-seconds'
[[ $(inspect m365-first '{{.State.ExitCode}}') == 0 ]] || fail 'it does not end well'

# Somebody else than the owner of the mounted directories: it says so, and does not start.
start m365-foreign --user 1234:1234 "$M365_IMAGE"
[[ $(docker wait m365-foreign) == 64 ]] || fail 'another user id is no mistake'
logged m365-foreign "UID_GID=$operator:$operator" || fail 'the right user id is not named'
say 'a wrong UID_GID is said'
