//! Reading calls: pages of collections, entities, texts, and what is saved to a file.

use reqwest::{Response, StatusCode};
use serde_json::{Map, Value};
use session_pool::domain::graph::{Endpoint, Header, Method, next_link};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::answer::{Content, Shown};
use super::body::{self, Blob, Kind};
use super::client::{Client, Sending};
use super::cursor::{Place, Seal};
use super::error::GraphError;
use super::files::Saving;
use super::page::{Fit, Page};
use super::{Heard, Hears, noise};

const ONE_PAGE: &str = "one page of the service was asked for; all_pages fetches more";
const ENOUGH: &str = "max_items is reached";
const FULL: &str = "the answer is full";
const LATE: &str = "the call has lasted long enough";
const HELD_UP: &str = "the service did not give the next page";

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
    pub(crate) client: &'a mut Client<'c>,
    pub(crate) seal: &'a Seal,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
    pub(crate) saving: Option<Saving>,
    pub(crate) hears: &'a mut dyn Hears,
}

/// What has been gathered from a collection.
struct Gathered {
    page: Page,
    total: Option<u64>,
    delta: Option<String>,
    beside: Map<String, Value>,
    written: Written,
}

/// What went into the file.
#[derive(Default)]
struct Written {
    bytes: u64,
    hash: Sha256,
}

/// Why the reading of a page's items ended.
enum Ended {
    /// With the page.
    Page,
    /// Before its end.
    Inside(&'static str),
}

impl Reader<'_, '_> {
    /// Reads from the place on.
    ///
    /// # Errors
    /// Where nothing could be read.
    pub(crate) async fn read(mut self) -> Result<Content, GraphError> {
        let response = self.fetch().await?;
        let status = response.status().as_u16();
        if matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            return Ok(Content::Nothing(status));
        }
        match body::kind(&response) {
            Kind::Json => match body::json(response).await? {
                Value::Object(mut object)
                    if matches!(object.get("value"), Some(Value::Array(_))) =>
                {
                    let items = take_items(&mut object);
                    self.collection(status, object, items).await
                }
                value => self.entity(status, value),
            },
            kind @ (Kind::Text | Kind::Html) if self.saving.is_none() => {
                let format = if kind == Kind::Html { "html" } else { "text" };
                let text = body::text(response).await?;
                let mut page = Page::new(self.limits.characters);
                let fit = page.plain(&text, self.place.offset);
                self.shown(status, format, fit, page.finish())
            }
            _ => {
                let blob = body::blob(response, self.saving.as_mut()).await?;
                match self.saving.take() {
                    Some(saving) => Ok(Content::Saved {
                        path: saving.finish()?,
                        blob,
                        items: None,
                        cursor: None,
                    }),
                    None => Ok(Content::Blob(status, blob)),
                }
            }
        }
    }

