# The session pool with PowerShell and Microsoft's modules. Needs no BuildKit.
#
#   docker build -t m365-session-pool .
#
# Base images are arguments: another mirror, another distribution, or a machine without a registry.
ARG RUST_BASE=docker.io/library/rust:1.95-slim-bookworm
ARG POWERSHELL_BASE=mcr.microsoft.com/dotnet/sdk:10.0-noble

FROM ${RUST_BASE} AS build
WORKDIR /build
ENV CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
# `off` and 1 build in half the time, and make a slower and larger binary.
ARG LTO=thin
ARG OPT_LEVEL=3
ENV CARGO_PROFILE_RELEASE_LTO=${LTO} CARGO_PROFILE_RELEASE_OPT_LEVEL=${OPT_LEVEL}
# Dependencies first, with empty crates around them: this layer lasts until Cargo.lock changes.
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY session-pool/Cargo.toml session-pool/
COPY crates/mm/Cargo.toml crates/mm/
RUN for crate in session-pool crates/mm; do \
        mkdir -p $crate/src $crate/tests/integration $crate/benches/pool; \
        echo 'fn main() {}' | tee $crate/src/main.rs $crate/tests/integration/main.rs \
            $crate/benches/pool/main.rs $crate/benches/calls.rs $crate/benches/graph.rs >/dev/null; \
        touch $crate/src/lib.rs; \
    done \
    && cargo build --locked --release -p session-pool --bin session-pool
COPY session-pool/src session-pool/src
COPY crates/mm/src crates/mm/src
# The empty crates are newer than the sources.
RUN find session-pool/src crates/mm/src -name '*.rs' -exec touch {} + \
    && cargo build --locked --release -p session-pool --bin session-pool

FROM ${POWERSHELL_BASE} AS modules
# Pinned: a module's update is a decision. An empty version leaves the module out.
ARG EXCHANGE_VERSION=3.9.2
ARG PNP_VERSION=3.1.0
ARG AZ_ACCOUNTS_VERSION=5.5.1
# 7.9.0 signs in through a broker that Linux does not have.
ARG TEAMS_VERSION=7.7.0
SHELL ["/bin/sh", "-eu", "-c"]
RUN install_module() { \
        [ -z "$2" ] || pwsh -NoLogo -NoProfile -NonInteractive -Command \
            "\$ErrorActionPreference = 'Stop'; \$ProgressPreference = 'SilentlyContinue'; \
             Install-PSResource -Name $1 -Version $2 -Scope AllUsers -TrustRepository -Quiet"; \
    }; \
    install_module ExchangeOnlineManagement "$EXCHANGE_VERSION"; \
    install_module PnP.PowerShell "$PNP_VERSION"; \
    install_module Az.Accounts "$AZ_ACCOUNTS_VERSION"; \
    install_module MicrosoftTeams "$TEAMS_VERSION"

FROM modules
LABEL org.opencontainers.image.title="Microsoft Master session pool" \
      org.opencontainers.image.description="Signed-in PowerShell sessions for Microsoft 365 behind HTTP" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.documentation="README.md"
# One garbage collector heap, small, that gives memory back: a container holds many PowerShells.
ENV DOTNET_gcServer=0 \
    DOTNET_GCConserveMemory=9 \
    DOTNET_EnableDiagnostics=0 \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    POWERSHELL_TELEMETRY_OPTOUT=1 \
    POWERSHELL_UPDATECHECK=Off \
    HOME=/app/home \
    TMPDIR=/tmp \
    SESSION_POOL_HOST=0.0.0.0 \
    SESSION_POOL_PORT=5200 \
    SESSION_POOL_REGISTRY=/app/connections.json \
    SESSION_POOL_STATE_DIR=/app/state \
    SESSION_POOL_LOG_DIR=/app/logs \
    SESSION_POOL_SECRETS_DIR=/app/secrets
# Mount points. The root file system is read-only in the compose files.
RUN mkdir -p /app/state /app/logs /app/homes /app/secrets /app/policy /app/home \
    && chmod 0711 /app/homes
COPY --from=build /build/target/release/session-pool /usr/local/bin/session-pool
WORKDIR /app
USER 1000:1000
EXPOSE 5200
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["session-pool", "healthcheck"]
ENTRYPOINT ["session-pool"]
CMD ["serve"]
