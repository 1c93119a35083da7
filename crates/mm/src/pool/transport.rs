//! How a request gets to the pool: plain HTTP, or TLS where the address asks for it.

use std::convert::Infallible;
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// What goes wrong below HTTP.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Cause(Box<dyn Error + Send + Sync>);

impl Cause {
    fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// The body of an answer, as it arrives.
pub(super) type Body = UnsyncBoxBody<Bytes, Cause>;

/// What a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A request that got no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// There was no connection: the request was certainly not seen.
    Connect(Cause),
    /// The connection ended; whether the request was seen is unknown.
    Exchange(Cause),
}

/// The way to the pool.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(Client<HttpConnector, Full<Bytes>>),
    /// Made at the first request: it reads the machine's certificates, which takes milliseconds.
    Tls(OnceLock<reqwest::Client>),
}

impl Transport {
    /// A connection serves one request: a kept one may be closed by the pool at the moment in
    /// which a command is sent, and then nobody knows whether the command ran.
    pub(super) fn new(tls: bool) -> Self {
        if tls {
            return Self::Tls(OnceLock::new());
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        Self::Plain(
            Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build(connector),
        )
    }

    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, SendError> {
        match self {
            Self::Plain(client) => match client.request(request).await {
                Ok(response) => Ok(response.map(|body| body.map_err(Cause::new).boxed_unsync())),
                Err(error) if error.is_connect() => Err(SendError::Connect(Cause::new(error))),
                Err(error) => Err(SendError::Exchange(Cause::new(error))),
            },
            Self::Tls(client) => {
                let client = match client.get() {
                    Some(client) => client,
                    None => {
                        let built =
                            tls_client().map_err(|error| SendError::Connect(Cause::new(error)))?;
                        client.get_or_init(|| built)
                    }
                };
                send_over_tls(client, request).await
            }
        }
    }
}

fn tls_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(0)
        // The token goes to the address that was configured, and nowhere else.
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

async fn send_over_tls(
    client: &reqwest::Client,
    request: Request<Full<Bytes>>,
) -> Result<Response<Body>, SendError> {
    let (head, body) = request.into_parts();
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never as Infallible {},
    };
    let request = reqwest::Request::try_from(Request::from_parts(head, bytes))
        .map_err(|error| SendError::Connect(Cause::new(error)))?;
    match client.execute(request).await {
        Ok(response) => {
            let response: Response<reqwest::Body> = response.into();
            Ok(response.map(|body| body.map_err(Cause::new).boxed_unsync()))
        }
        Err(error) if error.is_connect() => Err(SendError::Connect(Cause::new(error))),
        Err(error) => Err(SendError::Exchange(Cause::new(error))),
    }
}
