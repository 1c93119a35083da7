//! What goes over HTTP between the pool and its clients. The original's keys are a contract; later
//! ones are only added.

pub mod router;
mod sign_in;
mod status;
mod totals;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::format::FormatName;
use super::job::{JobId, JobState};
use super::module::Module;
use super::paging::Message;
use super::policy::{ConfirmationRequest, RuleHit};
use super::record::{ErrorRecord, Progress};

#[cfg(feature = "server")]
use utoipa::ToSchema;

pub use sign_in::{
    SessionSignIn, SignInAnswer, SignInRequest, SignOutAnswer, SignOutFailure, SignOutRequest,
};
pub use status::{SessionStatus, SharedUserId, StatusAnswer};
pub use totals::{KeepaliveTotals, PoolTotals};

/// Body of `POST /run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Name of the connection in the registry. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = false, min_length = 1))]
    pub connection: Option<String>,
    /// `exo`, `pnp`, `azure` or `teams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Module, required = true))]
    pub module: Option<String>,
    /// For `pnp`: `admin`, a site's URL, or nothing for the tenant's root site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "server",
        schema(
            pattern = "^(|admin|https://([a-z0-9]+(-[a-z0-9]+)*\\.)+[a-z]{2,}(/[A-Za-z0-9._~-]+)*/?)$"
        )
    )]
    pub site: Option<String>,
    /// The PowerShell to run: one command or a whole script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = true, pattern = r"\S"))]
    pub command: Option<String>,
    /// Who asks, as the caller names itself, in at most 256 characters.
    #[cfg_attr(feature = "server", schema(max_length = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// Form of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatName>,
    /// Columns of the text form, 20 to 4,096.
    #[serde(
        default,
        deserialize_with = "whole_number",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "server", schema(minimum = 20, maximum = 4096))]
    pub width: Option<u16>,
    /// Levels of the JSON form, 1 to 100.
    #[serde(
        default,
        deserialize_with = "whole_number",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 100))]
    pub depth: Option<u8>,
    /// Seconds the command may run, 1 to 3,600; then it is stopped.
    #[serde(
        default,
        deserialize_with = "whole_number",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 3600))]
    pub timeout_seconds: Option<u32>,
    /// Seconds this request waits for the job, 0 to 3,600; until it is done where left out.
    #[serde(
        default,
        deserialize_with = "whole_number",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "server", schema(minimum = 0, maximum = 3600))]
    pub wait_seconds: Option<u32>,
    /// Most characters of one answer, 200 to 10,000,000.
    #[serde(
        default,
        deserialize_with = "whole_number",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "server", schema(minimum = 200, maximum = 10_000_000))]
    pub max_characters: Option<u64>,
    /// The code of an answer with status `confirmation_required`, to the very same command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// Confirms nothing, except where the pool runs with `MM_SEND_GUARDS=legacy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnswerStatus {
    /// The command ran to its end.
    Success,
    /// The job has not ended; ask for it by its id.
    Running,
    /// A person has to sign in; then send the same command again.
    AuthRequired,
    /// The policy refused the command; `rules` say why, and what to do instead.
    Blocked,
    /// Somebody has to say yes first; see `confirmation`.
    ConfirmationRequired,
    /// The command failed, was cancelled, ran out of time or was lost.
    Error,
}

