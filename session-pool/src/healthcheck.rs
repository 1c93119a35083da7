//! `session-pool healthcheck`: asks the pool or the router on this machine how it is, for Docker's
//! `HEALTHCHECK`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, StatusCode, redirect::Policy};

use crate::cli::HealthcheckOptions;
use crate::domain::cause::deepest;

/// Docker's own limit, five seconds in the Dockerfile, would leave no reason in its log.
const WITHIN: Duration = Duration::from_secs(4);

/// Why it is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// Nothing answers there, or not in time.
    #[error(
        "no session pool answers on {address}: {reason}. Does it run, and is this its address? --host \
         (SESSION_POOL_HOST) and --port (SESSION_POOL_PORT) name another"
    )]
    NoAnswer {
        /// Where it was looked for.
        address: SocketAddr,
        /// What went wrong, without its causes.
        reason: String,
    },
    /// Something answers, and not that it is healthy.
    #[error("what answers on {address} says {status} to GET /health: is it a session pool?")]
    Refused {
        /// Where it was looked for.
        address: SocketAddr,
        /// What it said.
        status: StatusCode,
    },
    /// There is no way to ask.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

/// Asks once.
///
/// # Errors
/// [`Unhealthy`] unless the answer is that it is healthy.
pub fn run(options: &HealthcheckOptions) -> Result<(), Unhealthy> {
    let address = SocketAddr::new(reachable(options.host), options.port);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(ask(address, options.tls_cert.is_some()))
}

async fn ask(address: SocketAddr, tls: bool) -> Result<(), Unhealthy> {
    let no_answer = |error: reqwest::Error| Unhealthy::NoAnswer {
        address,
        reason: deepest(&error),
    };
    let scheme = if tls { "https" } else { "http" };
    let client = Client::builder()
        .timeout(WITHIN)
        .redirect(Policy::none())
        .no_proxy()
        // It is this machine's own, under whatever name, and is told nothing.
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(no_answer)?;
    let answer = client
        .get(format!("{scheme}://{address}/health"))
        .send()
        .await
        .map_err(no_answer)?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        status => Err(Unhealthy::Refused { address, status }),
    }
}

/// Where one that listens on all addresses can be asked.
const fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_loopback() {
        for (host, asked) in [
            ("0.0.0.0", "127.0.0.1"),
            ("::", "::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("10.1.2.3", "10.1.2.3"),
        ] {
            assert_eq!(reachable(host.parse().unwrap()).to_string(), asked);
        }
    }
}
