//! `POST /sign-in` and `POST /sign-out`.

use serde::{Deserialize, Serialize};

use super::AnswerStatus;
use crate::domain::module::Module;

#[cfg(feature = "server")]
use utoipa::ToSchema;

/// Body of `POST /sign-in`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// Name of the connection in the registry. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = false, min_length = 1))]
    pub connection: Option<String>,
    /// The modules to sign in; all that the connection can be used with where left out. `pnp` is the
    /// tenant's root site, whose sign-in serves its other sites too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<Vec<Module>>))]
    pub modules: Option<Vec<String>>,
    /// Who asks, as the caller names itself, in at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(max_length = 256))]
    pub caller_id: Option<String>,
}

/// Answer of `POST /sign-in`: what became of each module's sign-in so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SignInAnswer {
    /// `auth_required` where a person has to enter at least one code; else `error` where at least one
    /// sign-in failed; else `success`.
    pub status: AnswerStatus,
    /// The sessions, in the order of their modules.
    pub sessions: Vec<SessionSignIn>,
}

/// One session of that answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SessionSignIn {
    /// `success`: somebody is signed in. `auth_required`: a person has to enter the code. `error`: it
    /// failed.
    pub status: AnswerStatus,
    /// The session.
    pub session_id: String,
    /// Its module.
    pub module: Module,
    /// The tenant, as the registry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// Tenant id of the sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The code to enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// Where to enter it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// Seconds until the code ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Who asked for the code first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// The account that is expected to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_account: Option<String>,
    /// What a person has to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it failed and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A stable word for that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Body of `POST /sign-out`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignOutRequest {
    /// Name of the connection. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = false, min_length = 1))]
    pub connection: Option<String>,
    /// The modules to sign out, `pnp` at all its sites; all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<Vec<Module>>))]
    pub modules: Option<Vec<String>>,
}

/// Answer of `POST /sign-out`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SignOutAnswer {
    /// `success`, or `error` where something is left; see `failed`.
    pub status: AnswerStatus,
    /// The sessions in which nobody is signed in any more, by id.
    pub signed_out: Vec<String>,
    /// Modules of which nothing is kept any more in the connection's home.
    pub caches_deleted: Vec<Module>,
    /// What did not work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<SignOutFailure>,
}

/// Something that is left of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SignOutFailure {
    /// Its module.
    pub module: Module,
    /// Why, and what to do.
    pub error: String,
}

impl SignInAnswer {
    /// What became of these sessions, taken together.
    pub fn of(sessions: Vec<SessionSignIn>) -> Self {
        let any = |wanted| sessions.iter().any(|session| session.status == wanted);
        let status = if any(AnswerStatus::AuthRequired) {
            AnswerStatus::AuthRequired
        } else if any(AnswerStatus::Error) {
            AnswerStatus::Error
        } else {
            AnswerStatus::Success
        };
        Self { status, sessions }
    }
}

impl SignOutAnswer {
    /// What it says, for a person who signs this connection out.
    pub fn lines(&self, connection: &str) -> Vec<String> {
        let names: Vec<_> = self.caches_deleted.iter().map(|it| it.as_str()).collect();
        let done = match names.as_slice() {
            [] => None,
            names => Some(format!(
                "{connection}: signed out of {}; nothing is kept of it.",
                names.join(", ")
            )),
        };
        let failed = self.failed.iter().map(|failure| {
            let SignOutFailure { module, error } = failure;
            format!("{connection}, {module}: not signed out: {error}")
        });
        done.into_iter().chain(failed).collect()
    }
}
