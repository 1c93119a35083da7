//! One request at a time: with a token, with patience, and to where the service leads.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use session_pool::domain::cause::deepest;
use session_pool::domain::graph::{
    Attempt, Failed, Header, Method, RedirectError, location, redirect, retry_after,
};
use session_pool::domain::registry::{Cloud, Connection};
use session_pool::sign_in::http::Http;
use session_pool::sign_in::{Access, Audience, Challenge, Grant, SignIn};
use tokio::time::Instant;
use url::Url;

use super::challenge;
use super::elsewhere::Elsewhere;
use super::error::GraphError;
use super::{Heard, Hears};

/// Redirects that one call follows.
const MOST_HOPS: usize = 5;

/// Waits longer than this are told.
const WORTH_TELLING: Duration = Duration::from_millis(400);

/// The longest that a shell waits for a throttled service until one request gets through; a tool
/// call has its own end.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Claims challenges that one request answers with a new token; another one is not met by signing
/// in again.
const MOST_CHALLENGES: usize = 2;

/// A host that the service named. It is not told by its name, which is often the tenant's.
pub(crate) const ELSEWHERE: &str = "another host, which the service named,";

/// Who calls, and until when.
pub(crate) struct Client<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) audience: Audience,
    pub(crate) sign_in: &'a SignIn,
    pub(crate) http: &'a Http,
    pub(crate) elsewhere: &'a Elsewhere,
    /// When the call must have answered.
    pub(crate) deadline: Option<Instant>,
    grant: Option<Grant>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a [Header],
    pub(crate) body: Option<bytes::Bytes>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        audience: Audience,
        sign_in: &'a SignIn,
        http: &'a Http,
        elsewhere: &'a Elsewhere,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            connection,
            audience,
            sign_in,
            http,
            elsewhere,
            deadline,
            grant: None,
        }
    }

    /// The account that is signed in, as far as it is known by now.
    pub(crate) fn account(&self) -> Option<&str> {
        self.grant.as_ref()?.account.as_deref()
    }

    /// The base of the service that is called.
    pub(crate) fn base(&self) -> &'a str {
        match self.audience {
            Audience::Graph => self.connection.cloud.graph_url(),
            Audience::Flow => self.connection.cloud.flow_url(),
        }
    }

    /// Signs in, if a token is not there already.
    ///
    /// # Errors
    /// [`GraphError::SignInNeeded`] with the code that a person has to enter.
    pub(crate) async fn token(&mut self) -> Result<SecretString, GraphError> {
        if let Some(grant) = &self.grant {
            return Ok(grant.token.clone());
        }
        self.renew(Challenge::default()).await
    }

    /// Signs in anew, within the call's time: Entra may be slow, or another process at it.
    async fn renew(&mut self, challenge: Challenge<'_>) -> Result<SecretString, GraphError> {
        match self.deadline {
            Some(deadline) => {
                let renewed = tokio::time::timeout_at(deadline, self.signed_in(challenge));
                renewed.await.unwrap_or(Err(GraphError::SignInLate))
            }
            None => self.signed_in(challenge).await,
        }
    }

    async fn signed_in(&mut self, challenge: Challenge<'_>) -> Result<SecretString, GraphError> {
        let token = self
            .sign_in
            .token(self.connection, self.audience, challenge);
        match token.await? {
            Access::Granted(grant) => {
                let token = grant.token.clone();
                self.grant = Some(grant);
                Ok(token)
            }
            Access::Pending(prompt) => {
                // Somebody who has just entered the code repeats the call at once: the rest of the
                // interval is worth waiting for.
                let wait = Duration::from_secs(prompt.ask_again_in.into());
                if prompt.is_new || wait > Duration::from_secs(6) || wait.is_zero() {
                    return Err(GraphError::SignInNeeded(Box::new(prompt)));
                }
                tokio::time::sleep(wait).await;
                let again = self
                    .sign_in
                    .token(self.connection, self.audience, challenge);
                match again.await? {
                    Access::Granted(grant) => {
                        let token = grant.token.clone();
                        self.grant = Some(grant);
                        Ok(token)
                    }
                    Access::Pending(prompt) => Err(GraphError::SignInNeeded(Box::new(prompt))),
                }
            }
        }
    }

    /// Sends a request until it is answered by anything but a wish for patience, and follows where
    /// it leads. The answer may still be a refusal.
    ///
    /// # Errors
    /// Where there is no answer.
    pub(crate) async fn send(
        &mut self,
        sending: &Sending<'_>,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        let mut met: Vec<Option<String>> = Vec::new();
        loop {
            let token = self.token().await?;
            let response = self.patiently(sending, Some(&token), hears).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                let claims = challenge::claims(response.headers());
                if met.len() < MOST_CHALLENGES && !met.contains(&claims) {
                    met.push(claims);
                    // A token that meets this challenge must still meet those before it.
                    let claims = challenge::merged(met.iter().flatten());
                    self.renew(Challenge {
                        refused: Some(&token),
                        claims: claims.as_deref(),
                    })
                    .await?;
                    continue;
                }
                if claims.is_some() {
                    return Err(GraphError::Challenged);
                }
            }
            if is_redirect(response.status()) && sending.method == Method::Get {
                return self.followed(response, sending, &token, hears).await;
            }
            return Ok(response);
        }
    }

    /// Sends a request to an address that is good for itself, such as an upload session's: without
    /// a token.
    ///
    /// # Errors
    /// Where there is no answer.
    pub(crate) async fn send_elsewhere(
        &self,
        sending: &Sending<'_>,
        extra: HeaderMap,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        self.patiently_with(sending, None, extra, hears).await
    }

    /// The address that the service named, if it may be followed.
    ///
    /// # Errors
    /// [`GraphError::Redirect`].
    pub(crate) fn lead(&self, from: &Url, to: &str) -> Result<Url, GraphError> {
        let own =
            matches!(&self.connection.cloud, Cloud::Custom(own) if own.graph.scheme() == "http");
        Ok(redirect(from, to, own)?)
    }

    async fn followed(
        &self,
        response: Response,
        sending: &Sending<'_>,
        token: &SecretString,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        let mut response = response;
        let mut from = sending.url.clone();
        let mut own = true;
        for _ in 0..MOST_HOPS {
            let to = self.lead(&from, &named_location(&response)?)?;
            // Within the service the token goes along; anywhere else it must not, nor where another
            // host leads back to.
            own = own
                && to.origin() == sending.url.origin()
                && session_pool::domain::graph::next_link(to.as_str(), self.base()).is_ok();
            let next = Sending {
                url: &to,
                headers: if own { sending.headers } else { &[] },
                ..sending.clone()
            };
            response = self.patiently(&next, own.then_some(token), hears).await?;
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            from = to;
        }
        Err(GraphError::RedirectLoop)
    }

    async fn patiently(
        &self,
        sending: &Sending<'_>,
        token: Option<&SecretString>,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        self.patiently_with(sending, token, HeaderMap::new(), hears)
            .await
    }

    async fn patiently_with(
        &self,
        sending: &Sending<'_>,
        token: Option<&SecretString>,
        extra: HeaderMap,
        hears: &mut dyn Hears,
    ) -> Result<Response, GraphError> {
        let mut number = 1;
        let mut waited = Duration::ZERO;
        loop {
            let outcome = self.once(sending, token, extra.clone()).await;
            let (failed, named) = match &outcome {
                Ok(response) => (
                    Failed::Status(response.status().as_u16()),
                    named_wait(response),
                ),
                Err(error) if error.is_connect() || error.is_builder() => (Failed::NotSent, None),
                Err(_) => (Failed::Broken, None),
            };
            let attempt = Attempt {
                method: sending.method,
                failed,
                retry_after: named,
                number,
            };
            let Some(wait) = attempt.wait() else {
                return outcome.map_err(|error| unanswered(&error, sending, token.is_some()));
            };
            if !self.has_time(wait, waited) {
                return match failed {
                    Failed::Status(_) => Err(GraphError::Throttled { wait }),
                    Failed::NotSent | Failed::Broken => {
                        outcome.map_err(|error| unanswered(&error, sending, token.is_some()))
                    }
                };
            }
            drop(outcome);
            if wait >= WORTH_TELLING {
                hears.hear(Heard::Waiting { wait, number }).await;
            }
            tokio::time::sleep(wait).await;
            waited += wait;
            number += 1;
        }
    }

    /// Whether there is time to wait so long, after so much that was waited for the same request.
    pub(crate) fn has_time(&self, wait: Duration, waited: Duration) -> bool {
        match self.deadline {
            Some(deadline) => Instant::now() + wait < deadline,
            None => waited.saturating_add(wait) <= LONGEST_WAIT,
        }
    }

    async fn once(
        &self,
        sending: &Sending<'_>,
        token: Option<&SecretString>,
        extra: HeaderMap,
    ) -> Result<Response, reqwest::Error> {
        let client = match token {
            Some(_) => self.http.client(sending.url)?,
            None => self.elsewhere.client(sending.url, self.http)?,
        };
        let method = match sending.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = client.request(method, sending.url.clone()).headers(extra);
        // A reading call is given up when its caller would; a writing one must come to its end.
        if let (Method::Get, Some(deadline)) = (sending.method, self.deadline) {
            let left = deadline.saturating_duration_since(Instant::now());
            request = request.timeout(left.max(Duration::from_secs(1)));
        }
        for header in sending.headers {
            request = request.header(header.name, &header.value);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
        }
        if let Some(body) = &sending.body {
            let typed = sending
                .headers
                .iter()
                .any(|header| header.name == "Content-Type");
            if !typed {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            request = request.body(body.clone());
        } else if matches!(sending.method, Method::Post | Method::Put | Method::Patch) {
            // Graph answers 411 to a POST that does not say how long its nothing is.
            request = request.header(reqwest::header::CONTENT_LENGTH, "0");
        }
        request.send().await
    }
}

/// Statuses that name another address; 304 is an answer of its own (RFC 9110, section 15.4).
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn named_location(response: &Response) -> Result<String, RedirectError> {
    let value = response.headers().get(LOCATION);
    Ok(location(value.ok_or(RedirectError::Unreadable)?.as_bytes()))
}

fn named_wait(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry_after(value, Timestamp::now())
}

fn unanswered(error: &reqwest::Error, sending: &Sending<'_>, own: bool) -> GraphError {
    let host = match sending.url.host_str() {
        Some(host) if own => host.to_owned(),
        _ => ELSEWHERE.to_owned(),
    };
    let reason = deepest(error).to_string();
    // What is wrong with a certificate names the host that it should be for.
    let reason = match sending.url.host_str() {
        Some(name) if !own => reason.replace(name, "[host]"),
        _ => reason,
    };
    if error.is_connect() || error.is_builder() {
        GraphError::Unreachable { host, reason }
    } else {
        GraphError::Broken {
            host,
            reason,
            reads: sending.method == Method::Get,
        }
    }
}
