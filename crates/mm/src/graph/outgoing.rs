//! What a call would send to people: read before it is sent, from its body, its file, and from the
//! mailbox where the mail lies there already.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use session_pool::domain::graph::{Endpoint, Method, Query, Sends, Service, fully_decoded};
use session_pool::domain::mail::{Letter, cut_signatures, mime_letter};
use session_pool::domain::visible::visible_line;

use super::batch::Batch;
use super::client::{Client, Sending};
use super::error::GraphError;
use super::files::Files;
use super::upload::Upload;
use super::{Call, Hears, body};

/// What is read of a draft, to be shown and to bind a yes to.
const DRAFT: &str = "$select=subject,from,sender,replyTo,toRecipients,ccRecipients,bccRecipients,\
    body,importance,isDeliveryReceiptRequested,hasAttachments,isDraft,changeKey&\
    $expand=attachments($select=id,name,contentType,size,isInline,lastModifiedDateTime)";

/// What is read of a mail that is answered.
const ANSWERED: &str = "$select=subject,from,replyTo,toRecipients,ccRecipients";

/// What is told of a draft that says nothing to people.
const UNSHOWN: [&str; 5] = [
    "id",
    "changekey",
    "isdraft",
    "hasattachments",
    "bodypreview",
];

/// A call that changes something, as it will be sent.
#[derive(Default)]
pub(super) struct Outgoing {
    /// The parts of a batch.
    pub(super) batch: Option<Batch>,
    /// What is sent in place of the request's own body, with its type.
    pub(super) body: Option<(Bytes, Option<&'static str>)>,
    /// Whether any of it reaches people.
    pub(super) sends: bool,
    /// What people see of that.
    pub(super) preview: String,
    /// What was read from the mailbox for it.
    pub(super) seen: Vec<String>,
}

impl Call<'_> {
    /// Reads what would be sent.
    ///
    /// # Errors
    /// Where a part of a batch would not be allowed, a file cannot be read, or a draft.
    pub(super) async fn outgoing(
        &self,
        client: &mut Client<'_>,
        hears: &mut dyn Hears,
    ) -> Result<Outgoing, GraphError> {
        let path = self.endpoint.path();
        let mut outgoing = Outgoing::default();
        if self.service != Service::Graph {
            return Ok(outgoing);
        }
        if Batch::is_one(self.request.method, path) {
            if !self.request.headers.is_empty() {
                return Err(GraphError::Request(
                    "a batch has no headers of its own: give each request inside it the headers it \
                     needs, in its \"headers\""
                        .to_owned(),
                ));
            }
            let version = path.split('/').nth(1).unwrap_or("v1.0");
            let mut batch = Batch::parse(self.request.body.as_ref(), client.base(), version)?;
            for request in batch.requests_mut() {
                let Some(sends) = Sends::of(request.method, &request.path) else {
                    continue;
                };
                if let Some(mut body) = request.body.clone() {
                    self.cut(sends, &mut body);
                    request.set_body(body);
                }
                let (path, body) = (request.path.clone(), request.body.clone());
                let letter = self.letter(client, sends, &path, body.as_ref(), &mut outgoing, hears);
                let letter = letter.await?;
                let place = format!("{} in the batch", visible_line(&request.id));
                outgoing.show(sends, &place, request.method, &path, &letter);
            }
            outgoing.batch = Some(batch);
            return Ok(outgoing);
        }
        let Some(sends) = Sends::of(self.request.method, path) else {
            return Ok(outgoing);
        };
        let letter = match &self.request.upload_from {
            Some(name) => {
                let (file, size) = Files::open(self.graph.places.files.as_deref())?.read(name)?;
                let mut upload = Upload {
                    name: name.clone(),
                    file,
                    size,
                };
                let kind = upload.content_type();
                let bytes = upload.whole()?;
                match serde_json::from_slice::<Value>(&bytes) {
                    // As it was read, so that nothing is sent that was not shown.
                    Ok(mut value @ Value::Object(_)) => {
                        self.cut(sends, &mut value);
                        let bytes = Bytes::from(value.to_string());
                        outgoing.body = Some((bytes, Some("application/json")));
                        self.letter(client, sends, path, Some(&value), &mut outgoing, hears)
                            .await?
                    }
                    _ => {
                        let letter = of_bytes(&bytes);
                        outgoing.body = Some((bytes, Some(kind)));
                        letter
                    }
                }
            }
            None => {
                let mut own = self.request.body.clone();
                if let Some(value @ Value::Object(_)) = &mut own {
                    self.cut(sends, value);
                    outgoing.body = Some((Bytes::from(value.to_string()), None));
                }
                self.letter(client, sends, path, own.as_ref(), &mut outgoing, hears)
                    .await?
            }
        };
        outgoing.show(sends, "", self.request.method, path, &letter);
        Ok(outgoing)
    }

