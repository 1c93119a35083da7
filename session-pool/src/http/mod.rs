//! The HTTP API: thin handlers over the pool, behind the rules of access.

mod access;
mod body;
mod error;
mod events;
mod metrics;
mod observe;
mod openapi;
mod parameters;
mod router;
mod routes;

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::domain::paging::PageBudget;
use crate::session::Pool;

pub use access::{Access, AllowedHosts};
pub use metrics::Metrics;
pub use router::router;

/// All that the handlers share.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    pool: Pool,
    access: Access,
    metrics: Metrics,
    page: PageBudget,
}

impl App {
    /// A pool behind rules of access; answers hold a page unless their request says otherwise.
    pub fn new(pool: Pool, access: Access, metrics: Metrics, page: PageBudget) -> Self {
        Self(Arc::new(Parts {
            pool,
            access,
            metrics,
            page,
        }))
    }

    pub(in crate::http) fn page(&self) -> PageBudget {
        self.0.page
    }

    pub(in crate::http) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(in crate::http) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(in crate::http) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

/// Answers requests until `shutdown` resolves, then those that have begun. `more`: routes of the
/// kind of server, for callers with the token.
///
/// These end when their jobs do; who cannot wait for that drops the future.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    app: App,
    more: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let upkeep = app.metrics().clone().upkeep();
    let answers = axum::serve(listener, router(app, more)).with_graceful_shutdown(shutdown);
    tokio::select! {
        result = answers => result,
        () = upkeep => Ok(()),
    }
}