    async fn fetch(&mut self) -> Result<Response, GraphError> {
        let endpoint = next_link(&self.place.link, self.client.base())?;
        let headers: Vec<Header> = self
            .place
            .headers
            .iter()
            .filter_map(|(name, value)| Header::new(name, value).ok())
            .collect();
        let sending = Sending {
            method: Method::Get,
            url: endpoint.url(),
            headers: &headers,
            body: None,
        };
        let response = self.client.send(&sending, self.hears).await?;
        if self.place.account.is_none() {
            self.place.account = self.client.account().map(str::to_owned);
        }
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            Ok(response)
        } else {
            Err(super::refused(response, &endpoint, self.client, "").await)
        }
    }

    fn entity(&mut self, status: u16, mut value: Value) -> Result<Content, GraphError> {
        noise::removed(&mut value, true);
        noise::selected(&mut value, &self.place.select);
        if let Some(mut saving) = self.saving.take() {
            let mut written = Written::default();
            let mut page = Page::new(None);
            page.entity(&value, 0);
            written.write(&page.finish(), &mut saving)?;
            return Ok(Content::Saved {
                path: saving.finish()?,
                blob: written.blob(),
                items: None,
                cursor: None,
            });
        }
        let mut page = Page::new(self.limits.characters);
        let fit = page.entity(&value, self.place.offset);
        self.shown(status, "json", fit, page.finish())
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
            output,
            format,
            partial: begun || cursor.is_some(),
            stopped: cursor.as_ref().map(|_| FULL),
            cursor,
            ..Shown::default()
        }))
    }

    async fn collection(
        mut self,
        status: u16,
        first: Map<String, Value>,
        first_items: Vec<Value>,
    ) -> Result<Content, GraphError> {
        let characters = match self.saving {
            Some(_) => None,
            None => self.limits.characters,
        };
        let mut gathered = Gathered {
            page: Page::new(characters),
            total: None,
            delta: None,
            beside: Map::new(),
            written: Written::default(),
        };
        let (mut object, mut items) = (first, first_items);
        let stopped = loop {
            let paging = noise::paging(&mut object);
            gathered.total = paging.total.or(gathered.total);
            self.keep_beside(&mut gathered, object, paging.delta);
            if let Ended::Inside(why) = self.take(&mut gathered.page, items) {
                break Some(why);
            }
            self.flush(&mut gathered)?;
            let Some(next) = paging.next else {
                break None;
            };
            // Where it leads is checked before anybody is told of it.
            next_link(&next, self.client.base())?;
            self.place.link = next;
            (self.place.item, self.place.offset) = (0, 0);
            if let Some(why) = self.enough(&gathered.page) {
                break Some(why);
            }
            let told = Heard::Items {
                items: self.place.delivered,
                total: gathered.total,
            };
            self.hears.hear(told).await;
            match self.next_page().await {
                Ok(page) => (object, items) = page,
                // What there is is worth more than the reason why there is no more.
                Err(_) => break Some(HELD_UP),
            }
        };
        self.finish(status, gathered, stopped)
    }

    async fn next_page(&mut self) -> Result<(Map<String, Value>, Vec<Value>), GraphError> {
        let response = self.fetch().await?;
        match body::json(response).await? {
            Value::Object(mut object) => {
                let items = take_items(&mut object);
                Ok((object, items))
            }
            _ => Err(GraphError::Garbled("a page that is no object".to_owned())),
        }
    }

    /// Puts a page's items into the answer, from the place on.
    fn take(&mut self, page: &mut Page, items: Vec<Value>) -> Ended {
        for mut item in items.into_iter().skip(self.place.item) {
            if self.limits.items.is_some_and(|most| page.items() >= most) {
                return Ended::Inside(ENOUGH);
            }
            noise::removed(&mut item, false);
            noise::selected(&mut item, &self.place.select);
            match page.item(&item, self.place.offset) {
                Fit::Whole => {
                    self.place.item += 1;
                    self.place.delivered += 1;
                    self.place.offset = 0;
                }
                Fit::Full => return Ended::Inside(FULL),
                Fit::Cut(offset) => {
                    self.place.offset = offset;
                    return Ended::Inside(FULL);
                }
            }
        }
        Ended::Page
    }

    fn enough(&self, page: &Page) -> Option<&'static str> {
        if !self.place.all_pages {
            Some(ONE_PAGE)
        } else if self.limits.items.is_some_and(|most| page.items() >= most) {
            Some(ENOUGH)
        } else if page.is_cut() {
            Some(FULL)
        } else if self
            .limits
            .until
            .is_some_and(|until| Instant::now() >= until)
        {
            Some(LATE)
        } else {
            None
        }
    }

    fn keep_beside(
        &self,
        gathered: &mut Gathered,
        object: Map<String, Value>,
        delta: Option<String>,
    ) {
        if let Some(link) = delta {
            gathered.delta = Endpoint::given(&link, self.client.base())
                .ok()
                .map(|endpoint| endpoint.path_and_query().to_owned());
        }
        let mut rest = Value::Object(object);
        noise::removed(&mut rest, false);
        if let Value::Object(rest) = rest {
            gathered.beside.extend(rest);
        }
    }

    fn flush(&mut self, gathered: &mut Gathered) -> Result<(), GraphError> {
        match &mut self.saving {
            Some(saving) => gathered.written.write(&gathered.page.drain(), saving),
            None => Ok(()),
        }
    }

    fn finish(
        mut self,
        status: u16,
        mut gathered: Gathered,
        stopped: Option<&'static str>,
    ) -> Result<Content, GraphError> {
        let cursor = match stopped {
            Some(_) => Some(self.seal.seal(&self.place)?),
            None => None,
        };
        let items = gathered.page.items();
        let partial = gathered.page.is_cut();
        let output = gathered.page.finish_collection();
        if let Some(mut saving) = self.saving.take() {
            gathered.written.write(&output, &mut saving)?;
            return Ok(Content::Saved {
                path: saving.finish()?,
                blob: gathered.written.blob(),
                items: Some(items),
                cursor,
            });
        }
        let beside =
            (!gathered.beside.is_empty()).then(|| Value::Object(gathered.beside).to_string());
        Ok(Content::Shown(Shown {
            status,
            output,
            format: "json",
            items: Some(items),
            delivered: self.place.delivered,
            total: gathered.total,
            cursor,
            stopped,
            partial,
            delta: gathered.delta,
            beside,
        }))
    }
}

impl Written {
    fn write(&mut self, text: &str, saving: &mut Saving) -> Result<(), GraphError> {
        self.bytes += text.len() as u64;
        self.hash.update(text.as_bytes());
        Ok(saving.write(text.as_bytes())?)
    }

    fn blob(self) -> Blob {
        Blob {
            content_type: "application/json".to_owned(),
            bytes: self.bytes,
            sha256: body::hex(&self.hash.finalize()),
        }
    }
}

fn take_items(object: &mut Map<String, Value>) -> Vec<Value> {
    match object.remove("value") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}