    /// Cuts the signatures off mail.
    fn cut(&self, sends: Sends, body: &mut Value) {
        let is_mail = matches!(
            sends,
            Sends::Mail | Sends::Reply | Sends::ReplyAll | Sends::Forward | Sends::GroupPost
        );
        if is_mail && !self.connection.skip_signature_strip {
            cut_signatures(body);
        }
    }

    /// The letter of one call.
    async fn letter(
        &self,
        client: &mut Client<'_>,
        sends: Sends,
        path: &str,
        body: Option<&Value>,
        outgoing: &mut Outgoing,
        hears: &mut dyn Hears,
    ) -> Result<Letter, GraphError> {
        let mut letter = match body {
            Some(Value::String(text)) => of_bytes(text.as_bytes()),
            Some(value) => Letter::of_graph(value),
            None => Letter::default(),
        };
        let in_mailbox = fully_decoded(path).to_lowercase().contains("/messages");
        match sends {
            Sends::Draft => {
                let draft = self.lies_there(client, path, DRAFT, hears).await?;
                letter = of_draft(&draft, letter);
                outgoing.seen.push(draft.to_string());
            }
            Sends::Reply | Sends::ReplyAll | Sends::Forward if in_mailbox => {
                match self.lies_there(client, path, ANSWERED, hears).await {
                    Ok(mail) => {
                        answers(&mut letter, &mail, sends);
                        outgoing.seen.push(mail.to_string());
                    }
                    Err(GraphError::Refused(refusal)) => letter.also.push(format!(
                        "the mail in the mailbox could not be read ({}), so its people are not known",
                        refusal.code
                    )),
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
        Ok(letter)
    }

    /// What lies in the mailbox, one segment above the action.
    async fn lies_there(
        &self,
        client: &mut Client<'_>,
        path: &str,
        query: &str,
        hears: &mut dyn Hears,
    ) -> Result<Value, GraphError> {
        let path = path.trim_end_matches('/');
        let (item, action) = path.rsplit_once('/').unwrap_or_default();
        let plain = action
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.');
        if !plain || item.is_empty() {
            return Err(GraphError::Request(
                "the endpoint's action is encoded, so what it sends cannot be read first: write it \
                 plainly, as in /me/messages/ID/send"
                    .to_owned(),
            ));
        }
        let endpoint = Endpoint::new(
            &format!("{item}?{query}"),
            &Query::default(),
            Service::Graph,
            client.base(),
        )?;
        let sending = Sending {
            method: Method::Get,
            url: endpoint.url(),
            headers: &[],
            body: None,
        };
        let response = client.send(&sending, hears).await?;
        if !response.status().is_success() {
            return Err(super::refused(response, &endpoint, client, "").await);
        }
        let mut value = body::json(response).await?;
        if let Value::Object(fields) = &mut value {
            // It names the host and the query, and changes with them.
            fields.retain(|key, _| key != "@odata.context");
        }
        Ok(value)
    }
}

impl Outgoing {
    fn show(&mut self, sends: Sends, place: &str, method: Method, path: &str, letter: &Letter) {
        self.sends = true;
        let place = match place {
            "" => String::new(),
            place => format!("request {place}, "),
        };
        self.preview.push_str(&format!(
            "This would send {} ({place}{method} {}):\n{}",
            sends.words(),
            visible_line(path),
            letter.shown()
        ));
        if letter.is_empty() {
            self.preview.push_str("  (the call itself says no more)\n");
        }
    }
}

/// A mail in MIME, in base64 or as it is; else a text.
fn of_bytes(bytes: &[u8]) -> Letter {
    let plain: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let mail = STANDARD
        .decode(plain)
        .ok()
        .and_then(|mail| mime_letter(&mail));
    mail.or_else(|| mime_letter(bytes))
        .unwrap_or_else(|| Letter {
            text: vec![String::from_utf8_lossy(bytes).into_owned()],
            ..Letter::default()
        })
}

fn of_draft(draft: &Value, call: Letter) -> Letter {
    let fields: Map<String, Value> = draft
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| {
            let key = key.to_ascii_lowercase();
            !key.starts_with('@') && !UNSHOWN.contains(&key.as_str())
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut letter = Letter::of_graph(&Value::Object(fields));
    letter.also.extend(call.also);
    letter
}

/// The people who get an answer, and what it answers.
fn answers(letter: &mut Letter, mail: &Value, sends: Sends) {
    let of = Letter::of_graph(mail);
    let subject = of.subject.into_iter().next();
    if sends == Sends::Forward {
        let words = subject.map(|subject| format!("it forwards: {subject}"));
        letter.also.extend(words);
        return;
    }
    let mut to = if of.reply_to.is_empty() {
        of.from
    } else {
        of.reply_to
    };
    if sends == Sends::ReplyAll {
        to.extend(of.to);
        letter.cc.extend(of.cc);
    }
    letter.to.splice(0..0, to);
    letter
        .also
        .extend(subject.map(|subject| format!("it answers: {subject}")));
}
