//! Microsoft Graph and Power Automate: one call from its arguments to its answer.

mod accepted;
mod advice;
mod answer;
mod audit;
mod batch;
mod body;
mod challenge;
mod change;
mod client;
mod collected;
mod cursor;
mod elsewhere;
mod error;
mod files;
mod gather;
mod heard;
mod noise;
mod outgoing;
mod page;
mod places;
mod read;
mod redact;
mod refusal;
mod request;
mod structured;
mod sub_request;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod trail;
mod upload;
mod written;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use session_pool::domain::graph::{Endpoint, Header, Method, Query, Service};
use session_pool::domain::registry::Connection;
use session_pool::sign_in::http::Http;
use session_pool::sign_in::{Access, Audience, Challenge, SignIn};
use tokio::time::Instant;

use crate::activity_log::ActivityLog;
use crate::consent::Consents;

pub(crate) use self::answer::{Answer, Asked, Content, Question, Shown};
use self::audit::Audit;
use self::client::Client;
use self::cursor::{CursorError, Place, Seal};
use self::elsewhere::Elsewhere;
pub(crate) use self::error::GraphError;
use self::files::Files;
pub(crate) use self::heard::{Heard, Hears};
use self::noise::Clean;
pub(crate) use self::page::CHARACTERS;
pub(crate) use self::places::{Places, PlacesError};
use self::read::{Fetcher, Limits, Reader};
use self::refusal::refused;
pub(crate) use self::request::{DEFAULT_ITEMS, MOST_ITEMS, Request, headers, query};
pub(crate) use self::structured::{status, structured};
pub(crate) use self::target::{Form, Takes};
use self::target::{Target, Written};
pub(crate) use self::text::text;

/// Between the end of paging and the end of a call: one last page may be under way.
const LAST_PAGE: Duration = Duration::from_secs(5);

/// How much an answer may be, and how long it may take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// Characters of the answer.
    pub(crate) characters: Option<usize>,
    /// Time until it must be there.
    pub(crate) within: Option<Duration>,
}

/// Everything that calls have in common. Nothing is opened before a call needs it.
#[derive(Debug)]
pub(crate) struct Graph {
    places: Places,
    sign_in: SignIn,
    http: Arc<Http>,
    elsewhere: Elsewhere,
    consents: Consents,
    log: ActivityLog,
}

impl Graph {
    /// Graph by these files.
    pub(crate) fn new(places: Places) -> Self {
        let http = Arc::new(Http::new());
        Self {
            sign_in: SignIn::new(&places.tokens, &places.secrets, Arc::clone(&http)),
            consents: Consents::new(&places.tokens),
            log: ActivityLog::new(Some(places.logs.join("mm.jsonl"))),
            places,
            http,
            elsewhere: Elsewhere::default(),
        }
    }

    /// The connections there are.
    ///
    /// # Errors
    /// Where the registry cannot be used.
    pub(crate) fn connections(&self) -> Result<Vec<Arc<Connection>>, GraphError> {
        let registry = self.places.registry()?;
        Ok(registry.connections().cloned().collect())
    }

    /// The tenant of a connection, where the registry says it.
    pub(crate) fn tenant(&self, connection: &str) -> Option<String> {
        tenant(&*self.places.connection(connection).ok()?)
    }

    /// Does a call; `takes` gets what is read as it comes, and the answer is without it. What goes
    /// wrong once the connection is known is part of the answer, so that it is told whose tenant it
    /// was about.
    ///
    /// # Errors
    /// Where the call is wrong in itself, or the connection is not known.
    pub(crate) async fn call(
        &self,
        request: Request,
        bounds: Bounds,
        hears: &mut dyn Hears,
        takes: Option<&mut dyn Takes>,
    ) -> Result<Answer, GraphError> {
        let request = request.check()?;
        let connection = self.places.connection(&request.connection)?;
        let call = Call::new(self, &request, &connection, bounds)?;
        let answer = call.answer(hears, takes).await;
        call.audit.ended(&answer);
        Ok(answer)
    }

    /// Signs a connection in: a token, or the code that a person has to enter.
    ///
    /// # Errors
    /// Where there can be neither.
    pub(crate) async fn sign_in(
        &self,
        connection: &str,
        audience: Audience,
    ) -> Result<(Arc<Connection>, Access), GraphError> {
        let connection = self.places.connection(connection)?;
        let challenge = Challenge::default();
        let access = self.sign_in.token(&connection, audience, challenge).await?;
        Ok((connection, access))
    }

    /// Where a yes is asked for, kept and used.
    pub(crate) const fn consents(&self) -> &Consents {
        &self.consents
    }

    /// Whether the registry names an app to sign in with; also where it does not know the connection.
    pub(crate) fn is_configured(&self, connection: &str) -> bool {
        self.places
            .connection(connection)
            .map_or(true, |it| it.graph_app.or(it.app_id).is_some())
    }

    /// Forgets a connection's tokens; says whether there were any.
    ///
    /// # Errors
    /// Where they cannot be deleted.
    pub(crate) async fn sign_out(&self, connection: &str) -> Result<bool, GraphError> {
        let connection = self.places.connection(connection)?;
        Ok(self.sign_in.sign_out(&connection).await?)
    }
}

/// One call.
struct Call<'a> {
    graph: &'a Graph,
    request: &'a Request,
    connection: &'a Connection,
    bounds: Bounds,
    service: Service,
    endpoint: Endpoint,
    /// Where an earlier answer goes on.
    place: Option<Place>,
    audit: Audit,
}

