//! A call that changes something: from what it would send, by way of a yes where one is needed, to
//! its answer.

use std::fs;
use std::io;

use bytes::Bytes;
use serde_json::Value;
use session_pool::domain::audit::{Confirmation, ConfirmedHow};
use session_pool::domain::graph::{Course, Header, Method, Proposal, Yes, fully_decoded};
use session_pool::domain::policy::{ConfirmBy, Decision, GraphRules, Policy, SendGuards};
use tokio::time::Instant;

use super::accepted::Accepted;
use super::client::{Client, Sending};
use super::error::GraphError;
use super::files::Files;
use super::outgoing::Outgoing;
use super::upload::Upload;
use super::written::{answered, whole};
use super::{Asked, Call, Clean, Content, Hears, Question, read, refused};
use crate::consent::{Binding, Reply, Spent, VALID, Way};

/// A person who is asked while a draft changes under their eyes is asked again, this often.
const MOST_QUESTIONS: u32 = 3;

/// Bytes of a policy file; more than this is another file.
const LARGEST_POLICY: u64 = 1024 * 1024;

/// Actions that are called by POST and change nothing. Source: the reference of Microsoft Graph.
const READING: [&str; 13] = [
    "getbyids",
    "getmembergroups",
    "getmemberobjects",
    "checkmembergroups",
    "checkmemberobjects",
    "query",
    "runhuntingquery",
    "validateproperties",
    "getschedule",
    "findmeetingtimes",
    "translateexchangeids",
    "getavailableextensionproperties",
    "preview",
];

/// A yes, how it came, and what gives it back.
struct Proof {
    yes: Yes,
    how: ConfirmedHow,
    spent: Option<Spent>,
}

