#!/usr/bin/env bash
# Tries the running pool against its own description: .ci/schemathesis.sh URL TOKEN [OPTION...]
# Every check, also with requests that break the description and with chains of requests. Best run
# against a pool of one connection (M365_CONNECTION): there the description names it, so that
# requests that were made up get as far as a job.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

url=${1:?usage: .ci/schemathesis.sh URL TOKEN [OPTION...]} token=${2:?the token is missing}
shift 2
venv=${venv:-$PWD/target/ci/venv}
make_venv

# What it writes (a database of examples) is not kept.
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

# use_after_free expects that what was deleted is gone. DELETE /jobs/{id} cancels the job, and its
# output stays readable: that is the contract.
"$venv/bin/schemathesis" run "$url/openapi.json" \
    --header "Authorization: Bearer $token" \
    --checks all --exclude-checks use_after_free \
    --mode all --request-timeout 60 "$@"
