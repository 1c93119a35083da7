//! Answers' bodies: what they are, and reading them without surprise.

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::error::GraphError;

/// Bytes of JSON or text that are held in memory.
const LARGEST: usize = 64 << 20;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Text,
    Csv,
    Html,
    Binary,
}

impl Kind {
    /// The word for it in an answer.
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Text | Self::Binary => "text",
        }
    }
}

/// A body that is called bytes, once it has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Text(String),
    Blob(Blob),
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
    } else if plain == "text/csv" || plain == "application/csv" {
        Kind::Csv
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
    Ok(unmarked(String::from_utf8_lossy(&bytes).into_owned()))
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

/// Whether a body that is called bytes is CSV by its name, or by what was asked for: the reports of
/// Microsoft 365 and the files of drives come like that.
pub(crate) fn says_csv(response: &Response, link: &str) -> bool {
    let disposition = response.headers().get(CONTENT_DISPOSITION);
    let disposition = disposition.map(|value| String::from_utf8_lossy(value.as_bytes()));
    disposition.is_some_and(|value| is_named_csv(&value))
        || asks_for_csv(response.url())
        || Url::parse(link).is_ok_and(|url| asks_for_csv(&url))
}

/// `attachment; filename="report.csv"` (RFC 6266).
fn is_named_csv(disposition: &str) -> bool {
    let mut parameters = disposition.split(';').skip(1);
    parameters.any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().to_ascii_lowercase().starts_with("filename") && value.ends_with(".csv")
    })
}

fn asks_for_csv(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    let file = path.strip_suffix(":/content").unwrap_or(&path);
    file.ends_with(".csv")
        || path.contains("/reports/get")
        || url.query_pairs().any(|(name, value)| {
            name.trim_start_matches('$').eq_ignore_ascii_case("format")
                && value.eq_ignore_ascii_case("text/csv")
        })
}

/// What is called bytes: a text where it is one and not too large, else its size and hash.
///
/// # Errors
/// Where it breaks off.
pub(crate) async fn text_or_blob(mut response: Response) -> Result<Read, GraphError> {
    let content_type = content_type(&response);
    let mut hash = Sha256::new();
    let (mut bytes, mut kept) = (0, Some(Vec::new()));
    while let Some(chunk) = next(&mut response).await? {
        hash.update(&chunk);
        bytes += chunk.len() as u64;
        if bytes > LARGEST as u64 || chunk.contains(&0) {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&chunk);
        }
    }
    match kept.map(String::from_utf8) {
        Some(Ok(text)) if !text.is_empty() => Ok(Read::Text(unmarked(text))),
        _ => Ok(Read::Blob(Blob {
            content_type,
            bytes,
            sha256: hex(&hash.finalize()),
        })),
    }
}

/// Without the mark that some texts begin with.
fn unmarked(text: String) -> String {
    text.strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken(_: reqwest::Error) -> GraphError {
    GraphError::Broken {
        // A download comes from a host whose name tells the tenant.
        host: "the service".to_owned(),
        reason: "in the middle of the answer".to_owned(),
        reads: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_known_by_its_name_or_by_what_was_asked_for() {
        for (disposition, csv) in [
            ("attachment; filename=\"Report 7.CSV\"", true),
            ("attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.csv", true),
            ("inline;filename=a.csv", true),
            ("attachment; filename=\"a.csv.zip\"", false),
            ("attachment; name=\"a.csv\"", false),
            ("attachment", false),
            ("", false),
        ] {
            assert_eq!(is_named_csv(disposition), csv, "{disposition}");
        }
        for (link, csv) in [
            (
                "/v1.0/reports/getOffice365ActiveUserDetail(period='D7')",
                true,
            ),
            ("/beta/me/drive/root:/a/b.csv:/content", true),
            ("/v1.0/x?%24format=text/csv", true),
            ("/v1.0/x?$format=text%2Fcsv", true),
            ("/report/data.csv?sig=1", true),
            ("/v1.0/x?$format=application/json", false),
            ("/v1.0/me/drive/root:/a.csv.zip:/content", false),
            ("/v1.0/me/photo/$value", false),
        ] {
            let url = Url::parse(&format!("https://graph.microsoft.com{link}"));
            assert_eq!(url.is_ok_and(|url| asks_for_csv(&url)), csv, "{link}");
        }
    }
}