impl Call<'_> {
    /// Does the call, or says who has to agree first.
    pub(super) async fn change(
        &self,
        client: &mut Client<'_>,
        hears: &mut dyn Hears,
    ) -> Result<Content, GraphError> {
        let rules = self.rules()?;
        let mut outgoing = self.outgoing(client, hears).await?;
        if rules.read_only && !self.only_reads(&outgoing) {
            self.audit.decided(Decision::Block, "read-only");
            return Err(GraphError::ReadOnly);
        }
        self.audit(&outgoing);
        // Who sends is part of what is agreed to.
        if outgoing.sends {
            self.audit.decided(rules.sends, "graph-send");
            client.token().await?;
        }
        let mut said = None;
        for _ in 0..MOST_QUESTIONS {
            let binding = self.binding(client, &outgoing);
            let proof = match said.take() {
                Some(agreed) if agreed == binding => Some(Proof {
                    yes: Yes::Person,
                    how: match self.request.asking.way {
                        Way::Terminal => ConfirmedHow::Command,
                        _ => ConfirmedHow::Elicitation,
                    },
                    spent: None,
                }),
                Some(_) => None,
                None if outgoing.sends => self.proof(binding, rules.confirm_by)?,
                None => None,
            };
            let asking = &self.request.asking;
            let course = Proposal {
                sends: outgoing.sends,
                guards: self.graph.places.send_guards,
                skips_guards: self.connection.skip_send_guards,
                policy: rules.sends,
                confirm_by: rules.confirm_by,
                confirmed: self.request.confirmed,
                yes: proof.as_ref().map(|proof| proof.yes),
                can_ask: asking.can_ask(),
            }
            .course();
            let preview = outgoing.preview.as_str();
            match course {
                Course::Send => {}
                Course::SendConfirmed(yes) => {
                    let how = proof
                        .as_ref()
                        .map_or(ConfirmedHow::Request, |proof| proof.how);
                    let by = match yes {
                        Yes::Person => ConfirmBy::Person,
                        Yes::Code => ConfirmBy::Assistant,
                    };
                    self.audit.confirmed(Confirmation { by, how });
                }
                Course::SendUnguarded(words) => {
                    let name = self.connection.name.as_str();
                    self.graph.log.warn("graph_request", name, words);
                    let how = match self.graph.places.send_guards {
                        SendGuards::Legacy if !self.connection.skip_send_guards => {
                            ConfirmedHow::Legacy
                        }
                        _ => ConfirmedHow::GuardsOff,
                    };
                    let by = ConfirmBy::Assistant;
                    self.audit.confirmed(Confirmation { by, how });
                }
                Course::Refuse => return Err(GraphError::Blocked),
                Course::AskCaller => {
                    let code = self.graph.consents.code(binding)?;
                    return Ok(Content::Confirm(Box::new(Asked {
                        preview: preview.to_owned(),
                        by: ConfirmBy::Assistant,
                        id: None,
                        code: Some(code),
                        expires_in: VALID.as_secs(),
                    })));
                }
                Course::AskPerson => {
                    let waiting = self.graph.consents.wait(binding, &self.question(preview))?;
                    return Ok(Content::Confirm(Box::new(Asked {
                        preview: preview.to_owned(),
                        by: ConfirmBy::Person,
                        id: Some(waiting.id),
                        code: None,
                        expires_in: waiting.expires_in,
                    })));
                }
                Course::AskByWayOfCaller => {
                    let question = self.question(preview);
                    if matches!(asking.way, Way::Form) {
                        return Ok(Content::Question(Box::new(Question {
                            message: question,
                            state: self.graph.consents.state(binding, None)?,
                        })));
                    }
                    if asking.ask(&question).await != Some(Reply::Yes) {
                        return Err(GraphError::Declined);
                    }
                    // A person takes their time, which is not the call's; and what lies in the
                    // mailbox may be another mail now.
                    client.deadline = self.bounds.within.map(|within| Instant::now() + within);
                    outgoing = self.outgoing(client, hears).await?;
                    said = Some(binding);
                    continue;
                }
            }
            let sent = self.dispatch(client, &outgoing, hears).await;
            if let Err(error) = &sent
                && error.did_nothing()
                && let Some(spent) = proof.and_then(|proof| proof.spent)
            {
                spent.give_back();
            }
            return sent;
        }
        Err(GraphError::Unsteady)
    }

    /// The yes that the call brings, if it is one for exactly this.
    fn proof(&self, binding: Binding, by: ConfirmBy) -> Result<Option<Proof>, GraphError> {
        let consents = &self.graph.consents;
        let asking = &self.request.asking;
        if matches!(asking.way, Way::Form)
            && let Some(reply) = asking.reply
        {
            let opened = match &asking.state {
                Some(state) => consents.answered(binding, state)?,
                None => None,
            };
            return match (reply, opened) {
                // A refusal ends it, whatever it was a refusal of.
                (Reply::No, _) => Err(GraphError::Declined),
                (Reply::Yes, opened) => Ok(opened.map(|opened| Proof {
                    yes: Yes::Person,
                    how: ConfirmedHow::Elicitation,
                    spent: Some(opened.spent),
                })),
            };
        }
        if let Some(spent) = consents.approved(binding)? {
            return Ok(Some(Proof {
                yes: Yes::Person,
                how: ConfirmedHow::Command,
                spent: Some(spent),
            }));
        }
        // Only where it counts: a code is not used up by a call that it does not let through.
        if by == ConfirmBy::Assistant
            && !asking.can_ask()
            && let Some(code) = &self.request.confirmation
            && let Some(spent) = consents.redeem(binding, code)?
        {
            return Ok(Some(Proof {
                yes: Yes::Code,
                how: ConfirmedHow::Code,
                spent: Some(spent),
            }));
        }
        Ok(None)
    }

    /// Everything that a yes is good for.
    fn binding(&self, client: &Client<'_>, outgoing: &Outgoing) -> Binding {
        let connection = self.connection;
        let tenant_id = connection.tenant_id.map(|id| id.to_string());
        let app = connection.graph_app.or(connection.app_id);
        let app = app.map(|id| id.to_string());
        let mut headers: Vec<String> = self
            .request
            .headers
            .iter()
            .map(|header| format!("{}: {}", header.name, header.value))
            .collect();
        headers.sort_unstable();
        let headers = headers.join("\n");
        let own = self.request.body_bytes();
        let body = outgoing
            .body
            .as_ref()
            .map(|(bytes, _)| bytes)
            .or(own.as_ref());
        let kind = outgoing.body.as_ref().and_then(|(_, kind)| *kind);
        let batch = outgoing
            .batch
            .as_ref()
            .map(|batch| batch.wire().to_string());
        let text = |text: &Option<String>| text.clone().map(String::into_bytes);
        let mut parts: Vec<Option<Vec<u8>>> = vec![
            Some(connection.name.as_str().into()),
            text(&connection.tenant),
            text(&tenant_id),
            text(&connection.expected_email),
            text(&app),
            client.account().map(|account| account.as_bytes().to_vec()),
            Some(client.audience.name().into()),
            Some(self.request.method.as_str().into()),
            Some(self.endpoint.url().as_str().into()),
            Some(headers.into_bytes()),
            kind.map(|kind| kind.as_bytes().to_vec()),
            body.map(|body| body.to_vec()),
            text(&batch),
        ];
        parts.extend(
            outgoing
                .seen
                .iter()
                .map(|seen| Some(seen.clone().into_bytes())),
        );
        Binding::of("graph_request", parts.iter().map(Option::as_deref))
    }

    /// What a person is asked: whose call it is, and what it would do.
    fn question(&self, preview: &str) -> String {
        let tenant = self.connection.tenant.as_deref();
        let tenant = tenant.unwrap_or("not named in the registry");
        format!(
            "Connection: {} | tenant: {tenant}\n\n{preview}",
            self.connection.name
        )
    }

    /// What the policy file says, where there is one.
    fn rules(&self) -> Result<GraphRules, GraphError> {
        let path = &self.graph.places.policy;
        let failed = |reason: String| GraphError::Policy {
            path: path.display().to_string(),
            reason,
        };
        let read = || {
            if fs::metadata(path)?.len() > LARGEST_POLICY {
                return Err(io::Error::other("it is larger than 1 MiB"));
            }
            fs::read_to_string(path)
        };
        let text = match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(GraphRules::default());
            }
            read => read.map_err(|error| failed(error.to_string()))?,
        };
        let policy = Policy::new(&text).map_err(|error| failed(error.to_string()))?;
        Ok(policy.graph(self.connection.name.as_str()))
    }

    fn only_reads(&self, outgoing: &Outgoing) -> bool {
        let reads = |method: Method, path: &str| {
            let path = fully_decoded(path).to_lowercase();
            let last = path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let last = last.trim_start_matches("microsoft.graph.");
            let last = last.split('(').next().unwrap_or_default();
            method == Method::Get || (method == Method::Post && READING.contains(&last))
        };
        match &outgoing.batch {
            Some(batch) => batch
                .requests()
                .all(|request| reads(request.method, &request.path)),
            None => reads(self.request.method, self.endpoint.path()),
        }
    }

    /// What is sent, for the audit: its hash, and the calls in a batch.
    fn audit(&self, outgoing: &Outgoing) {
        let (method, url) = (self.request.method.as_str(), self.endpoint.url().as_str());
        if let Some((bytes, _)) = &outgoing.body {
            self.audit.sends(method, url, bytes);
        }
        if let Some(batch) = &outgoing.batch {
            self.audit
                .sends(method, url, batch.wire().to_string().as_bytes());
            let names = batch.requests();
            self.audit
                .calls(names.map(|request| format!("{} {}", request.method, request.path)));
        }
    }

    async fn dispatch(
        &self,
        client: &mut Client<'_>,
        outgoing: &Outgoing,
        hears: &mut dyn Hears,
    ) -> Result<Content, GraphError> {
        match &outgoing.batch {
            Some(batch) => {
                let written = self.written()?;
                let answer = batch.send(client, &self.endpoint, hears).await?;
                match written {
                    Some(written) => read::kept_json(written, &Clean::item(&answer, &[])),
                    None => whole(200, &Clean::item(&answer, &[])),
                }
            }
            None => self.write(client, outgoing, hears).await,
        }
    }

    async fn write(
        &self,
        client: &mut Client<'_>,
        outgoing: &Outgoing,
        hears: &mut dyn Hears,
    ) -> Result<Content, GraphError> {
        let written_to = self.written()?;
        let mut headers = self.request.headers.clone();
        let response = if let Some((bytes, kind)) = &outgoing.body {
            if let Some(kind) = kind
                && !headers.iter().any(|header| header.name == "Content-Type")
            {
                headers.extend(Header::new("Content-Type", kind));
            }
            self.send(client, &headers, Some(bytes.clone()), hears)
                .await?
        } else if let Some(name) = &self.request.upload_from {
            let (file, size) = Files::open(self.graph.places.files.as_deref())?.read(name)?;
            let mut upload = Upload {
                name: name.clone(),
                file,
                size,
            };
            if upload.needs_session(self.endpoint.path()) {
                let described = self.request.body.as_ref();
                upload
                    .by_session(client, &self.endpoint, &headers, described, hears)
                    .await?
            } else {
                if !headers.iter().any(|header| header.name == "Content-Type") {
                    headers.extend(Header::new("Content-Type", upload.content_type()));
                }
                self.send(client, &headers, Some(upload.whole()?), hears)
                    .await?
            }
        } else {
            self.send(client, &headers, self.request.body_bytes(), hears)
                .await?
        };
        let status = response.status();
        if !status.is_success() {
            let written = self.request.body.as_ref().map(Value::to_string);
            let written = written.unwrap_or_default();
            return Err(refused(response, &self.endpoint, client, &written).await);
        }
        let accepted = Accepted::of(&response, &self.endpoint, self.service, client.base());
        let answer = answered(response, written_to).await?;
        Ok(match accepted {
            Some(accepted) => Content::Ongoing {
                answer: Box::new(answer),
                accepted,
            },
            None => answer,
        })
    }

    async fn send(
        &self,
        client: &mut Client<'_>,
        headers: &[Header],
        body: Option<Bytes>,
        hears: &mut dyn Hears,
    ) -> Result<reqwest::Response, GraphError> {
        let sending = Sending {
            method: self.request.method,
            url: self.endpoint.url(),
            headers,
            body,
        };
        client.send(&sending, hears).await
    }
}
