//! Other hosts, to which Graph leads for downloads and uploads: without a token, and never into
//! this machine's own network.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use session_pool::domain::graph::is_private;
use session_pool::sign_in::http::{self, Http};
use url::Url;

/// The client for other hosts.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere(OnceLock<Client>);

impl Elsewhere {
    /// The client for an address that the service named and that has been checked: plain HTTP is
    /// the demo's, on this machine.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(crate) fn client<'a>(
        &'a self,
        url: &Url,
        http: &'a Http,
    ) -> Result<&'a Client, reqwest::Error> {
        if url.scheme() == "http" {
            return http.client(url);
        }
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = http::base().dns_resolver(Arc::new(Public)).build()?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// Resolves names to public addresses only: a name that leads to this machine is refused at the
/// moment of connecting, where it cannot change any more.
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                return Err("the name leads to this machine or a private network".into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}
