//! The HTTP API: thin handlers over the pool, behind the rules of access.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod error;
mod events;
mod metrics;
mod observe;
pub(crate) mod openapi;
pub(crate) mod parameters;
mod router;
pub(crate) mod routes;

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::extract::FromRef;
use tokio::net::TcpListener;

use crate::domain::paging::PageBudget;
use crate::session::Pool;
use crate::tls::Tls;

pub use access::{Access, AllowedHosts};
pub use metrics::Metrics;
pub use router::router;
pub(crate) use router::{guarded, pool_description};

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

    pub(in crate::http) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

impl FromRef<App> for Access {
    fn from_ref(app: &App) -> Self {
        app.0.access.clone()
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
    tls: Option<Tls>,
    app: App,
    more: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let metrics = app.metrics().clone();
    serve_routes(listener, tls, router(app, more), metrics, shutdown).await
}

/// The same for other routes than the pool's.
///
/// # Errors
/// When the listener fails for good.
pub(crate) async fn serve_routes(
    listener: TcpListener,
    tls: Option<Tls>,
    routes: axum::Router,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let upkeep = metrics.upkeep();
    let answers = async {
        let Some(tls) = tls else {
            return axum::serve(listener, routes)
                .with_graceful_shutdown(shutdown)
                .await;
        };
        let answers = axum::serve(tls.listener(listener), routes).with_graceful_shutdown(shutdown);
        tokio::select! {
            result = answers => result,
            () = tls.watch() => Ok(()),
        }
    };
    tokio::select! {
        result = answers => result,
        () = upkeep => Ok(()),
    }
}
