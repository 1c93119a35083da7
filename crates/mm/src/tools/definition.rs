//! What the server and its tools say about themselves: the only thing an assistant knows of them.

use std::sync::Arc;

use rmcp::model::{
    Implementation, JsonObject, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use serde_json::{Value, json};

use super::graph_definition;

/// For the assistant, about the whole.
const INSTRUCTIONS: &str = "Microsoft 365 administration over long-lived PowerShell sessions: \
Exchange Online (exo), SharePoint (pnp), Azure (azure), Teams (teams); and Microsoft Graph by `graph_request`. Call `run` without arguments \
first, to see which connections (tenants) there are. Every answer begins with the connection and \
tenant it is about: check that it is the tenant the user means before anything that changes data. \
When an answer says that sign-in is needed, show the code and the URL to the user and stop; when \
they are done, repeat the same call. When an answer says that a job goes on, do not send the \
command again: call `job` with its id.";

const RUN: &str = "Run PowerShell on a Microsoft 365 connection, in a session that stays signed in \
and keeps its variables from call to call. Without arguments: lists the connections with their \
tenants, modules and sign-in state; begin there.\n\
\n\
- The answer begins with connection, tenant and module. Read them before you act on the rest.\n\
- `command` is one command or a whole script, with the module's own cmdlets: exo Get-Mailbox, \
Get-EXOMailbox; pnp Get-PnPTenantSite, Get-PnPList; azure Get-AzResource, Invoke-AzRestMethod; teams \
Get-Team, Get-CsOnlineUser. Connecting is done for you: do not call Connect-* cmdlets.\n\
- Ask for little: select the properties you need and use -ResultSize or Select-Object -First. Long \
answers come in pages; the text says how to get the next one with `job`.\n\
- format \"json\" gives the objects as a JSON array, for what you want to compute with; the default \
is what a person would see at a console.\n\
- \"sign-in needed\": show the user the code and the URL, wait until they say they are done, then \
repeat exactly the same call. The command has not run and will not run by itself.\n\
- \"still running\": the command goes on and is not lost. Do not repeat it; call `job` with the id.\n\
- \"blocked\": the policy refuses the command; nothing has run. The answer says what to do instead. Do \
not look for a way around it: tell the user.\n\
- \"confirmation required\": nothing has run. Show the user the preview. With a code: when they \
agree, repeat exactly the same call with it as `confirmation`. Without: a person has to confirm it \
outside this conversation; wait until they say so, then repeat the call.\n\
- Commands change real tenants. Ask the user before anything that deletes, sends or grants.";

const JOB: &str = "Look after a command that `run` left running, or read on in a long answer. \
`id` is the job id of an earlier answer, also from another conversation or process.\n\
\n\
- {\"id\"}: waits up to 45 s for the end and answers with the output from its beginning.\n\
- {\"id\", \"cursor\"}: the next page, with the cursor that the last page named; on a running job \
waits for more.\n\
- {\"id\", \"cancel\": true}: stops the command and answers when it has ended; not together with \
cursor. What it has changed stays changed. The session stays signed in and keeps its variables; \
only where the command does not stop within seconds its PowerShell process is ended, and sign-in \
and variables with it. Later commands in the queue are not touched.\n\
- Without arguments: lists the jobs that are still known, newest first (results are kept for an \
hour), for when an answer never arrived. {\"cursor\"} alone: the next page of that list.";

/// The server: name, version, what it can do.
pub(crate) fn server() -> ServerConfig {
    let capabilities = ServerCapabilities::builder().enable_tools().build();
    ServerConfig::new(with_tasks(capabilities))
        .with_server_info(
            Implementation::new("mm", env!("CARGO_PKG_VERSION"))
                .with_title("Microsoft Master")
                .with_description("Microsoft 365 administration over PowerShell"),
        )
        .with_instructions(INSTRUCTIONS)
}

fn with_tasks(mut capabilities: ServerCapabilities) -> ServerCapabilities {
    capabilities.extensions.get_or_insert_default().insert(
        rmcp::model::TASKS_EXTENSION_ID.to_owned(),
        JsonObject::new(),
    );
    capabilities
}

/// The tools, in a fixed order.
pub(crate) fn tools() -> Vec<Tool> {
    vec![run(), job(), graph_definition::graph_request()]
}

fn run() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "connection": {"type": "string", "description": "Name of the connection, as the list of connections has it. There is no default."},
            "module": {"type": "string", "enum": ["exo", "pnp", "azure", "teams"], "description": "exo: Exchange Online. pnp: SharePoint. azure: Azure resources. teams: Microsoft Teams."},
            "site": {"type": "string", "description": "Only for pnp: \"admin\" for tenant administration, or a site's URL; the tenant's root site where left out."},
            "command": {"type": "string", "description": "PowerShell: a command, a pipeline or a script of many lines."},
            "confirmation": {"type": "string", "description": "The code of an answer that asked for a confirmation. Set it only when the user has agreed to exactly what that answer showed, and repeat exactly that call."},
            "confirmed": {"type": "boolean", "description": "Confirms nothing by itself: use confirmation."},
            "format": {"type": "string", "enum": ["text", "json"], "default": "text", "description": "text: as at a console. json: the objects, with errors and warnings apart."},
            "wait_seconds": {"type": "integer", "minimum": 0, "maximum": 3600, "default": 45, "description": "Seconds this call waits; then the command goes on as a job and the answer names its id. 0 answers at once."},
            "timeout_seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 300, "description": "Seconds after which the command is stopped."}
        },
        "additionalProperties": false
    });
    let annotations = ToolAnnotations::from_raw(
        Some("Run Microsoft 365 PowerShell".to_owned()),
        Some(false),
        Some(true),
        Some(false),
        Some(true),
    );
    Tool::new("run", RUN, object(input))
        .with_title("Run Microsoft 365 PowerShell")
        .with_raw_output_schema(object(answer(json!({"connections": connections()}))))
        .with_annotations(annotations)
}

