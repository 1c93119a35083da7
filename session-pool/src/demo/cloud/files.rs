//! A drive for each tenant, upload sessions, and the other host that downloads come from.

use std::collections::HashMap;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use serde_json::{Value, json};

use super::graph::enter;
use super::people::guid;
use super::{DemoCloud, reply};

/// Files and drafts that are kept at the same time.
const MOST: usize = 200;

/// What people wrote.
#[derive(Debug, Default)]
pub(super) struct Store {
    files: HashMap<String, Vec<u8>>,
    sessions: HashMap<String, Session>,
    drafts: HashMap<String, Value>,
    sent: Vec<String>,
}

#[derive(Debug)]
struct Session {
    path: String,
    received: Vec<u8>,
    /// Bytes that were announced, where it is a mailbox's.
    announced: Option<usize>,
}

impl Session {
    fn expected(&self) -> Value {
        // Mailboxes leave the dash out.
        let end = if self.announced.is_some() { "" } else { "-" };
        json!({"nextExpectedRanges": [format!("{}{end}", self.received.len())]})
    }
}

impl Store {
    pub(super) fn keep_draft(&mut self, id: String, draft: Value) {
        if self.drafts.len() < MOST {
            self.drafts.insert(id, draft);
        }
    }

    /// Changes a draft; says whether it is there.
    pub(super) fn change_draft(&mut self, id: &str, changes: &Value) -> bool {
        let Some(Value::Object(draft)) = self.drafts.get_mut(id) else {
            return false;
        };
        draft.extend(
            changes
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        true
    }

    pub(super) fn keep_sent(&mut self, body: String) {
        if self.sent.len() < MOST {
            self.sent.push(body);
        }
    }

    pub(super) fn sent(&self) -> Vec<String> {
        self.sent.clone()
    }

    pub(super) fn draft(&self, id: &str) -> Option<Value> {
        self.drafts.get(id).cloned()
    }

    fn keep(&mut self, path: String, bytes: Vec<u8>) {
        if self.files.len() < MOST || self.files.contains_key(&path) {
            self.files.insert(path, bytes);
        }
    }
}

pub(super) fn router() -> Router<DemoCloud> {
    Router::new()
        .route("/download/{tenant}/{*path}", get(download))
        .route("/upload/{session}", put(upload).get(expected))
        .route("/report/{tenant}/{name}", get(report))
        .route("/back", get(back))
}

/// An address elsewhere that leads back to Graph.
pub(super) fn back_url(cloud: &DemoCloud) -> String {
    format!("{}/back", elsewhere(cloud))
}

async fn back(State(cloud): State<DemoCloud>, headers: HeaderMap) -> Response {
    refused(&headers).unwrap_or_else(|| reply::redirect(&super::graph::url(&cloud, "/me")))
}

/// Where another host would tell how far work is.
pub(super) fn monitor_url(cloud: &DemoCloud) -> String {
    format!("{}/monitor/1?key=demo", elsewhere(cloud))
}

/// Another host: the same machine by its other name, as far as there is one.
fn elsewhere(cloud: &DemoCloud) -> String {
    let base = &cloud.0.base;
    let other = if base.contains("//127.0.0.1") {
        base.replacen("//127.0.0.1", "//localhost", 1)
    } else {
        base.replacen("//localhost", "//127.0.0.1", 1)
    };
    format!("{other}/elsewhere")
}

pub(super) fn report_url(cloud: &DemoCloud, tenant: &str, name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}/report/{tenant}/{plain}?sig=demo", elsewhere(cloud))
}

/// What Graph hands out addresses for must not be asked with Graph's token.
fn refused(headers: &HeaderMap) -> Option<Response> {
    headers.contains_key(header::AUTHORIZATION).then(|| {
        reply::error(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "This address must be asked without Authorization.",
        )
    })
}

