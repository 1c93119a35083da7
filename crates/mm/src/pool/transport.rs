//! How a request gets to the pool: plain HTTP, or TLS where the address asks for it.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;

/// What a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A request that got no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// There was no connection: the request was certainly not seen.
    Connect(Box<dyn Error + Send + Sync>),
    /// The connection ended; whether the request was seen is unknown.
    Exchange(ClientError),
}

impl From<ClientError> for SendError {
    fn from(error: ClientError) -> Self {
        if error.is_connect() {
            Self::Connect(Box::new(error))
        } else {
            Self::Exchange(error)
        }
    }
}

type Plain = Client<HttpConnector, Full<Bytes>>;
type Tls = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The way to the pool.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    /// To this machine, mostly.
    Plain(Plain),
    /// Made at the first request: it reads the machine's certificates, which takes milliseconds.
    Tls(Arc<OnceLock<Tls>>),
}

impl Transport {
    pub(super) fn new(tls: bool) -> Self {
        if tls {
            Self::Tls(Arc::default())
        } else {
            Self::Plain(client(http()))
        }
    }

    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendError> {
        match self {
            Self::Plain(client) => Ok(client.request(request).await?),
            Self::Tls(client) => {
                let client = match client.get() {
                    Some(client) => client,
                    None => {
                        let made = tls().map_err(|error| SendError::Connect(error.into()))?;
                        client.get_or_init(|| made)
                    }
                };
                Ok(client.request(request).await?)
            }
        }
    }
}

fn http() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    connector
}

fn tls() -> Result<Tls, impl Error + Send + Sync> {
    let mut http = http();
    http.enforce_http(false);
    HttpsConnectorBuilder::new()
        .try_with_platform_verifier()
        .map(|builder| client(builder.https_only().enable_http1().wrap_connector(http)))
}

/// A connection serves one request: a kept one may be closed by the pool at the moment in which a
/// command is sent, and then nobody knows whether the command ran.
fn client<C>(connector: C) -> Client<C, Full<Bytes>>
where
    C: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector)
}
