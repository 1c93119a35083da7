//! Microsoft Graph: the directory, sites, and what goes wrong on purpose.

use axum::Router;
use axum::extract::{Path, Query as QueryOf, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::faults::Met;
use super::paging::{Listing, Query};
use super::people::Tenant;
use super::tokens::{Claims, Shown};
use super::{DemoCloud, batch, count, files, mail, oddities, reply};

/// One white pixel.
const PHOTO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

pub(super) fn router() -> Router<DemoCloud> {
    let routes = Router::new()
        .route("/me", get(me))
        .route("/me/revokeSignInSessions", post(revoke))
        .route("/users", get(users))
        .route("/users/delta", get(users_delta))
        .route("/users/$count", get(users_count))
        .route("/users/{user}", get(user).patch(changed).delete(changed))
        .route("/users/{user}/photo/$value", get(photo))
        .route("/me/photo/$value", get(photo))
        .route("/groups", get(groups))
        .route("/groups/{group}", get(group).patch(changed))
        .route("/groups/{group}/members", get(members))
        .route("/sites", get(sites))
        .route("/sites/{site}", get(site))
        .route("/organization", get(organization))
        .route("/auditLogs/signIns", get(unlicensed))
        .route("/directoryRoles", get(forbidden))
        .route("/reports/{report}", get(report))
        .route("/me/messages", get(mail::list).post(mail::draft))
        .route("/me/sendMail", post(mail::send))
        .route("/users/{user}/messages", get(mail::list_of))
        .route("/users/{user}/sendMail", post(mail::send))
        .route("/me/messages/{id}", get(mail::one).patch(mail::change))
        .route("/me/messages/{id}/send", post(mail::send))
        .route("/me/messages/{id}/reply", post(mail::send))
        .route("/me/messages/{id}/replyAll", post(mail::send))
        .route("/me/messages/{id}/forward", post(mail::send))
        .route("/chats/{id}/messages", post(mail::send))
        .route("/teams/{team}/channels/{id}/messages", post(mail::send))
        .route("/me/messages/{id}/attachments", get(files::attachments))
        .route(
            "/me/messages/{id}/attachments/createUploadSession",
            post(files::open_attachment),
        )
        .route(
            "/me/drive/{*path}",
            get(files::get_item)
                .put(files::put_item)
                .post(files::open_session),
        )
        .route("/demo/status/{code}", get(oddities::status))
        .route("/demo/throttled/{key}", get(oddities::throttled))
        .route("/demo/redirect/{kind}", get(oddities::redirected))
        .route("/demo/kept/{key}", get(oddities::kept))
        .route("/demo/accepted/{kind}", post(oddities::accepted))
        .route("/demo/pages/{kind}", get(oddities::pages))
        .route("/demo/challenge/{times}", get(oddities::challenged))
        .route("/demo/text", get(oddities::text))
        .route("/demo/html", get(oddities::html))
        .route("/demo/huge", get(oddities::huge))
        .route(
            "/demo/echo",
            put(oddities::echo)
                .patch(oddities::echo)
                .post(oddities::echo),
        )
        .route("/$batch", post(batch::run))
        .route("/{*rest}", any(unknown));
    Router::new()
        .nest("/v1.0", routes.clone())
        .nest("/beta", routes)
}

async fn unknown(request: Request) -> Response {
    let path = request.uri().path().rsplit('/').next().unwrap_or_default();
    reply::bad_request(&format!("Resource not found for the segment '{path}'."))
}

/// Who calls, once the faults have been met and the token is good.
pub(super) async fn enter<'a>(
    cloud: &'a DemoCloud,
    headers: &HeaderMap,
    key: &str,
) -> Result<(&'a Tenant, Claims), Response> {
    count(&cloud.0.counts.calls);
    let slowness = cloud.faults().slowness;
    if !slowness.is_zero() {
        tokio::time::sleep(slowness).await;
    }
    let met = cloud.faults().meet(key);
    if let Some(response) = answer_to(cloud, met) {
        return Err(response);
    }
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    match cloud.0.tokens.read("access", token) {
        Shown::Good(claims) => match cloud.tenant(&claims.tid) {
            Some(tenant) => Ok((tenant, claims)),
            None => Err(unauthorized(None)),
        },
        Shown::Revoked => {
            let now = jiff::Timestamp::now().as_second();
            Err(unauthorized(Some(json!({
                "access_token": {"nbf": {"essential": true, "value": now.to_string()}}
            }))))
        }
        Shown::Expired | Shown::Nonsense => Err(unauthorized(None)),
    }
}