async fn report(
    State(cloud): State<DemoCloud>,
    Path((tenant, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = refused(&headers) {
        return response;
    }
    let Some(tenant) = cloud.tenant(&tenant) else {
        return reply::not_found("report");
    };
    let mut csv = "Report Refresh Date,User Principal Name,Display Name,Is Deleted\r\n".to_owned();
    for user in tenant.users.iter().take(50) {
        let text = |key: &str| user.get(key).and_then(Value::as_str).unwrap_or_default();
        csv.push_str(&format!(
            "2026-11-20,{},{},False\r\n",
            text("userPrincipalName"),
            text("displayName")
        ));
    }
    // As the real ones come: with a mark in front, and not called a text.
    let csv = format!("\u{feff}{csv}");
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    (kind, csv).into_response()
}

/// The part of a drive's path that names a file, and what is wanted of it: `root:/a/b.txt:/content`.
fn addressed(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("root:/")?;
    match rest.split_once(":/") {
        Some((file, what)) => Some((file, what)),
        None => Some((rest.trim_end_matches(':'), "")),
    }
}

pub(super) async fn get_item(
    State(cloud): State<DemoCloud>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let tenant = match enter(&cloud, &headers, &path).await {
        Ok((tenant, _)) => tenant,
        Err(response) => return response,
    };
    if path == "root/children" {
        let prefix = format!("{}/", tenant.id);
        let store = cloud.store();
        let mut items: Vec<Value> = store
            .files
            .iter()
            .filter_map(|(path, bytes)| {
                Some(item(&tenant.id, path.strip_prefix(&prefix)?, bytes.len()))
            })
            .collect();
        items.sort_by_key(|item| item.get("name").map(Value::to_string));
        return reply::ok(json!({"value": items}), "driveItems");
    }
    let Some((file, what)) = addressed(&path) else {
        return reply::not_found(&path);
    };
    let size = cloud
        .store()
        .files
        .get(&format!("{}/{file}", tenant.id))
        .map(Vec::len);
    match (size, what) {
        (None, _) => reply::error(
            StatusCode::NOT_FOUND,
            "itemNotFound",
            "The resource could not be found.",
        ),
        (Some(_), "content") => reply::redirect(&format!(
            "{}/download/{}/{}?sig=demo",
            elsewhere(&cloud),
            tenant.id,
            file.replace(' ', "%20")
        )),
        (Some(size), _) => reply::ok(item(&tenant.id, file, size), "driveItem"),
    }
}

fn item(tenant: &str, file: &str, size: usize) -> Value {
    json!({
        "id": guid(tenant, "file", file),
        "name": file.rsplit('/').next().unwrap_or_default(),
        "size": size,
        "file": {"mimeType": "application/octet-stream"},
    })
}

pub(super) async fn put_item(
    State(cloud): State<DemoCloud>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let tenant = match enter(&cloud, &headers, &format!("put {path}")).await {
        Ok((tenant, _)) => tenant,
        Err(response) => return response,
    };
    let Some((file, "content")) = addressed(&path) else {
        return reply::bad_request("PUT needs a path that ends in :/content");
    };
    let size = body.len();
    cloud
        .store()
        .keep(format!("{}/{file}", tenant.id), body.to_vec());
    reply::created(item(&tenant.id, file, size))
}

pub(super) async fn open_session(
    State(cloud): State<DemoCloud>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let tenant = match enter(&cloud, &headers, &format!("session {path}")).await {
        Ok((tenant, _)) => tenant,
        Err(response) => return response,
    };
    let json = headers.get(header::CONTENT_TYPE);
    if json.is_none_or(|kind| kind != "application/json") {
        return reply::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "The description of an upload session must be JSON.",
        );
    }
    let Some((file, "createUploadSession")) = addressed(&path) else {
        return reply::not_found(&path);
    };
    begun(&cloud, format!("{}/{file}", tenant.id), None)
}

/// A session for an attachment, whose name and size are announced.
pub(super) async fn open_attachment(
    State(cloud): State<DemoCloud>,
    Path(message): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let tenant = match enter(&cloud, &headers, &format!("attachment {message}")).await {
        Ok((tenant, _)) => tenant,
        Err(response) => return response,
    };
    if cloud.store().draft(&message).is_none() {
        return reply::not_found(&message);
    }
    let item = |key: &str| body.get("AttachmentItem")?.get(key);
    let (Some("file"), Some(name), Some(size)) = (
        item("attachmentType").and_then(Value::as_str),
        item("name").and_then(Value::as_str),
        item("size").and_then(Value::as_u64),
    ) else {
        return reply::bad_request("AttachmentItem needs attachmentType, name and size.");
    };
    let path = format!("{}/mail/{message}/{name}", tenant.id);
    begun(&cloud, path, usize::try_from(size).ok())
}

/// The attachments of a draft.
pub(super) async fn attachments(
    State(cloud): State<DemoCloud>,
    Path(message): Path<String>,
    headers: HeaderMap,
) -> Response {
    let tenant = match enter(&cloud, &headers, &format!("attachments {message}")).await {
        Ok((tenant, _)) => tenant,
        Err(response) => return response,
    };
    let prefix = format!("{}/mail/{message}/", tenant.id);
    let items: Vec<Value> = cloud
        .store()
        .files
        .iter()
        .filter_map(|(path, bytes)| {
            Some(json!({"name": path.strip_prefix(&prefix)?, "size": bytes.len()}))
        })
        .collect();
    reply::ok(json!({"value": items}), "attachments")
}

fn begun(cloud: &DemoCloud, path: String, announced: Option<usize>) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    cloud.store().sessions.insert(
        id.clone(),
        Session {
            path,
            received: Vec::new(),
            announced,
        },
    );
    reply::ok(
        json!({
            "uploadUrl": format!("{}/upload/{id}?sig=demo", elsewhere(cloud)),
            "expirationDateTime": "2030-01-01T00:00:00Z",
            "nextExpectedRanges": ["0-"],
        }),
        "uploadSession",
    )
}

