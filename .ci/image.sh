#!/usr/bin/env bash
# Builds the image on this machine's bases, as m365-session-pool:ci. The tests of the deployments use it.
set -euo pipefail
cd "$(dirname "$0")/.."

bash .ci/bases.sh
mkdir -p target/ci
# Without Microsoft's modules, which come from the Gallery; the demo's take their place. A binary that
# is not optimised as the shipped one is there in half the time.
if ! docker build -t m365-session-pool:ci \
    --build-arg RUST_BASE=mm-ci/rust:stable --build-arg POWERSHELL_BASE=mm-ci/pwsh:7.6 \
    --build-arg LTO=off --build-arg OPT_LEVEL="${OPT_LEVEL:-1}" \
    --build-arg EXCHANGE_VERSION= --build-arg PNP_VERSION= \
    --build-arg AZ_ACCOUNTS_VERSION= --build-arg TEAMS_VERSION= . >target/ci/image.log 2>&1; then
    tail -n 50 target/ci/image.log >&2
    exit 1
fi
