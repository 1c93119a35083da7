//! Mailboxes: messages to read, drafts, and sends that are only counted and remembered.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query as QueryOf, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::graph::{enter, url};
use super::paging::{Listing, Query};
use super::people::{Tenant, guid};
use super::{DemoCloud, count, reply};

/// Messages in every mailbox.
const MESSAGES: usize = 35;

fn messages(tenant: &Tenant, mailbox: &str) -> Vec<Value> {
    (0..MESSAGES)
        .map(|index| {
            let senders = tenant.users.len().max(1);
            let sender = tenant
                .users
                .get((index * 7 + 1) % senders)
                .and_then(|user| user.get("mail"))
                .cloned()
                .unwrap_or_default();
            json!({
                "id": guid(&tenant.id, "message", &format!("{mailbox}/{index}")),
                "subject": format!("Report {} of the week", index + 1),
                "receivedDateTime": format!("2026-11-{:02}T08:00:00Z", 1 + index % 28),
                "isRead": !index.is_multiple_of(3),
                "hasAttachments": index.is_multiple_of(5),
                "bodyPreview": "The numbers are in. ",
                "from": {"emailAddress": {"address": sender}},
                "toRecipients": [{"emailAddress": {"address": mailbox}}],
                "body": {"contentType": "text", "content": "The numbers are in. "},
            })
        })
        .collect()
}

pub(super) async fn list(
    State(cloud): State<DemoCloud>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, "/me/messages").await {
        Ok((tenant, claims)) => {
            let mailbox = claims.upn.unwrap_or_default();
            listed(&cloud, tenant, &mailbox, "/me/messages", &query, &headers)
        }
        Err(response) => response,
    }
}

pub(super) async fn list_of(
    State(cloud): State<DemoCloud>,
    Path(user): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &format!("/users/{user}/messages")).await {
        Ok((tenant, _)) if tenant.user(&user).is_none() => reply::not_found(&user),
        Ok((tenant, _)) => {
            let path = format!("/users/{user}/messages");
            listed(&cloud, tenant, &user, &path, &query, &headers)
        }
        Err(response) => response,
    }
}

fn listed(
    cloud: &DemoCloud,
    tenant: &Tenant,
    mailbox: &str,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Response {
    let mut query = query.clone();
    // Mail has smaller pages than the directory has, and its `$search` needs no header.
    query
        .entry("$top".to_owned())
        .or_insert_with(|| "10".to_owned());
    let mut headers = headers.clone();
    reply::put(&mut headers, "consistencylevel", "eventual");
    Listing {
        url: url(cloud, path),
        query: &query,
        headers: &headers,
        delta: false,
    }
    .of(&messages(tenant, mailbox))
}

pub(super) async fn one(
    State(cloud): State<DemoCloud>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &id).await {
        Ok((tenant, claims)) => {
            let mailbox = claims.upn.unwrap_or_default();
            let found = messages(tenant, &mailbox)
                .into_iter()
                .chain(cloud.store().draft(&id))
                .find(|message| message.get("id").and_then(Value::as_str) == Some(&id));
            match found {
                Some(message) => reply::ok(message, &url(&cloud, "/$metadata#message")),
                None => reply::not_found(&id),
            }
        }
        Err(response) => response,
    }
}

pub(super) async fn draft(
    State(cloud): State<DemoCloud>,
    headers: HeaderMap,
    Json(mut message): Json<Value>,
) -> Response {
    match enter(&cloud, &headers, "draft").await {
        Ok(_) => {
            let id = uuid::Uuid::now_v7().to_string();
            if let Some(object) = message.as_object_mut() {
                object.insert("id".to_owned(), id.clone().into());
                object.insert("isDraft".to_owned(), true.into());
            }
            cloud.store().keep_draft(id, message.clone());
            reply::created(message)
        }
        Err(response) => response,
    }
}

pub(super) async fn change(
    State(cloud): State<DemoCloud>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(changes): Json<Value>,
) -> Response {
    match enter(&cloud, &headers, "draft").await {
        Ok(_) if cloud.store().change_draft(&id, &changes) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(_) => reply::not_found(&id),
        Err(response) => response,
    }
}

pub(super) async fn send(
    State(cloud): State<DemoCloud>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match enter(&cloud, &headers, "send").await {
        Ok(_) => {
            count(&cloud.0.counts.sent);
            let body = String::from_utf8_lossy(&body).into_owned();
            cloud.store().keep_sent(body);
            reply::accepted()
        }
        Err(response) => response,
    }
}
