//! Files that are sent: small ones in one request, large ones through an upload session.

use std::io::Read;

use bytes::Bytes;
use cap_std::fs::File;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use session_pool::domain::graph::{Endpoint, Header, Method};
use url::Url;

use super::client::{Client, Sending};
use super::error::GraphError;
use super::{Heard, Hears, body};

/// Bytes that one PUT of a drive's content takes with certainty; Graph's own limit is 250 MB, its
/// advice for anything large a session.
const SMALL: u64 = 4 * 1024 * 1024;

/// Bytes of one part: a multiple of 320 KiB, as Graph demands.
const PART: usize = 16 * 320 * 1024;

/// A file to send.
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) file: File,
    pub(crate) size: u64,
}

impl Upload {
    /// Whether it goes through a session: a large content of a drive, or where the caller asks for
    /// one.
    pub(crate) fn needs_session(&self, path: &str) -> bool {
        asks_for_session(path) || (self.size > SMALL && path.ends_with("/content"))
    }

    /// The whole file.
    ///
    /// # Errors
    /// Where it cannot be read, or is too large for one request.
    pub(crate) fn whole(&mut self) -> Result<Bytes, GraphError> {
        if self.size > SMALL * 16 {
            return Err(GraphError::Request(format!(
                "{:?} is too large for one request: use an endpoint that ends in :/content or \
                 /createUploadSession",
                self.name
            )));
        }
        let mut bytes = Vec::new();
        self.file
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(&error))?;
        Ok(bytes.into())
    }

    /// Sends the file through a session; answers with the service's last answer.
    ///
    /// # Errors
    /// Where the session is refused, or a part of the file is.
    pub(crate) async fn by_session(
        &mut self,
        client: &mut Client<'_>,
        endpoint: &Endpoint,
        headers: &[Header],
        description: Option<&Value>,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        let to = self
            .open_session(client, endpoint, headers, description, hears)
            .await?;
        let mut sent = 0_u64;
        loop {
            let part = self.part()?;
            let first = sent;
            sent += part.len() as u64;
            if part.is_empty() && sent < self.size {
                return Err(GraphError::Request(format!(
                    "{:?} became shorter while it was sent",
                    self.name
                )));
            }
            let range = if self.size == 0 {
                "bytes */0".to_owned()
            } else {
                format!("bytes {first}-{}/{}", sent.saturating_sub(1), self.size)
            };
            let mut extra = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&range) {
                extra.insert(CONTENT_RANGE, value);
            }
            extra.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
            let sending = Sending {
                method: Method::Put,
                url: &to,
                headers: &[],
                body: Some(part),
            };
            let response = client.send_elsewhere(&sending, extra, hears).await?;
            if !response.status().is_success() {
                return Err(super::refused(response, endpoint, client, &self.name).await);
            }
            if response.status() != StatusCode::ACCEPTED || sent >= self.size {
                return Ok(response);
            }
            hears
                .hear(Heard::Uploaded {
                    sent,
                    size: self.size,
                })
                .await;
        }
    }

    async fn open_session(
        &self,
        client: &mut Client<'_>,
        endpoint: &Endpoint,
        headers: &[Header],
        description: Option<&Value>,
        hears: &mut dyn Hears,
    ) -> Result<Url, GraphError> {
        let url = if asks_for_session(endpoint.path()) {
            endpoint.url().clone()
        } else {
            let mut url = endpoint.url().clone();
            let path = url.path().to_owned();
            let front = path.strip_suffix("/content").unwrap_or(&path);
            url.set_path(&format!("{front}/createUploadSession"));
            url
        };
        let description = description.cloned().unwrap_or_else(|| json!({}));
        let sending = Sending {
            method: Method::Post,
            url: &url,
            headers,
            body: Some(description.to_string().into()),
        };
        let response = client.send(&sending, hears).await?;
        if !response.status().is_success() {
            return Err(super::refused(response, endpoint, client, &self.name).await);
        }
        let session = body::json(response).await?;
        let to = session
            .get("uploadUrl")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                GraphError::Garbled("an upload session without an address".to_owned())
            })?;
        client.lead(&url, to)
    }

    fn part(&mut self) -> Result<Bytes, GraphError> {
        let mut part = Vec::with_capacity(PART);
        Read::by_ref(&mut self.file)
            .take(PART as u64)
            .read_to_end(&mut part)
            .map_err(|error| self.unreadable(&error))?;
        Ok(part.into())
    }

    fn unreadable(&self, error: &std::io::Error) -> GraphError {
        GraphError::Request(format!("{:?} cannot be read: {error}", self.name))
    }

    /// Its type by its name, for what is no drive.
    pub(crate) fn content_type(&self) -> &'static str {
        let extension = self.name.rsplit('.').next().unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "json" => "application/json",
            "txt" => "text/plain",
            "csv" => "text/csv",
            "html" | "htm" => "text/html",
            "xml" => "application/xml",
            _ => "application/octet-stream",
        }
    }
}

fn asks_for_session(path: &str) -> bool {
    path.ends_with("/createUploadSession")
}
