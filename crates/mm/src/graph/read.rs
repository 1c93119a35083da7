//! Reading calls: collections, entities, texts, and what is saved to a file.

use reqwest::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use session_pool::domain::graph::{Header, Method, next_link};
use tokio::time::Instant;

use super::Hears;
use super::answer::{Content, Shown};
use super::body::{self, Kind, Read};
use super::client::{Client, Sending};
use super::collected::Collected;
use super::cursor::{Place, Seal};
use super::error::GraphError;
use super::gather::Gathering;
use super::noise::Clean;
use super::page::{Fit, Page};
use super::target::{Form, Target, Written};

const FULL: &str = "the answer is full";

/// How much one answer may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Characters of the answer.
    pub(crate) characters: Option<usize>,
    /// Items of the answer.
    pub(crate) items: Option<usize>,
    /// When no further page is begun.
    pub(crate) until: Option<Instant>,
}

/// A reading call on its way.
pub(crate) struct Reader<'a, 'c> {
    pub(crate) fetcher: Fetcher<'a, 'c>,
    pub(crate) seal: &'a Seal,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
    pub(crate) target: Target<'a>,
}

/// Gets pages, one at a time.
pub(crate) struct Fetcher<'a, 'c> {
    pub(crate) client: &'a mut Client<'c>,
    /// The headers of every page.
    pub(crate) headers: Vec<Header>,
    pub(crate) hears: &'a mut dyn Hears,
}

impl Fetcher<'_, '_> {
    /// Gets what lies there, if it is a success.
    ///
    /// # Errors
    /// Where it is refused, or there is no answer.
    pub(crate) async fn fetch(&mut self, link: &str) -> Result<Response, GraphError> {
        let endpoint = next_link(link, self.client.base())?;
        let sending = Sending {
            method: Method::Get,
            url: endpoint.url(),
            headers: &self.headers,
            body: None,
        };
        let response = self.client.send(&sending, self.hears).await?;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            Ok(response)
        } else {
            Err(super::refused(response, &endpoint, self.client, "").await)
        }
    }
}

impl Reader<'_, '_> {
    /// Reads from the place on.
    ///
    /// # Errors
    /// Where nothing could be read.
    pub(crate) async fn read(mut self) -> Result<Content, GraphError> {
        let response = self.fetcher.fetch(&self.place.link).await?;
        let status = response.status().as_u16();
        if matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            return Ok(Content::Nothing(status));
        }
        match body::kind(&response) {
            Kind::Json => {
                let text = body::json_text(response).await?;
                match Collected::first(&text)? {
                    Some(first) => Gathering::new(self, status).gather(first).await,
                    None => self.entity(status, &text),
                }
            }
            kind @ (Kind::Text | Kind::Csv | Kind::Html) => {
                let format = kind.format();
                match (self.target.form(), self.target) {
                    (_, Target::File(written)) => saved(response, *written).await,
                    (Form::Indented, target @ Target::Stream(_)) => {
                        streamed(target, status, format, response).await
                    }
                    (_, target) => {
                        self.target = target;
                        let text = body::text(response).await?;
                        self.text(status, format, &text)
                    }
                }
            }
            Kind::Binary => match self.target {
                Target::File(written) => saved(response, *written).await,
                target @ (Target::Answer | Target::Stream(_)) => {
                    self.target = target;
                    self.binary(status, response).await
                }
            },
        }
    }

    fn entity(mut self, status: u16, text: &str) -> Result<Content, GraphError> {
        let raw: &RawValue = serde_json::from_str(text)?;
        let clean = Clean::entity(raw, &self.place.select);
        if let Target::File(written) = self.target {
            return kept_json(*written, &clean);
        }
        let mut page = Page::new(self.limits.characters, Form::Indented);
        let fit = page.entity(&clean, self.place.offset)?;
        self.shown(status, "json", fit, page.finish())
    }

    /// What is called bytes: CSV often is.
    async fn binary(mut self, status: u16, response: Response) -> Result<Content, GraphError> {
        let read = if body::says_csv(&response, &self.place.link) {
            body::text_or_blob(response).await?
        } else {
            Read::Blob(body::blob(response).await?)
        };
        match read {
            Read::Text(text) => match &mut self.target {
                target @ Target::Stream(_) if target.form() == Form::Indented => {
                    let end = if text.ends_with('\n') { "" } else { "\n" };
                    target.pass(text.into()).await?;
                    target.pass(end.into()).await?;
                    Ok(taken(status, "csv"))
                }
                _ => self.text(status, "csv", &text),
            },
            Read::Blob(blob) if blob.bytes == 0 => Ok(Content::Nothing(status)),
            Read::Blob(blob) => Ok(Content::Blob(status, blob)),
        }
    }

    fn text(
        mut self,
        status: u16,
        format: &'static str,
        text: &str,
    ) -> Result<Content, GraphError> {
        let mut page = Page::new(self.limits.characters, Form::Indented);
        let fit = page.plain(text, self.place.offset);
        self.shown(status, format, fit, page.finish())
    }

    /// A page of what has no items.
    fn shown(
        &mut self,
        status: u16,
        format: &'static str,
        fit: Fit,
        output: String,
    ) -> Result<Content, GraphError> {
        let begun = self.place.offset > 0;
        let cursor = match fit {
            Fit::Cut(offset) => {
                self.place.offset = offset;
                Some(self.seal.seal(&self.place)?)
            }
            Fit::Whole | Fit::Full => None,
        };
        Ok(Content::Shown(Shown {
            status,
            output: Some(output),
            format,
            partial: begun || cursor.is_some(),
            stopped: cursor.as_ref().map(|_| FULL),
            cursor,
            ..Shown::default()
        }))
    }
}

/// The type of what is written again.
pub(crate) const JSON: &str = "application/json";

/// A body that goes into a file as it is.
///
/// # Errors
/// Where it breaks off, or the disk does not take it.
pub(crate) async fn saved(
    mut response: Response,
    mut written: Written,
) -> Result<Content, GraphError> {
    let content_type = body::content_type(&response);
    while let Some(piece) = body::next(&mut response).await? {
        written.write(&piece)?;
    }
    kept(written, content_type)
}

/// JSON that goes into a file.
///
/// # Errors
/// Where the disk does not take it.
pub(crate) fn kept_json(
    mut written: Written,
    value: &impl Serialize,
) -> Result<Content, GraphError> {
    written.write(serde_json::to_string_pretty(value)?.as_bytes())?;
    kept(written, JSON.to_owned())
}

fn kept(written: Written, content_type: String) -> Result<Content, GraphError> {
    let (path, blob) = written.finish(content_type)?;
    Ok(Content::Saved {
        path,
        blob,
        items: None,
        cursor: None,
    })
}

/// A text that is taken as it comes, byte for byte but for the mark that some begin with.
async fn streamed(
    mut target: Target<'_>,
    status: u16,
    format: &'static str,
    mut response: Response,
) -> Result<Content, GraphError> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let (mut begun, mut ends_line) = (false, true);
    while let Some(mut piece) = body::next(&mut response).await? {
        if !begun && piece.starts_with(MARK) {
            let _ = piece.split_to(MARK.len());
        }
        begun = true;
        ends_line = piece.last().map_or(ends_line, |last| *last == b'\n');
        target.pass(piece).await?;
    }
    if !ends_line {
        target.pass("\n".into()).await?;
    }
    Ok(taken(status, format))
}

/// What was taken as it came.
fn taken(status: u16, format: &'static str) -> Content {
    Content::Shown(Shown {
        status,
        format,
        ..Shown::default()
    })
}