pub(super) fn answer_to(cloud: &DemoCloud, met: Met) -> Option<Response> {
    match met {
        Met::Nothing => None,
        Met::Throttled { seconds, early } => {
            count(&cloud.0.counts.throttled);
            if early {
                count(&cloud.0.counts.early);
            }
            let mut response = reply::error(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                "Too many requests",
            );
            reply::put(response.headers_mut(), "retry-after", &seconds.to_string());
            Some(response)
        }
        Met::Unavailable => {
            let mut response = reply::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "serviceNotAvailable",
                "The service is temporarily unavailable.",
            );
            reply::put(response.headers_mut(), "retry-after", "0");
            Some(response)
        }
    }
}

pub(super) fn unauthorized(claims: Option<Value>) -> Response {
    let mut response = reply::error(
        StatusCode::UNAUTHORIZED,
        "InvalidAuthenticationToken",
        "Access token has expired or is not yet valid.",
    );
    let challenge = match claims {
        None => "Bearer realm=\"\", error=\"invalid_token\"".to_owned(),
        Some(claims) => format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{}\"",
            STANDARD.encode(claims.to_string())
        ),
    };
    reply::put(response.headers_mut(), "www-authenticate", &challenge);
    response
}

/// The address of a path of Graph's.
pub(super) fn url(cloud: &DemoCloud, path: &str) -> String {
    format!("{}/graph/v1.0{path}", cloud.0.base)
}

pub(super) type Here = State<DemoCloud>;

async fn me(State(cloud): Here, QueryOf(query): QueryOf<Query>, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/me").await {
        Ok((tenant, claims)) => match claims.upn.as_deref().and_then(|upn| tenant.user(upn)) {
            Some(user) => entity(&cloud, user, &query, &headers),
            None => {
                reply::bad_request("/me request is only valid with delegated authentication flow.")
            }
        },
        Err(response) => response,
    }
}

/// Ends every sign-in of the demo, as an administrator would one person's.
async fn revoke(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "revoke").await {
        Ok(_) => {
            cloud.revoke();
            reply::ok(json!({"value": true}), &url(&cloud, "/$metadata#boolean"))
        }
        Err(response) => response,
    }
}

fn entity(cloud: &DemoCloud, item: &Value, query: &Query, headers: &HeaderMap) -> Response {
    let listing = Listing {
        url: String::new(),
        query,
        headers,
        delta: false,
    };
    reply::ok(listing.selected(item), &url(cloud, "/$metadata#entity"))
}

async fn collection(
    cloud: &DemoCloud,
    query: &Query,
    headers: &HeaderMap,
    path: &str,
    delta: bool,
    items: for<'a> fn(&'a Tenant) -> &'a [Value],
) -> Response {
    let pages = cloud.faults().pages.clone();
    if let Some(pages) = pages
        && let Ok(permit) = pages.acquire().await
    {
        permit.forget();
    }
    let token = query.get("$skiptoken").map_or("", String::as_str);
    match enter(cloud, headers, &format!("{path} {token}")).await {
        Ok((tenant, _)) => Listing {
            url: url(cloud, path),
            query,
            headers,
            delta,
        }
        .of(items(tenant)),
        Err(response) => response,
    }
}

async fn users(State(cloud): Here, QueryOf(query): QueryOf<Query>, headers: HeaderMap) -> Response {
    collection(&cloud, &query, &headers, "/users", false, |tenant| {
        &tenant.users
    })
    .await
}

async fn users_delta(
    State(cloud): Here,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    let latest = query.contains_key("$deltatoken");
    let items: for<'a> fn(&'a Tenant) -> &'a [Value] = if latest {
        |_| &[]
    } else {
        |tenant| &tenant.users
    };
    collection(&cloud, &query, &headers, "/users/delta", true, items).await
}

async fn users_count(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/users/$count").await {
        Ok(_) if !headers.contains_key("consistencylevel") => reply::error(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            "$count is not currently supported.",
        ),
        Ok((tenant, _)) => tenant.users.len().to_string().into_response(),
        Err(response) => response,
    }
}

