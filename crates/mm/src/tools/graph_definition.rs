//! What `graph_request` says about itself.

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::definition::object;

const GRAPH: &str = "Call Microsoft Graph (or Power Automate) on a Microsoft 365 connection, signed \
in by device code or certificate. Without arguments: lists the connections; begin there.\n\
\n\
- The answer begins with connection, tenant and account. Read them before you act on the rest.\n\
- `endpoint` is a path such as /users, /me/messages, /beta/…, /sites?search=x, or a full URL on the \
connection's own host. Write filters plainly, /users?$filter=startswith(displayName,'A'), or put \
options into `query`; encoding and ConsistencyLevel are done for you.\n\
- Ask for little: `select_fields` and $top. Collections come as a JSON array; when the text says \
\"This is not all\", go on with connection and `cursor` alone. `all_pages` fetches further pages by \
itself, up to `max_items`.\n\
- Large answers: `save_to` writes a file in place of showing it; `upload_from` sends one.\n\
- POST to /$batch takes any number of requests; they are split, throttled ones repeated.\n\
- \"sign-in needed\": show the user the code and the URL, wait until they say they are done, then \
repeat exactly the same call.\n\
- \"not sent; it must be confirmed first\": show the preview to the user; only when they agree to \
exactly that repeat the call with `confirmation`. \"waiting for a person\": ask the user to run the \
command that is named, then repeat the call.\n\
- Calls change real tenants. Ask the user before anything that deletes, sends or grants.";

/// The tool.
pub(super) fn graph_request() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "connection": {"type": "string", "description": "Name of the connection, as the list of connections has it. There is no default."},
            "endpoint": {"type": "string", "description": "Path with query, such as /users?$top=5 or /me/drive/root:/a b.txt:/content; /v1.0 where no version is given."},
            "method": {"type": "string", "enum": ["GET", "POST", "PATCH", "PUT", "DELETE"], "default": "GET", "description": "How it is called."},
            "body": {"type": ["object", "array", "string"], "description": "What is sent: JSON, or a text as it is (with its Content-Type in headers)."},
            "resource": {"type": "string", "enum": ["graph", "flow"], "default": "graph", "description": "graph: Microsoft Graph. flow: Power Automate (unsupported by Microsoft)."},
            "confirmation": {"type": "string", "description": "The code of an answer that asked for a confirmation. Set it only when the user has agreed to exactly what that answer showed, and repeat exactly that call."},
            "confirmed": {"type": "boolean", "description": "Confirms nothing by itself: use confirmation."},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}, "description": "ConsistencyLevel, Prefer, If-Match, If-None-Match, Content-Type, Accept-Language; no others."},
            "query": {"type": "object", "description": "Query options, not encoded, such as {\"$filter\": \"displayName eq 'A & B'\", \"$top\": 5}."},
            "all_pages": {"type": "boolean", "default": false, "description": "Fetch further pages too, up to max_items."},
            "max_items": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1000, "description": "Most items of one answer."},
            "select_fields": {"type": "array", "items": {"type": "string"}, "description": "Properties that are wanted, such as [\"id\", \"displayName\"]."},
            "cursor": {"type": "string", "description": "Where an earlier answer goes on: its cursor, as it is, with the connection and nothing else."},
            "save_to": {"type": "string", "description": "A relative path: the answer is written there, below the directory of --files-dir. Nothing is overwritten."},
            "upload_from": {"type": "string", "description": "A relative path of a file below that directory, which is sent; large ones to a drive through an upload session. Where the endpoint ends in /createUploadSession, `body` may describe the session."}
        },
        "additionalProperties": false
    });
    let annotations = ToolAnnotations::from_raw(
        Some("Call Microsoft Graph".to_owned()),
        Some(false),
        Some(true),
        Some(false),
        Some(true),
    );
    Tool::new("graph_request", GRAPH, object(input))
        .with_title("Call Microsoft Graph")
        .with_raw_output_schema(object(answer()))
        .with_annotations(annotations)
}

fn answer() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let object = json!({"type": "object"});
    let connections = json!({"type": "array", "items": {
        "type": "object",
        "properties": {"name": text, "tenant": text, "description": text, "expected_account": text},
        "required": ["name"]
    }});
    json!({
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["success", "auth_required", "confirmation_required", "error"]},
            "connection": text, "tenant": text, "authenticated_as": text, "service": text,
            "method": text, "endpoint": text, "http_status": count,
            "format": {"type": "string", "enum": ["json", "text", "csv", "html"]},
            "output": text, "items": count, "items_so_far": count, "total_items": count,
            "cursor": text, "stopped": text, "partial": {"type": "boolean"},
            "delta_endpoint": text, "operation_endpoint": text, "beside": object, "file": object,
            "preview": text, "confirmation": object, "device_code": text, "auth_url": text, "expires_in": count,
            "expected_account": text, "message": text, "error": text, "code": text,
            "request_id": text,
            "connections": connections
        },
        "required": ["status"]
    })
}
