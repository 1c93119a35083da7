//! Entra's endpoints: device codes, tokens, and the page on which a person enters a code.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::people::{Tenant, guid};
use super::sign_ins::{CODE_LIFE, Polled};
use super::tokens::{Shown, sealed};
use super::{DemoCloud, count};

/// How long a refresh token lives, as at Entra.
const REFRESH_LIFE: i64 = 90 * 24 * 3600;

/// The secret that the demo's apps have.
const APP_SECRET: &str = "demo-secret";

pub(super) fn router() -> Router<DemoCloud> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device_code))
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/device", get(device_page).post(enter))
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(metadata),
        )
}

#[derive(Deserialize)]
struct DeviceForm {
    client_id: String,
    scope: String,
}

async fn device_code(
    State(cloud): State<DemoCloud>,
    Path(tenant): Path<String>,
    Form(form): Form<DeviceForm>,
) -> Response {
    let Some(tenant) = home_tenant(&cloud, &tenant) else {
        return no_tenant();
    };
    count(&cloud.0.counts.device_codes);
    let (user_code, device_code) =
        cloud
            .sign_ins()
            .make(&tenant.name, &form.client_id, &form.scope);
    let url = format!("{}/login/device", cloud.0.base);
    let interval = cloud.faults().poll_interval;
    Json(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": url,
        "expires_in": CODE_LIFE.as_secs(),
        "interval": interval,
        "message": format!("To sign in, use a web browser to open the page {url} and enter the code {user_code} to authenticate."),
    }))
    .into_response()
}

#[derive(Deserialize)]
struct TokenForm {
    grant_type: String,
    client_id: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    device_code: String,
    #[serde(default)]
    refresh_token: String,
    client_secret: Option<String>,
    client_assertion: Option<String>,
}

async fn token(
    State(cloud): State<DemoCloud>,
    Path(tenant): Path<String>,
    Form(form): Form<TokenForm>,
) -> Response {
    match form.grant_type.as_str() {
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => by_code(&cloud, &form),
        "refresh_token" => by_refresh(&cloud, &form),
        "client_credentials" => by_app(&cloud, &tenant, &form),
        _ => refused("unsupported_grant_type", 70003),
    }
}

fn by_code(cloud: &DemoCloud, form: &TokenForm) -> Response {
    let polled = cloud.sign_ins().poll(&form.device_code);
    match polled {
        Polled::Pending => refused("authorization_pending", 70016),
        Polled::Declined => refused("authorization_declined", 70018),
        Polled::Expired => refused("expired_token", 70019),
        Polled::Unknown => refused("bad_verification_code", 70020),
        Polled::SignedIn {
            tenant,
            app,
            scope,
            account,
        } => match cloud.tenant(&tenant) {
            Some(tenant) => {
                let account = account.unwrap_or_else(|| tenant.admin.clone());
                granted(cloud, tenant, &account, &app, &scope)
            }
            None => no_tenant(),
        },
    }
}

fn by_refresh(cloud: &DemoCloud, form: &TokenForm) -> Response {
    if cloud.faults().unconsented {
        return refused("invalid_grant", 65001);
    }
    let claims = match cloud.0.tokens.read("refresh", &form.refresh_token) {
        Shown::Good(claims) if claims.appid == form.client_id => claims,
        Shown::Good(_) | Shown::Nonsense => return refused("invalid_grant", 70000),
        Shown::Expired => return refused("invalid_grant", 700082),
        Shown::Revoked => return refused("invalid_grant", 50173),
    };
    let (Some(tenant), Some(account)) = (cloud.tenant(&claims.tid), claims.upn) else {
        return refused("invalid_grant", 70000);
    };
    count(&cloud.0.counts.refreshes);
    granted(cloud, tenant, &account, &form.client_id, &form.scope)
}