fn job() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The job's id, as an earlier answer has it."},
            "cursor": {"type": "string", "description": "Where to read on: the cursor of the last page, as it is. With id: of the job's output; without: of the list of jobs."},
            "wait_seconds": {"type": "integer", "minimum": 0, "maximum": 3600, "default": 45, "description": "Seconds this call waits: for the job's end, or with a cursor for more output."},
            "cancel": {"type": "boolean", "default": false, "description": "Stop the command, not the session. Waits until it has ended."}
        },
        "additionalProperties": false
    });
    // It reads results and may stop what runs; it cannot reach a tenant itself.
    let annotations = ToolAnnotations::from_raw(
        Some("Follow or cancel a running command".to_owned()),
        Some(false),
        Some(false),
        Some(true),
        Some(false),
    );
    Tool::new("job", JOB, object(input))
        .with_title("Follow or cancel a running command")
        .with_raw_output_schema(object(answer(json!({
            "jobs": jobs(),
            "job_count": {"type": "integer", "minimum": 0},
            "remaining_jobs": {"type": "integer", "minimum": 0}
        }))))
        .with_annotations(annotations)
}

/// The schema of an answer: what the pool says of a job, or a list.
fn answer(list: Value) -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let time = json!({"type": "string", "format": "date-time"});
    let mut properties = json!({
        "status": {"type": "string", "enum": ["success", "running", "auth_required", "confirmation_required", "blocked", "error"]},
        "job": text, "state": text, "connection": text, "tenant": text, "module": text,
        "session_id": text, "format": {"type": "string", "enum": ["text", "json"]},
        "output": text,
        "errors": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "messages": {"type": "array", "items": {"type": "object"}},
        "error_count": count, "warning_count": count,
        "cursor": text, "remaining_characters": count,
        "partial": {"type": "boolean"}, "output_lost": {"type": "boolean"},
        "error": text, "code": text, "authenticated_as": text,
        "device_code": text, "auth_url": text, "message": text, "expires_in": count,
        "expected_account": text, "asked_by": text, "reason": text, "progress": {"type": "object"},
        "rules": {"type": "array", "items": {"type": "object"}},
        "confirmation": {"type": "object"},
        "created_at": time, "started_at": time, "finished_at": time
    });
    if let (Value::Object(properties), Value::Object(list)) = (&mut properties, list) {
        properties.extend(list);
    }
    json!({"type": "object", "properties": properties, "required": ["status"]})
}

fn connections() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "description": {"type": "string"},
                "tenant": {"type": "string"},
                "modules": {"type": "array", "items": {"type": "string"}},
                "sessions": {"type": "array", "items": {"type": "object"}}
            },
            "required": ["name", "modules", "sessions"]
        }
    })
}

fn jobs() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "job": {"type": "string"},
                "state": {"type": "string"},
                "connection": {"type": "string"},
                "tenant": {"type": "string"},
                "module": {"type": "string"},
                "trace_id": {"type": "string"}
            },
            "required": ["job", "state", "connection", "module"]
        }
    })
}

pub(super) fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(object) => Arc::new(object),
        // The schemas above are objects; anything else would be an empty schema, which is valid.
        _ => Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use session_pool::domain::wire::AnswerStatus;

    use super::*;

    #[test]
    fn the_schemas_have_every_status_that_the_pool_answers() {
        use AnswerStatus::{AuthRequired, Blocked, ConfirmationRequired, Error, Running, Success};
        for status in [
            Success,
            Running,
            AuthRequired,
            ConfirmationRequired,
            Blocked,
            Error,
        ] {
            // A new one has to be listed above, or this does not compile.
            match status {
                Success | Running | AuthRequired | ConfirmationRequired | Blocked | Error => {}
            }
            for tool in [run(), job()] {
                let schema = tool.output_schema.unwrap();
                let listed = schema["properties"]["status"]["enum"].as_array().unwrap();
                assert!(
                    listed.contains(&serde_json::to_value(status).unwrap()),
                    "{status:?}"
                );
            }
        }
    }

    #[test]
    fn the_schemas_name_the_arguments_that_are_read() {
        for (tool, arguments) in [
            (run(), &super::super::run::ARGUMENTS[..]),
            (job(), &super::super::job::ARGUMENTS[..]),
            (
                graph_definition::graph_request(),
                &super::super::graph::ARGUMENTS[..],
            ),
        ] {
            let mut named: Vec<&str> = tool.input_schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let mut read = arguments.to_vec();
            named.sort_unstable();
            read.sort_unstable();
            assert_eq!(named, read, "{}", tool.name);
        }
    }
}
