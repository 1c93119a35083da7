//! Files that are sent: small ones in one request, large ones through an upload session.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use cap_std::fs::File;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use session_pool::domain::graph::{Endpoint, Header, Method};
use url::Url;

use super::client::{Client, ELSEWHERE, Sending};
use super::error::GraphError;
use super::{Heard, Hears, body};

/// Bytes that one PUT of a drive's content takes with certainty; Graph's own limit is 250 MB, its
/// advice for anything large a session.
const SMALL: u64 = 4 * 1024 * 1024;

/// Bytes of one part: a multiple of 320 KiB, as drives demand, and below 4 MB, as mailboxes do.
const PART: usize = 12 * 320 * 1024;

/// Failures in a row after which a session that takes nothing more is given up.
const MOST_FAILURES: u32 = 5;

const BYTES: &str = "application/octet-stream";

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
        if self.size == 0 {
            return Err(GraphError::Request(format!(
                "{:?} is empty, and an upload session takes no empty file: send it to :/content",
                self.name
            )));
        }
        let to = self
            .open_session(client, endpoint, headers, description, hears)
            .await?;
        let mut first = 0_u64;
        let mut failures = 0;
        loop {
            let part = self.part(first)?;
            let behind = first + part.len() as u64;
            let outcome = self.put(client, &to, first, part, hears).await;
            let (failure, next) = match outcome {
                Ok(response) if response.status().is_success() => {
                    if behind >= self.size {
                        return Ok(response);
                    }
                    (None, self.wanted(response, behind).await?)
                }
                Ok(response) if !may_be_resumed(response.status()) => {
                    return Err(super::refused(response, endpoint, client, &self.name).await);
                }
                outcome => {
                    failures += 1;
                    let wait = Duration::from_millis(250 << failures);
                    if failures > MOST_FAILURES || !client.has_time(wait, Duration::ZERO) {
                        return Err(match outcome {
                            Ok(response) => {
                                super::refused(response, endpoint, client, &self.name).await
                            }
                            Err(error) => error,
                        });
                    }
                    let number = failures;
                    hears.hear(Heard::Waiting { wait, number }).await;
                    tokio::time::sleep(wait).await;
                    (outcome.err(), self.asked(client, &to, hears).await?)
                }
            };
            let Some(next) = next.filter(|next| *next < self.size) else {
                // It may have come to its end with the part whose answer was lost.
                return Err(failure.unwrap_or(GraphError::Broken {
                    host: ELSEWHERE.to_owned(),
                    reason: "the upload session is over".to_owned(),
                    reads: false,
                }));
            };
            // What came in is kept: only a service that takes nothing is given up.
            if next > first {
                failures = 0;
            }
            first = next;
            let size = self.size;
            hears.hear(Heard::Uploaded { sent: next, size }).await;
        }
    }

    /// Sends a part.
    async fn put(
        &self,
        client: &Client<'_>,
        to: &Url,
        first: u64,
        part: Bytes,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        let range = match part.len() as u64 {
            0 => format!("bytes */{}", self.size),
            length => format!("bytes {first}-{}/{}", first + length - 1, self.size),
        };
        let mut extra = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&range) {
            extra.insert(CONTENT_RANGE, value);
        }
        extra.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
        let headers: Vec<Header> = Header::new("Content-Type", BYTES).into_iter().collect();
        let sending = Sending {
            method: Method::Put,
            url: to,
            headers: &headers,
            body: Some(part),
        };
        client.send_elsewhere(&sending, extra, hears).await
    }

    /// What the service wants next after a part; what comes behind that part where it says nothing.
    async fn wanted(&self, response: Response, behind: u64) -> Result<Option<u64>, GraphError> {
        let session = body::json(response).await.unwrap_or_default();
        Ok(Some(next_expected(&session).unwrap_or(behind)))
    }

    /// Asks what the service wants next; `None` where the session is over.
    async fn asked(
        &self,
        client: &Client<'_>,
        to: &Url,
        hears: &mut dyn Hears,
    ) -> Result<Option<u64>, GraphError> {
        let sending = Sending {
            method: Method::Get,
            url: to,
            headers: &[],
            body: None,
        };
        let extra = HeaderMap::new();
        let response = client.send_elsewhere(&sending, extra, hears).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        Ok(next_expected(&body::json(response).await?))
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
        let description = match description {
            Some(description) => description.clone(),
            None if is_attachment(endpoint.path()) => self.attachment(),
            None => json!({}),
        };
        // The file's type is not that of the session's description.
        let headers: Vec<Header> = headers
            .iter()
            .filter(|header| header.name != "Content-Type")
            .cloned()
            .collect();
        let sending = Sending {
            method: Method::Post,
            url: &url,
            headers: &headers,
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

    /// What mailboxes want to know of an attachment before it comes.
    fn attachment(&self) -> Value {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        json!({"AttachmentItem": {"attachmentType": "file", "name": name, "size": self.size}})
    }

    /// The part that begins at this byte.
    fn part(&mut self, first: u64) -> Result<Bytes, GraphError> {
        let mut part = Vec::with_capacity(PART);
        let read = self.file.seek(SeekFrom::Start(first)).and_then(|_| {
            Read::by_ref(&mut self.file)
                .take(PART as u64)
                .read_to_end(&mut part)
        });
        read.map_err(|error| self.unreadable(&error))?;
        if part.is_empty() && first < self.size {
            return Err(GraphError::Request(format!(
                "{:?} became shorter while it was sent",
                self.name
            )));
        }
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
            _ => BYTES,
        }
    }
}

/// Whether a path asks for an upload session.
pub(crate) fn asks_for_session(path: &str) -> bool {
    let path = path.trim_end_matches(['/', ' ']).to_ascii_lowercase();
    path.ends_with("/createuploadsession") || path.ends_with("/microsoft.graph.createuploadsession")
}

/// Whether the session is for an attachment of a mail or an event.
fn is_attachment(path: &str) -> bool {
    asks_for_session(path) && path.to_ascii_lowercase().contains("/attachments/")
}

/// Whether a part that was answered like this may be sent again, once the service has said what it
/// has: its own failures, and parts that it has already or does not expect yet.
fn may_be_resumed(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::RANGE_NOT_SATISFIABLE
        )
}

/// The first byte of `"nextExpectedRanges": ["100-", …]`; mailboxes write `["100"]`.
fn next_expected(session: &Value) -> Option<u64> {
    let ranges = session
        .get("nextExpectedRanges")
        .or_else(|| session.get("NextExpectedRanges"))?;
    let first = ranges
        .as_array()?
        .iter()
        .filter_map(|range| range.as_str()?.split('-').next()?.parse().ok());
    first.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_missing_byte_is_sent_next() {
        for (session, first) in [
            (json!({"nextExpectedRanges": ["26-"]}), Some(26)),
            (json!({"nextExpectedRanges": ["90-", "12-30"]}), Some(12)),
            (json!({"NextExpectedRanges": ["7-"]}), Some(7)),
            (json!({"nextExpectedRanges": ["2097152"]}), Some(2_097_152)),
            (json!({"nextExpectedRanges": []}), None),
            (json!({"nextExpectedRanges": ["x"]}), None),
            (json!(null), None),
        ] {
            assert_eq!(next_expected(&session), first, "{session}");
        }
    }
}