impl<'a> Call<'a> {
    fn new(
        graph: &'a Graph,
        request: &'a Request,
        connection: &'a Connection,
        bounds: Bounds,
    ) -> Result<Self, GraphError> {
        let base = |service| match service {
            Service::Graph => connection.cloud.graph_url(),
            Service::Flow => connection.cloud.flow_url(),
        };
        let (service, endpoint, place) = match &request.cursor {
            Some(cursor) => {
                let seal = Seal::open(&graph.places.tokens)?;
                let place = seal.read(cursor, Timestamp::now())?;
                if place.connection != connection.name.as_str() {
                    return Err(GraphError::Request(format!(
                        "the cursor belongs to connection {:?}",
                        place.connection
                    )));
                }
                place.agrees_with(request)?;
                let service = place.service();
                (
                    service,
                    Endpoint::given(&place.link, base(service))?,
                    Some(place),
                )
            }
            None => {
                let service = request.service;
                let query: &Query = &request.query;
                let endpoint = Endpoint::new(&request.endpoint, query, service, base(service))?;
                (service, endpoint, None)
            }
        };
        Ok(Self {
            graph,
            request,
            connection,
            bounds,
            audit: Audit::begin(graph, request, connection, &endpoint),
            service,
            endpoint,
            place,
        })
    }

    async fn answer(&self, hears: &mut dyn Hears, takes: Option<&mut dyn Takes>) -> Answer {
        let audience = match self.service {
            Service::Graph => Audience::Graph,
            Service::Flow => Audience::Flow,
        };
        let mut client = Client::new(
            self.connection,
            audience,
            &self.graph.sign_in,
            &self.graph.http,
            &self.graph.elsewhere,
            self.bounds.within.map(|within| Instant::now() + within),
        );
        let content = match self.content(&mut client, hears, takes).await {
            Ok(content) => content,
            Err(GraphError::SignInNeeded(prompt)) => Content::SignIn(*prompt),
            Err(error) => Content::Failed(error),
        };
        Answer {
            connection: self.connection.name.to_string(),
            tenant: tenant(self.connection),
            account: client.account().map(str::to_owned),
            expected: self.connection.expected_email.clone(),
            app_only: self.connection.authentication.is_app_only(),
            service: audience.name(),
            method: self.request.method,
            call: self.endpoint.path_and_query().to_owned(),
            content,
        }
    }

    async fn content(
        &self,
        client: &mut Client<'_>,
        hears: &mut dyn Hears,
        takes: Option<&mut dyn Takes>,
    ) -> Result<Content, GraphError> {
        if self.request.method == Method::Get {
            return self.read(client, hears, takes).await;
        }
        self.change(client, hears).await
    }

    async fn read(
        &self,
        client: &mut Client<'_>,
        hears: &mut dyn Hears,
        takes: Option<&mut dyn Takes>,
    ) -> Result<Content, GraphError> {
        client.token().await?;
        let account = client.account().map(str::to_owned);
        let place = match &self.place {
            Some(place) if place.account != account => return Err(CursorError::OtherAccount.into()),
            Some(place) => Place {
                made: Timestamp::now().as_second(),
                ..place.clone()
            },
            None => self.first_place(account),
        };
        let target = match (self.written()?, takes) {
            (Some(written), _) => Target::File(Box::new(written)),
            (None, Some(takes)) => Target::Stream(takes),
            (None, None) => Target::Answer,
        };
        let seal = Seal::open(&self.graph.places.tokens)?;
        let limits = Limits {
            characters: self.bounds.characters,
            items: self
                .request
                .max_items
                .or_else(|| place.all_pages.then_some(DEFAULT_ITEMS)),
            until: client.deadline.map(|deadline| deadline - LAST_PAGE),
        };
        let headers = place
            .headers
            .iter()
            .filter_map(|(name, value)| Header::new(name, value).ok())
            .collect();
        Reader {
            fetcher: Fetcher {
                client,
                headers,
                hears,
            },
            seal: &seal,
            place,
            limits,
            target,
        }
        .read()
        .await
    }

    /// The file that the answer goes to, where one is wanted: it has its name before anything is
    /// sent, so that no change is made whose answer cannot be kept.
    fn written(&self) -> Result<Option<Written>, GraphError> {
        let Some(name) = &self.request.save_to else {
            return Ok(None);
        };
        let files = Files::open(self.graph.places.files.as_deref())?;
        Ok(Some(Written::new(files.create(name)?)))
    }

    fn first_place(&self, account: Option<String>) -> Place {
        let counts = request::counts_or_searches(&self.endpoint);
        Place {
            connection: self.connection.name.to_string(),
            account,
            flow: self.service == Service::Flow,
            link: self.endpoint.url().to_string(),
            item: 0,
            offset: 0,
            delivered: 0,
            headers: self
                .request
                .completed_headers(counts && self.service == Service::Graph)
                .into_iter()
                .map(|header| (header.name.to_owned(), header.value))
                .collect(),
            select: self.request.select.clone(),
            all_pages: self.request.all_pages,
            trail: Vec::new(),
            made: Timestamp::now().as_second(),
        }
    }
}

/// A connection's tenant for people: the domain tells them more than the id.
fn tenant(connection: &Connection) -> Option<String> {
    let id = connection.tenant_for_sign_in();
    id.map(|id| connection.tenant.clone().unwrap_or(id))
}
