//! Asking every backend that is up the same thing at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::future::join_all;
use serde::de::DeserializeOwned;

use crate::http::access::Caller;

use super::backend::{Backend, Standing};
use super::backends::Backends;

/// What came of it.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    /// The answers, in the order of the connections' names.
    pub(super) answers: Vec<(String, T)>,
    /// Why there is none.
    pub(super) unreachable: BTreeMap<String, String>,
}

/// Asks for JSON; without the token for a caller who has none.
pub(super) async fn json<T: DeserializeOwned>(
    backends: &Backends,
    path: &'static str,
    caller: Caller,
) -> Gathered<T> {
    gather(backends, path, "application/json", caller, |body| {
        serde_json::from_slice(&body)
            .map_err(|error| format!("its answer of {path} is not what it should be: {error}"))
    })
    .await
}

/// Asks for text, which needs no token.
pub(super) async fn text(backends: &Backends, path: &'static str) -> Gathered<String> {
    gather(backends, path, "text/plain", Caller::Anonymous, |body| {
        Ok(String::from_utf8_lossy(&body).into_owned())
    })
    .await
}

async fn gather<T>(
    backends: &Backends,
    path: &'static str,
    accept: &'static str,
    caller: Caller,
    read: impl Fn(Bytes) -> Result<T, String>,
) -> Gathered<T> {
    let asked = backends.all();
    let each = asked.values().map(|backend| async move {
        let body = one(backend, path, accept, caller).await;
        (backend, body)
    });
    let mut gathered = Gathered {
        answers: Vec::new(),
        unreachable: BTreeMap::new(),
    };
    for (backend, body) in join_all(each).await {
        let connection = backend.connection().to_owned();
        match body.and_then(&read) {
            Ok(answer) => gathered.answers.push((connection, answer)),
            Err(reason) => drop(gathered.unreachable.insert(connection, reason)),
        }
    }
    gathered
}

/// One that is known to be down is not asked: nobody should wait for it.
async fn one(
    backend: &Arc<Backend>,
    path: &'static str,
    accept: &'static str,
    caller: Caller,
) -> Result<Bytes, String> {
    match backend.standing().await {
        Standing::Up(key) => {
            let key = (caller == Caller::Trusted).then_some(&key);
            backend.fetch(path, accept, key).await
        }
        Standing::Down { reason, .. } => Err(reason),
        Standing::Unknown => Err("nobody has looked at it yet".to_owned()),
    }
}