fn by_app(cloud: &DemoCloud, tenant: &str, form: &TokenForm) -> Response {
    let Some(tenant) = cloud.tenant(tenant) else {
        return no_tenant();
    };
    match (&form.client_secret, &form.client_assertion) {
        (Some(secret), _) if secret == APP_SECRET => {}
        (Some(_), _) => return refused("invalid_client", 7_000_215),
        // Whether the signature is right the stand-in cannot know; that it says the right things
        // it can.
        (None, Some(assertion)) if is_assertion(assertion, &form.client_id) => {}
        (None, Some(_)) => return refused("invalid_client", 700_027),
        (None, None) => return refused("invalid_client", 7_000_218),
    }
    count(&cloud.0.counts.app_tokens);
    let life = cloud.faults().token_life;
    let app = &form.client_id;
    let tokens = &cloud.0.tokens;
    Json(json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": tokens.make("access", &tenant.id, None, app, &form.scope, life),
    }))
    .into_response()
}

fn is_assertion(assertion: &str, client_id: &str) -> bool {
    let part = |number: usize| -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD
            .decode(assertion.split('.').nth(number)?)
            .ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let (Some(header), Some(claims)) = (part(0), part(1)) else {
        return false;
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    text(&header, "alg").as_deref() == Some("PS256")
        && text(&header, "x5t#S256").is_some_and(|print| print.len() == 43)
        && text(&claims, "iss").as_deref() == Some(client_id)
        && text(&claims, "sub").as_deref() == Some(client_id)
        && text(&claims, "aud").is_some_and(|url| url.ends_with("/oauth2/v2.0/token"))
}

fn granted(cloud: &DemoCloud, tenant: &Tenant, account: &str, app: &str, scope: &str) -> Response {
    let life = cloud.faults().token_life;
    let tokens = &cloud.0.tokens;
    let oid = guid(&tenant.id, "object", account);
    let id_token = sealed(&json!({
        "aud": app,
        "tid": tenant.id,
        "oid": oid,
        "sub": oid,
        "preferred_username": account,
    }));
    let info = json!({"uid": oid, "utid": tenant.id}).to_string();
    Json(json!({
        "token_type": "Bearer",
        "scope": scope.replace(" offline_access", ""),
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": tokens.make("access", &tenant.id, Some(account), app, scope, life),
        "refresh_token": tokens.make("refresh", &tenant.id, Some(account), app, "", REFRESH_LIFE),
        "id_token": id_token,
        "client_info": URL_SAFE_NO_PAD.encode(info),
    }))
    .into_response()
}

async fn device_page() -> Html<&'static str> {
    Html(
        "<!doctype html><meta charset=utf-8><title>Demo sign-in</title>\
         <h1>Demo sign-in</h1><p>No Microsoft account is involved.</p>\
         <form method=post><label>Code <input name=code autofocus required></label> \
         <button>Sign in</button></form>",
    )
}

#[derive(Deserialize)]
struct Entered {
    code: String,
}

async fn enter(State(cloud): State<DemoCloud>, Form(entered): Form<Entered>) -> Response {
    if cloud.complete(&entered.code) {
        Html("<!doctype html><meta charset=utf-8><title>Demo sign-in</title><h1>Signed in</h1><p>You can close this page.</p>")
            .into_response()
    } else {
        let page = Html(
            "<!doctype html><meta charset=utf-8><title>Demo sign-in</title><h1>No sign-in waits for that code</h1><p><a href=device>Try again</a></p>",
        );
        (StatusCode::NOT_FOUND, page).into_response()
    }
}

/// What OpenID clients such as MSAL ask for first.
async fn metadata(State(cloud): State<DemoCloud>, Path(tenant): Path<String>) -> Response {
    let Some(tenant) = home_tenant(&cloud, &tenant) else {
        return no_tenant();
    };
    let base = format!("{}/login/{}", cloud.0.base, tenant.id);
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
    }))
    .into_response()
}

/// The tenant of a path; the first one for a connection that names none.
fn home_tenant<'a>(cloud: &'a DemoCloud, name: &str) -> Option<&'a Tenant> {
    match name {
        "organizations" | "common" => cloud.0.tenants.first(),
        name => cloud.tenant(name),
    }
}

fn no_tenant() -> Response {
    refused("invalid_request", 90002)
}

fn refused(error: &str, code: u32) -> Response {
    let id = uuid::Uuid::now_v7().to_string();
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: The demo's Entra refuses this. Trace ID: {id}"),
        "error_codes": [code],
        "timestamp": jiff::Timestamp::now().to_string(),
        "trace_id": id,
        "correlation_id": id,
    });
    let status = if error == "invalid_client" {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    (status, Json(body)).into_response()
}