async fn upload(
    State(cloud): State<DemoCloud>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(response) = refused(&headers) {
        return response;
    }
    let range = headers
        .get(header::CONTENT_RANGE)
        .and_then(|value| Range::parse(value.to_str().ok()?));
    let Some(range) = range else {
        return reply::bad_request("Content-Range is missing or wrong");
    };
    let lost = cloud.faults().loses_part();
    let mut store = cloud.store();
    let Some(session) = store.sessions.get_mut(&id) else {
        return reply::not_found("upload session");
    };
    if range.first != session.received.len() || range.last + 1 != range.first + body.len() {
        return reply::error(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "invalidRange",
            "The uploaded fragment is out of order.",
        );
    }
    if session.announced.is_some_and(|size| size != range.total) {
        return reply::bad_request("The size is not that of the AttachmentItem.");
    }
    if lost {
        let half = body.slice(..body.len() / 2);
        session.received.extend_from_slice(&half);
        return StatusCode::BAD_GATEWAY.into_response();
    }
    session.received.extend_from_slice(&body);
    if session.received.len() < range.total {
        return (StatusCode::ACCEPTED, Json(session.expected())).into_response();
    }
    match store.sessions.remove(&id) {
        Some(session) if session.announced.is_some() => {
            store.keep(session.path, session.received);
            StatusCode::CREATED.into_response()
        }
        Some(session) => {
            let done = item("", &session.path, session.received.len());
            store.keep(session.path, session.received);
            reply::created(done)
        }
        None => reply::not_found("upload session"),
    }
}

/// Says how much of an upload has come.
async fn expected(
    State(cloud): State<DemoCloud>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = refused(&headers) {
        return response;
    }
    match cloud.store().sessions.get(&id) {
        Some(session) => Json(session.expected()).into_response(),
        None => reply::not_found("upload session"),
    }
}

/// `bytes 0-99/200` (RFC 9110, section 14.4).
struct Range {
    first: usize,
    last: usize,
    total: usize,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            total: total.parse().ok()?,
        })
    }
}

async fn download(
    State(cloud): State<DemoCloud>,
    Path((tenant, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = refused(&headers) {
        return response;
    }
    match cloud.store().files.get(&format!("{tenant}/{path}")) {
        Some(bytes) => (
            [(header::CONTENT_TYPE, "application/octet-stream")],
            bytes.clone(),
        )
            .into_response(),
        None => reply::not_found(&path),
    }
}
