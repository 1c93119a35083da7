//! Answers' bodies: what they are, and reading them without surprise.

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::GraphError;

/// Bytes of JSON or text that are held in memory.
const LARGEST: usize = 64 << 20;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Text,
    Html,
    Binary,
}

/// A body that is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) content_type: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// What the answer says it is.
pub(crate) fn kind(response: &Response) -> Kind {
    let full = content_type(response).to_ascii_lowercase();
    let plain = full.split(';').next().unwrap_or_default().trim().to_owned();
    if plain.ends_with("/json") || plain.ends_with("+json") {
        Kind::Json
    } else if plain == "text/html" || plain == "application/xhtml+xml" {
        Kind::Html
    } else if plain.starts_with("text/") || plain.ends_with("/xml") || plain.ends_with("+xml") {
        Kind::Text
    } else {
        Kind::Binary
    }
}

pub(crate) fn content_type(response: &Response) -> String {
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/octet-stream")
        .chars()
        .take(100)
        .collect()
}

/// What comes next of it.
///
/// # Errors
/// Where it breaks off.
pub(crate) async fn next(response: &mut Response) -> Result<Option<Bytes>, GraphError> {
    response.chunk().await.map_err(broken)
}

/// All of it.
///
/// # Errors
/// Where it is too large or breaks off.
pub(crate) async fn bytes(mut response: Response) -> Result<Vec<u8>, GraphError> {
    let told = response.content_length().unwrap_or_default();
    let told = usize::try_from(told).unwrap_or(LARGEST).min(LARGEST);
    let mut bytes = Vec::with_capacity(told);
    while let Some(chunk) = next(&mut response).await? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(GraphError::TooLarge(LARGEST));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// As JSON that has not been read yet; null where there is nothing, which some actions call JSON.
///
/// # Errors
/// As [`bytes`], or where it is no text.
pub(crate) async fn json_text(response: Response) -> Result<String, GraphError> {
    let text = String::from_utf8(bytes(response).await?)
        .map_err(|error| GraphError::Garbled(format!("it is called JSON and is not ({error})")))?;
    if text.is_empty() {
        return Ok("null".to_owned());
    }
    Ok(text)
}

/// As JSON; null where there is nothing.
///
/// # Errors
/// As [`json_text`], or where it is no JSON.
pub(crate) async fn json(response: Response) -> Result<Value, GraphError> {
    Ok(serde_json::from_str(&json_text(response).await?)?)
}

/// As text.
///
/// # Errors
/// As [`bytes`].
pub(crate) async fn text(response: Response) -> Result<String, GraphError> {
    let bytes = bytes(response).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Its size and hash.
///
/// # Errors
/// Where it breaks off.
pub(crate) async fn blob(mut response: Response) -> Result<Blob, GraphError> {
    let content_type = content_type(&response);
    let mut hash = Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = next(&mut response).await? {
        hash.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok(Blob {
        content_type,
        bytes,
        sha256: hex(&hash.finalize()),
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken(error: reqwest::Error) -> GraphError {
    let host = error
        .url()
        .and_then(|url| url.host_str())
        .unwrap_or("the service")
        .to_owned();
    GraphError::Broken {
        host,
        reason: "in the middle of the answer".to_owned(),
        reads: true,
    }
}
