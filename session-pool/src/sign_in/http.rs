//! The HTTP clients, each made when it is first needed.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use url::Url;

/// What a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may say nothing at all.
const SILENCE: Duration = Duration::from_secs(100);

/// Clients that follow no redirect by themselves: a token must not go where a server points.
#[derive(Debug, Default)]
pub struct Http {
    plain: OnceLock<Client>,
    tls: OnceLock<Client>,
}

impl Http {
    /// Nothing is made yet: reading this machine's certificates takes milliseconds.
    pub const fn new() -> Self {
        Self {
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }
    }

    /// The client for a URL. Plain HTTP is spoken with this machine only (the registry refuses
    /// anything else), so it needs no certificates and no proxy.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn client(&self, url: &Url) -> Result<&Client, reqwest::Error> {
        if url.scheme() == "http" {
            return made(&self.plain, || base().no_proxy().tls_certs_only([]).build());
        }
        made(&self.tls, || base().build())
    }
}

/// What every client here has in common.
pub fn base() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("microsoft-master/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(Policy::none())
}

fn made(
    cell: &OnceLock<Client>,
    make: impl FnOnce() -> Result<Client, reqwest::Error>,
) -> Result<&Client, reqwest::Error> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let client = make()?;
    Ok(cell.get_or_init(|| client))
}
