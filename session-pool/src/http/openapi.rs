//! The API's description (OpenAPI 3.1), generated from the types and handlers.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    self, ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    SecurityRequirement,
};
use utoipa::{IntoResponses, ToSchema};

use crate::domain::wire::Refusal;

/// What stands above the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Session pool",
        description = "Long-lived PowerShell sessions for Microsoft 365. Every command is a job; \
                       every refusal has a sentence and a stable code."
    ),
    components(schemas(Refusal)),
    tags(
        (name = "jobs", description = "Running PowerShell"),
        (name = "sign-ins", description = "Signing in ahead of need, and out"),
        (name = "policy", description = "What may run, and who says yes"),
        (name = "pool", description = "The pool itself")
    )
)]
struct Base;

/// The description without its routes.
pub(crate) fn base() -> OpenApi {
    let mut description = <Base as utoipa::OpenApi>::openapi();
    description.security = Some(vec![SecurityRequirement::new(
        "token",
        [] as [&'static str; 0],
    )]);
    description
        .components
        .get_or_insert_default()
        .add_security_scheme(
            "token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(
                        "The pool's access token: by default in pool.token in its state directory.",
                    ))
                    .build(),
            ),
        );
    description
}

/// The whole description as JSON, for a pool that serves only this connection, or all.
pub(crate) fn finish(mut description: OpenApi, only: Option<&str>) -> Bytes {
    if let Some(components) = &mut description.components {
        for name in [
            "RunRequest",
            "ResetRequest",
            "CheckRequest",
            "SignInRequest",
            "SignOutRequest",
        ] {
            if let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(name) {
                name_connection(body, only);
            }
        }
    }
    let mut description = json!(description);
    // A site belongs to pnp. The types above cannot say `if`.
    let run = description.pointer_mut("/components/schemas/RunRequest");
    if let Some(run) = run.and_then(Value::as_object_mut) {
        let pnp = json!({"properties": {"module": {"const": "pnp"}}});
        let no_site = json!({"properties": {"site": {"enum": ["", null]}}});
        run.extend([("if".to_owned(), pnp), ("else".to_owned(), no_site)]);
    }
    description.to_string().into()
}

/// A pool of one connection needs no name and takes that one; others need one.
fn name_connection(body: &mut Object, only: Option<&str>) {
    match (only, body.properties.get_mut("connection")) {
        (Some(only), Some(RefOr::T(Schema::Object(name)))) => {
            name.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
            name.enum_values = Some(vec![only.into(), "".into(), Value::Null]);
            name.min_length = None;
        }
        _ => body.required.insert(0, "connection".to_owned()),
    }
}

/// `GET /openapi.json`.
pub(crate) async fn answer(description: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], description).into_response()
}

/// One group of refusals, in the order status, when it is given, header that comes with it.
type Group = &'static [(
    &'static str,
    &'static str,
    Option<(&'static str, &'static str)>,
)];

/// Groups of refusals that routes name in their `responses`.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $group:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
                const GROUP: Group = $group;
                GROUP.iter().map(refusal).collect()
            }
        }
    )+};
}

refusals! {
    /// Every route can give these.
    AnyCaller: &[
        ("403", "The request names a host that is not this pool's, or comes from a web page.", None),
        ("500", "The pool failed, which is a defect.", None),
    ];
    /// Routes that ask for the token.
    Unauthorized: &[
        ("401", "The access token is missing or wrong.", Some(("WWW-Authenticate", "Bearer."))),
    ];
    /// Routes that mind their parameters, also where they have none.
    Parameterized: &[("400", "A parameter is unknown or cannot be that.", None)];
    /// Routes with bodies.
    Posted: &[
        ("400", "The body is no JSON, or a field is missing, unknown or cannot be that.", None),
        ("413", "The body is larger than 2 MiB.", None),
        ("415", "The body is not application/json.", None),
    ];
    /// Routes that look for a connection.
    OfConnection: &[
        ("404", "There is no such connection (the sentence names those most like it) or site.", None),
        ("503", "The pool is shutting down, or runs as many processes as it may.", None),
    ];
    /// Routes that put a job into a queue.
    Queued: &[
        ("409", "The registry lacks what the module needs for this connection.", None),
        (
            "429",
            "The session's queue is full.",
            Some(("Retry-After", "Seconds until it is worth trying again.")),
        ),
    ];
    /// Routes that look at what the registry says of a module.
    Usable: &[("409", "The registry lacks what the module needs for this connection.", None)];
    /// Routes that look for something to confirm.
    OfConfirmation: &[("404", "Nothing waits for a yes under this id.", None)];
    /// Routes that look for a job.
    OfJob: &[
        ("404", "There is no such job.", None),
        ("410", "Its results are no longer kept.", None),
        ("503", "The pool is shutting down.", None),
    ];
    /// Routes that take a cursor.
    Paged: &[("409", "The cursor lies behind the end of what the job has put out.", None)];
}

fn refusal(
    (status, when, header): &(
        &'static str,
        &'static str,
        Option<(&'static str, &'static str)>,
    ),
) -> (String, RefOr<openapi::Response>) {
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Refusal::name())))
        .build();
    let mut response = ResponseBuilder::new()
        .description(*when)
        .content("application/json", body);
    if let Some((name, meaning)) = header {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new()
            .schema(Some(text))
            .description(Some(*meaning))
            .build();
        response = response.header(*name, header);
    }
    ((*status).to_owned(), response.build().into())
}