/// Answer of `POST /run` and `GET /jobs/{id}`: what became of a job, and one page of its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobAnswer {
    /// How to read this answer.
    pub status: AnswerStatus,
    /// The job's id.
    pub job: JobId,
    /// The job's state.
    pub state: JobState,
    /// The connection it ran on.
    pub connection: String,
    /// The tenant of that connection, as the registry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The module it ran on.
    pub module: Module,
    /// The session it ran in.
    pub session_id: String,
    /// Form of `output`.
    pub format: FormatName,
    /// This page's output. Text pages go behind one another as they are; a JSON page is an array
    /// of its own.
    pub output: String,
    /// Errors on this page.
    pub errors: Vec<ErrorRecord>,
    /// Warnings on this page.
    pub warnings: Vec<String>,
    /// Other messages on this page (format `json`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// Errors of the whole job so far.
    pub error_count: u64,
    /// Warnings of the whole job so far.
    pub warning_count: u64,
    /// Where to go on, where there is more or may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Characters behind this page, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_characters: Option<u64>,
    /// The page ends inside a line, or is a fragment of an element: the next one goes on there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    /// The job ended in an earlier life of the pool, and its output is gone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub output_lost: bool,
    /// Why it failed and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A stable word for that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The rules of the policy that stopped it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleHit>,
    /// The yes that it waits for (status `confirmation_required`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<ConfirmationRequest>,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// The code to enter (status `auth_required`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// Where to enter it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// What a person has to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds until the code ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The account that is expected to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_account: Option<String>,
    /// Whose command asked for the code, where it named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Why a sign-in is needed again, where there was one before or should have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far a running command says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When the job was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When its command began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub finished_at: Option<Timestamp>,
}

/// One line of `GET /jobs`: a job without its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobSummary {
    /// The job's id.
    pub job: JobId,
    /// The job's state.
    pub state: JobState,
    /// The connection.
    pub connection: String,
    /// The module.
    pub module: Module,
    /// The session.
    pub session_id: String,
    /// The tenant of that connection, as the registry named it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who asked, as the caller named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When its command began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub finished_at: Option<Timestamp>,
    /// The caller's trace, where the request named one: 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Characters of output so far.
    pub characters: u64,
}

/// Answer of `GET /jobs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobList {
    /// The jobs that are still known, newest first.
    pub jobs: Vec<JobSummary>,
}

/// One connection in `GET /connections`: nothing that is worth stealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ConnectionInfo {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tenant's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Modules it can be used with.
    pub modules: Vec<Module>,
}

/// Answer of `GET /connections`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ConnectionList {
    /// By name.
    pub connections: BTreeMap<String, ConnectionInfo>,
}

/// Body of `POST /reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The connection whose sessions end. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = false, min_length = 1))]
    pub connection: Option<String>,
    /// Only this module's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<Module>))]
    pub module: Option<String>,
}

/// Answer of `POST /reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ResetAnswer {
    /// Always success.
    pub status: AnswerStatus,
    /// Ids of the sessions that ended.
    pub reset: Vec<String>,
    /// How many.
    pub count: usize,
}

/// Answer of `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct Health {
    /// Always `healthy`: a pool that is not does not answer.
    pub status: String,
    /// Now.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub timestamp: Timestamp,
}

/// One event of `GET /jobs/{id}/events`, as the HTML standard has server-sent events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobEvent {
    /// The `type` of a record (output, json, piece, error, warning, verbose, debug, information, progress,
    /// console), or `end`, or `broken_off`.
    pub event: String,
    /// The cursor behind it: what to send as `Last-Event-ID`.
    pub id: String,
    /// JSON: the record; at the end the job's answer without output; where the events broke off,
    /// the refusal.
    pub data: String,
}

/// Body of every 4xx and 5xx answer: no job was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct Refusal {
    /// Always error.
    pub status: AnswerStatus,
    /// What happened and what to do.
    pub error: String,
    /// A stable word for it.
    pub code: String,
}

/// A whole number, also one written as `30.0`: JSON has one kind of numbers (RFC 8259, section 6), and
/// some languages write them so.
fn whole_number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    whole(&number)
        .and_then(|whole| T::try_from(whole).ok())
        .map(Some)
        .ok_or_else(|| {
            let largest = u64::MAX >> (64 - 8 * size_of::<T>());
            D::Error::custom(format!(
                "{number} is not a whole number from 0 to {largest}"
            ))
        })
}

/// The integer that a number of JSON is, if it is one and not negative: `2.0` is as good as `2` (JSON
/// Schema 2020-12, section 6.1.1).
pub fn whole(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| number.as_f64().and_then(exact))
}

/// The integer that a floating-point number is, if it is one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and below 2^53 every integer is exact"
)]
fn exact(number: f64) -> Option<u64> {
    let range = 0.0..9_007_199_254_740_992.0;
    (range.contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

fn is_false(value: &bool) -> bool {
    !value
}