async fn user(
    State(cloud): Here,
    Path(key): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &key).await {
        Ok((tenant, _)) => match tenant.user(&key) {
            Some(user) => entity(&cloud, user, &query, &headers),
            None => reply::not_found(&key),
        },
        Err(response) => response,
    }
}

/// What is written is taken and forgotten.
async fn changed(State(cloud): Here, Path(key): Path<String>, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, &format!("change {key}")).await {
        Ok(_) => reply::no_content(),
        Err(response) => response,
    }
}

async fn photo(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/photo").await {
        Ok(_) => (
            [(header::CONTENT_TYPE, "image/png")],
            STANDARD.decode(PHOTO).unwrap_or_default(),
        )
            .into_response(),
        Err(response) => response,
    }
}

async fn groups(
    State(cloud): Here,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    collection(&cloud, &query, &headers, "/groups", false, |tenant| {
        &tenant.groups
    })
    .await
}

async fn group(
    State(cloud): Here,
    Path(key): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &key).await {
        Ok((tenant, _)) => match find(&tenant.groups, &key) {
            Some(group) => entity(&cloud, group, &query, &headers),
            None => reply::not_found(&key),
        },
        Err(response) => response,
    }
}

async fn members(
    State(cloud): Here,
    Path(key): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &format!("members {key}")).await {
        Ok((tenant, _)) if find(&tenant.groups, &key).is_none() => reply::not_found(&key),
        Ok((tenant, _)) => {
            let members: Vec<Value> = tenant.users.iter().step_by(12).cloned().collect();
            Listing {
                url: url(&cloud, &format!("/groups/{key}/members")),
                query: &query,
                headers: &headers,
                delta: false,
            }
            .of(&members)
        }
        Err(response) => response,
    }
}

fn find<'a>(items: &'a [Value], id: &str) -> Option<&'a Value> {
    items
        .iter()
        .find(|item| item.get("id").and_then(Value::as_str) == Some(id))
}

async fn sites(State(cloud): Here, QueryOf(query): QueryOf<Query>, headers: HeaderMap) -> Response {
    // `?search=` of sites is no OData option and needs no consistency level.
    let search = query.get("search").map(|word| word.to_lowercase());
    let mut rest = query;
    rest.remove("search");
    match enter(&cloud, &headers, "/sites").await {
        Ok((tenant, _)) => {
            let mut sites = tenant.sites.clone();
            if let Some(word) = search.filter(|word| word != "*") {
                sites.retain(|site| site.to_string().to_lowercase().contains(&word));
            }
            Listing {
                url: url(&cloud, "/sites"),
                query: &rest,
                headers: &headers,
                delta: false,
            }
            .of(&sites)
        }
        Err(response) => response,
    }
}

async fn site(
    State(cloud): Here,
    Path(key): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, &key).await {
        Ok((tenant, _)) => {
            let root = key == "root" || key == format!("{}.sharepoint.com", tenant.sharepoint);
            let site = if root {
                tenant.sites.first()
            } else {
                find(&tenant.sites, &key)
            };
            match site {
                Some(site) => entity(&cloud, site, &query, &headers),
                None => reply::error(
                    StatusCode::NOT_FOUND,
                    "itemNotFound",
                    "Requested site could not be found",
                ),
            }
        }
        Err(response) => response,
    }
}

async fn organization(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/organization").await {
        Ok((tenant, _)) => reply::ok(
            json!({"value": [{
                "id": tenant.id,
                "displayName": tenant.display_name,
                "verifiedDomains": [{"name": tenant.domain, "isDefault": true, "isInitial": false}],
            }]}),
            &url(&cloud, "/$metadata#organization"),
        ),
        Err(response) => response,
    }
}

async fn unlicensed(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/signIns").await {
        Ok(_) => reply::error(
            StatusCode::FORBIDDEN,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ),
        Err(response) => response,
    }
}

async fn forbidden(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/directoryRoles").await {
        Ok(_) => reply::error(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        Err(response) => response,
    }
}

/// A report lies elsewhere, behind an address that is good for itself.
async fn report(State(cloud): Here, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/reports").await {
        Ok((tenant, _)) => reply::redirect(&files::report_url(&cloud, &tenant.name, &name)),
        Err(response) => response,
    }
}
