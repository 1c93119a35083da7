#!/usr/bin/env bash
# docker-compose.unified.yml with the demo's tenants, tried as its users would.
. "$(dirname "$0")/lib.sh"

prepare
up docker-compose.unified.yml .ci/docker-compose.unified-demo.yml
until_true healthy m365-pool
own_files
clients
sign_in_by_itself
until_true answers contoso
until_true answers fabrikam

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
! docker exec --user 20000 m365-pool cat /app/state/pool.token >/dev/null 2>&1 || fail 'a session could read the token'
! docker exec m365-pool touch /anywhere 2>/dev/null || fail 'the root file system can be written to'
say 'sessions have user ids of their own, and nothing else'

scrape 'session_pool_sessions_authenticated{connection="fabrikam"} == 1' 'session_pool_registry_ok == 1'
docker exec m365-pool session-pool doctor >"$HOME/doctor" 2>&1 || true
! grep -E '^FAILED +(registry|state|homes?|token|pool|PowerShell|policy)' "$HOME/doctor" || fail 'doctor'
replace_registry m365-pool
docker kill m365-pool >/dev/null
docker start m365-pool >/dev/null
until_true answers contoso
say 'one that was killed comes back'
own_files
down m365-pool
