//! Collections: page after page, until the answer is full, late or complete.

use std::ops::ControlFlow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use session_pool::domain::graph::{Endpoint, next_link};
use tokio::time::Instant;
use url::Url;

use super::Heard;
use super::answer::{Content, Shown};
use super::body;
use super::collected::Collected;
use super::cursor::Place;
use super::error::GraphError;
use super::noise::Clean;
use super::page::{Fit, Page};
use super::read::{Fetcher, JSON, Limits, Reader};
use super::target::Target;
use super::trail::Trail;

const ONE_PAGE: &str = "one page of the service was asked for; all_pages fetches more";
const ENOUGH: &str = "max_items is reached";
const FULL: &str = "the answer is full";
const LATE: &str = "the call has lasted long enough";
const BROKE: &str = "an error ended it";

/// Items that are written in one go: between them the next page may come in.
const STRIDE: usize = 64;

/// A collection that is being read.
pub(crate) struct Gathering<'a, 'c> {
    reader: Reader<'a, 'c>,
    status: u16,
    page: Page,
    trail: Trail,
    total: Option<u64>,
    delta: Option<String>,
    beside: Map<String, Value>,
}

/// Why the reading of items ended before the collection did; `None` at its end.
type Stopped = Option<&'static str>;

/// How reading ended.
enum End {
    /// For this reason, or with the collection.
    Stopped(Stopped),
    /// By an error, after what was read.
    Broke(GraphError),
}

impl End {
    fn at(why: &'static str) -> Self {
        Self::Stopped(Some(why))
    }
}

impl<'a, 'c> Gathering<'a, 'c> {
    /// Nothing yet.
    pub(crate) fn new(reader: Reader<'a, 'c>, status: u16) -> Self {
        let characters = match reader.target {
            Target::Answer => reader.limits.characters,
            Target::File(_) | Target::Stream(_) => None,
        };
        Self {
            page: Page::new(characters, reader.target.form()),
            trail: Trail::to(&reader.place),
            reader,
            status,
            total: None,
            delta: None,
            beside: Map::new(),
        }
    }

    /// Reads on from the first page.
    ///
    /// # Errors
    /// Where what was read cannot be kept.
    pub(crate) async fn gather(mut self, first: Collected<'_>) -> Result<Content, GraphError> {
        let mut step = self.one(first).await?;
        loop {
            let text = match step {
                ControlFlow::Break(end) => return self.finish(end).await,
                ControlFlow::Continue(text) => text,
            };
            step = match Collected::further(&text) {
                Ok(page) => self.one(page).await?,
                Err(error) => ControlFlow::Break(End::Broke(error.into())),
            };
        }
    }

    /// Takes a page; answers with the text of the next one.
    async fn one(&mut self, page: Collected<'_>) -> Result<ControlFlow<End, String>, GraphError> {
        self.total = page.total.or(self.total);
        self.beside.extend(page.beside);
        self.delta = page.delta.or(self.delta.take());
        let items = page.items.get(self.reader.place.item..).unwrap_or_default();
        let Some(next) = page.next else {
            return Ok(ControlFlow::Break(End::Stopped(self.put(items).await?)));
        };
        // Where it leads is checked before anybody is told of it.
        let wrong = self.leads_on(&next).err();
        let text = if wrong.is_none() && self.needs_more_than(items.len()) {
            self.told(items.len()).await;
            // The service makes the next page while this one is written.
            let Reader {
                fetcher,
                place,
                limits,
                target,
                ..
            } = &mut self.reader;
            let taken = put(&mut self.page, items, place, limits, target);
            let (text, _) = tokio::try_join!(async { Ok(fetched(fetcher, &next).await) }, taken)?;
            self.reader.place.goes_on_at(next);
            text
        } else {
            if let Some(why) = self.put(items).await? {
                return Ok(ControlFlow::Break(End::at(why)));
            }
            if let Some(error) = wrong {
                return Ok(ControlFlow::Break(End::Broke(error)));
            }
            self.reader.place.goes_on_at(next);
            if let Some(why) = self.enough() {
                return Ok(ControlFlow::Break(End::at(why)));
            }
            self.told(0).await;
            fetched(&mut self.reader.fetcher, &self.reader.place.link).await
        };
        // What there is is told with the reason why there is no more.
        Ok(match text {
            Ok(text) => ControlFlow::Continue(text),
            Err(error) => ControlFlow::Break(self.ended_by(error)),
        })
    }

    /// Whether a next link may be followed: on the service's host, to a page that was not read.
    fn leads_on(&mut self, next: &str) -> Result<(), GraphError> {
        next_link(next, self.reader.fetcher.client.base()).map_err(|_| elsewhere("page", next))?;
        if self.trail.goes_on_to(next) {
            Ok(())
        } else {
            Err(GraphError::Circle)
        }
    }

    /// A page that did not come because the call's time is up is no failure of the service's.
    fn ended_by(&self, error: GraphError) -> End {
        let until = self.reader.limits.until;
        match error {
            GraphError::Broken { .. } | GraphError::Unreachable { .. } | GraphError::SignInLate
                if until.is_some_and(|until| Instant::now() >= until) =>
            {
                End::at(LATE)
            }
            error => End::Broke(error),
        }
    }

