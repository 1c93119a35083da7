//! The stand-ins on a port of their own: what guards the pool's routes is not for them.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use axum::Router;

use super::DemoCloud;

/// Below which path they stand.
const PATH: &str = "/cloud";

/// The stand-ins cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// No port could be had.
    #[error("the demo's Graph cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] io::Error),
    /// The embedded tenants are broken.
    #[error("the demo's own tenants are broken: {0}")]
    Tenants(#[from] serde_json::Error),
}

/// Stand-ins with a port, not served yet.
#[derive(Debug)]
pub struct CloudServer {
    cloud: DemoCloud,
    listener: TcpListener,
}

impl CloudServer {
    /// Takes a free port of this machine.
    ///
    /// # Errors
    /// [`CloudError`].
    pub fn bind() -> Result<Self, CloudError> {
        Self::with_people(None)
    }

    /// As [`Self::bind`], with this many people in every tenant.
    ///
    /// # Errors
    /// [`CloudError`].
    pub fn with_people(people: Option<usize>) -> Result<Self, CloudError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let base = format!("http://{}{PATH}", listener.local_addr()?);
        Ok(Self {
            cloud: DemoCloud::with_people(&base, people)?,
            listener,
        })
    }

    /// What is served.
    pub fn cloud(&self) -> DemoCloud {
        self.cloud.clone()
    }

    /// Serves for ever.
    pub async fn serve(self) {
        let served = async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let router = Router::new().nest(PATH, self.cloud.router());
            axum::serve(listener, router).await
        };
        if let Err(error) = served.await {
            tracing::warn!(%error, "the demo's Graph ended");
        }
    }
}
