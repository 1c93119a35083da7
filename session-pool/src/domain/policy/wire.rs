//! What goes over HTTP about policies.

use serde::{Deserialize, Serialize};

use crate::domain::audit::ConfirmedHow;

use super::decision::{ConfirmBy, Decision, RuleHit, Verdict};

/// Body of `POST /policy/check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// Name of the connection in the registry. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = false, min_length = 1))]
    pub connection: Option<String>,
    /// `exo`, `pnp`, `azure` or `teams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = crate::domain::module::Module, required = true))]
    pub module: Option<String>,
    /// The PowerShell that is to be explained; it is not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = String, required = true, pattern = r"\S"))]
    pub command: Option<String>,
}

/// Answer of `POST /policy/check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CheckAnswer {
    /// The strictest of the rules' decisions.
    pub decision: Decision,
    /// Every rule that the command meets.
    pub rules: Vec<RuleHit>,
}

impl From<Verdict> for CheckAnswer {
    fn from(verdict: Verdict) -> Self {
        Self {
            decision: verdict.decision,
            rules: verdict.rules,
        }
    }
}

/// A yes that a command waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ConfirmationRequest {
    /// What a person names: `session-pool confirm ID`.
    pub id: String,
    /// Who may say yes.
    pub by: ConfirmBy,
    /// What the caller sends as `confirmation` where it may say yes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What would be done, for people.
    pub preview: String,
    /// Seconds until it is too late.
    pub expires_in: u64,
}

/// Body of `POST /confirmations/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// How the person said it, for the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = ConfirmedHow, required = false))]
    pub how: Option<ConfirmedHow>,
}

/// Answer of `POST /confirmations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Confirmed {
    /// The id that was confirmed.
    pub confirmed: String,
}