    /// Whether it is certain that a page with so many items is taken to its end and is not the last.
    fn needs_more_than(&self, items: usize) -> bool {
        let limits = &self.reader.limits;
        !matches!(self.reader.target, Target::Answer)
            && self.reader.place.all_pages
            && limits
                .items
                .is_none_or(|most| self.page.items() + items < most)
            && limits.until.is_none_or(|until| Instant::now() < until)
    }

    async fn told(&mut self, more: usize) {
        let told = Heard::Items {
            items: self.reader.place.delivered + more,
            total: self.total,
        };
        self.reader.fetcher.hears.hear(told).await;
    }

    async fn put(&mut self, items: &[&RawValue]) -> Result<Stopped, GraphError> {
        let reader = &mut self.reader;
        put(
            &mut self.page,
            items,
            &mut reader.place,
            &reader.limits,
            &mut reader.target,
        )
        .await
    }

    fn enough(&self) -> Stopped {
        let limits = &self.reader.limits;
        if !self.reader.place.all_pages {
            Some(ONE_PAGE)
        } else if limits.items.is_some_and(|most| self.page.items() >= most) {
            Some(ENOUGH)
        } else if self.page.is_cut() {
            Some(FULL)
        } else if limits.until.is_some_and(|until| Instant::now() >= until) {
            Some(LATE)
        } else {
            None
        }
    }

    async fn finish(mut self, end: End) -> Result<Content, GraphError> {
        let (stopped, mut broke) = match end {
            End::Stopped(why) => (why, None),
            End::Broke(error) => (None, Some(error)),
        };
        // Changes are told from the end on, so they are no news before it.
        let mut delta = None;
        if let (None, None, Some(link)) = (stopped, &broke, self.delta.take()) {
            match Endpoint::given(&link, self.reader.fetcher.client.base()) {
                Ok(endpoint) => delta = Some(endpoint.path_and_query().to_owned()),
                Err(_) => broke = Some(elsewhere("delta", &link)),
            }
        }
        let reader = &mut self.reader;
        let leads_on = match &broke {
            Some(GraphError::Circle | GraphError::LinkElsewhere { .. }) => false,
            Some(_) => true,
            None => stopped.is_some(),
        };
        let cursor = match leads_on {
            true => Some(reader.seal.seal(&reader.place)?),
            false => None,
        };
        let items = self.page.items();
        let partial = self.page.is_cut();
        self.page.close();
        if !matches!(reader.target, Target::Answer) {
            reader.target.pass(self.page.drain()).await?;
        }
        let stopped = stopped.or(broke.as_ref().map(|_| BROKE));
        let shown = |output| {
            Content::Shown(Shown {
                status: self.status,
                output,
                format: "json",
                items: Some(items),
                delivered: self.reader.place.delivered,
                total: self.total,
                cursor: cursor.clone(),
                stopped,
                partial,
                delta,
                beside: (!self.beside.is_empty()).then(|| Value::Object(self.beside).to_string()),
            })
        };
        let read = match self.reader.target {
            Target::Answer => shown(Some(self.page.finish())),
            Target::Stream(_) => shown(None),
            Target::File(written) => {
                let (path, blob) = written.finish(JSON.to_owned())?;
                Content::Saved {
                    path,
                    blob,
                    items: Some(items),
                    cursor,
                }
            }
        };
        Ok(match broke {
            None => read,
            Some(error) => Content::BrokeOff {
                read: Box::new(read),
                error,
            },
        })
    }
}

/// A link that is not followed, because it leads away from the service.
fn elsewhere(what: &'static str, link: &str) -> GraphError {
    let host = Url::parse(link)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    GraphError::LinkElsewhere {
        what,
        host: host.unwrap_or_else(|| "no host at all".to_owned()),
    }
}

async fn fetched(fetcher: &mut Fetcher<'_, '_>, link: &str) -> Result<String, GraphError> {
    body::json_text(fetcher.fetch(link).await?).await
}

/// Puts items into the answer, and passes on what does not stay there.
async fn put(
    page: &mut Page,
    items: &[&RawValue],
    place: &mut Place,
    limits: &Limits,
    target: &mut Target<'_>,
) -> Result<Stopped, GraphError> {
    let mut stopped = None;
    'items: for stride in items.chunks(STRIDE) {
        // The request for the next page goes out first, and what comes of it is taken in.
        tokio::task::yield_now().await;
        for item in stride {
            if limits.items.is_some_and(|most| page.items() >= most) {
                stopped = Some(ENOUGH);
                break 'items;
            }
            let clean = Clean::item(*item, &place.select);
            match page.item(&clean, place.offset)? {
                Fit::Whole => {
                    place.item += 1;
                    place.delivered += 1;
                    place.offset = 0;
                }
                Fit::Full => {
                    stopped = Some(FULL);
                    break 'items;
                }
                Fit::Cut(offset) => {
                    place.offset = offset;
                    stopped = Some(FULL);
                    break 'items;
                }
            }
        }
    }
    if !matches!(target, Target::Answer) {
        target.pass(page.drain()).await?;
    }
    Ok(stopped)
}
