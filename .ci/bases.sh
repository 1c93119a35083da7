#!/usr/bin/env bash
# Base images for a machine without a registry: `mm-ci/rust` builds, `mm-ci/pwsh` runs. Users build
# on the official ones, which are the Dockerfile's defaults. What is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

debian=mm-ci/debian:bookworm
runtime=mm-ci/pwsh:7.6
builder=mm-ci/rust:stable

# The test pack stands in for the official PowerShell; see .cargo/config.toml.
pwsh_pack=$PWD/../shared/pwsh

exists() { docker image inspect "$1" >/dev/null 2>&1; }

make_debian() {
    local root
    root=$(mktemp -d)
    command -v debootstrap >/dev/null || {
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends debootstrap
    }
    debootstrap --variant=minbase --include=ca-certificates,libicu72,libssl3 \
        bookworm "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; return 1; }
    # The machine may speak to its registries through a certificate authority of its own.
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    tar -C "$root" -c . | docker import - "$debian" >/dev/null
    rm -rf "$root" "$root.log"
}

make_runtime() {
    local container
    container=$(docker create "$debian" /bin/true)
    tar -C "$pwsh_pack" --transform 's,^\.,opt/microsoft/powershell/7,' -c . |
        docker cp - "$container:/"
    mkdir -p target/ci
    ln -sfn /opt/microsoft/powershell/7/pwsh target/ci/pwsh
    docker cp target/ci/pwsh "$container:/usr/bin/pwsh"
    docker commit "$container" "$runtime" >/dev/null
    docker rm "$container" >/dev/null
}

make_builder() {
    local container
    container=$(docker create "$debian" sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*')
    docker start -a "$container" >/dev/null
    tar -C "$(rustc --print sysroot)" -c bin lib | docker cp - "$container:/usr/local"
    docker commit -c 'CMD ["sh"]' "$container" "$builder" >/dev/null
    docker rm "$container" >/dev/null
}

command -v docker-compose >/dev/null || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends docker-compose
}
exists "$debian" || make_debian
exists "$runtime" || make_runtime
exists "$builder" || make_builder
