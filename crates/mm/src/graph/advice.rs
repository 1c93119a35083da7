//! What to do about Graph's refusals.

use session_pool::domain::nearest::{did_you_mean, nearest};

/// First segments that exist, for those that do not.
const SEGMENTS: [&str; 40] = [
    "admin",
    "appCatalogs",
    "applications",
    "auditLogs",
    "chats",
    "communications",
    "contacts",
    "deviceManagement",
    "devices",
    "directory",
    "directoryObjects",
    "directoryRoles",
    "domains",
    "drives",
    "education",
    "external",
    "groups",
    "identity",
    "identityGovernance",
    "identityProtection",
    "informationProtection",
    "me",
    "organization",
    "oauth2PermissionGrants",
    "places",
    "planner",
    "policies",
    "print",
    "reports",
    "roleManagement",
    "search",
    "security",
    "servicePrincipals",
    "shares",
    "sites",
    "solutions",
    "subscribedSkus",
    "teams",
    "tenantRelationships",
    "users",
];

/// What was refused.
#[derive(Debug)]
pub(crate) struct Refused<'a> {
    pub(crate) status: u16,
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
    /// Path behind the base, such as `/v1.0/users`.
    pub(crate) path: &'a str,
    /// Whether the app itself is signed in, and no person.
    pub(crate) app_only: bool,
}

impl Refused<'_> {
    /// A sentence on what to do.
    pub(crate) fn advice(&self) -> String {
        let says = |words: &str| {
            self.message.to_ascii_lowercase().contains(words)
                || self.code.to_ascii_lowercase().contains(words)
        };
        match self.status {
            400 if says("segment") => self.unknown_segment(),
            400 if says("consistencylevel") || says("unsupportedquery") => {
                "add \"ConsistencyLevel\": \"eventual\" to headers and $count=true to the query"
                    .to_owned()
            }
            400 if self.app_only && says("/me") => {
                "an app has no /me: name the user, as in /users/ada@contoso.com".to_owned()
            }
            400 => "check endpoint, query and body against the documentation of this call".to_owned(),
            401 => "the service does not take the sign-in: run `mm sign-out` and `mm sign-in` for the \
                    connection, then repeat the call"
                .to_owned(),
            403 if says("nonpremium") || says("premium license") || says("license") => {
                "the tenant or the user lacks the license for this (Entra ID P1 or P2 for sign-in logs \
                 and risk); no permission helps"
                    .to_owned()
            }
            403 => self.forbidden(),
            404 if says("mailbox") => {
                "the user exists but has no mailbox in Exchange Online: look at the licenses with \
                 /users/ID/licenseDetails"
                    .to_owned()
            }
            404 => self.not_found(),
            405 => "this resource does not know the method: look at which methods the documentation \
                    names for it"
                .to_owned(),
            409 => "it exists already, or somebody else changed it at the same time: read it again \
                    before you repeat anything"
                .to_owned(),
            412 => "it has changed since it was read: read it again and send its new @odata.etag as \
                    If-Match"
                .to_owned(),
            413 => "it is too large for one request: use upload_from, which makes an upload session"
                .to_owned(),
            423 => "it is locked by somebody: try again later".to_owned(),
            429 => "the service throttles: wait before you repeat the call, and ask for less".to_owned(),
            507 => "the drive's quota is used up".to_owned(),
            500.. => "the service failed; nothing is wrong with the call itself. Repeat a reading call \
                      in a minute; check what a writing one did before you repeat it"
                .to_owned(),
            _ => "look the code up in the documentation of this call".to_owned(),
        }
    }

    fn forbidden(&self) -> String {
        if let Some(scopes) = wanted_scopes(self.message) {
            return format!(
                "the sign-in lacks a permission: one of {scopes} must be granted to the app \
                 registration, then `mm sign-out` and sign in again"
            );
        }
        let kind = if self.app_only {
            "application"
        } else {
            "delegated"
        };
        let role = if self.app_only {
            String::new()
        } else {
            "; or the account lacks the administrator role, which may be assigned but not active in \
             PIM: have it activated, wait five minutes, then `mm sign-out` and sign in again"
                .to_owned()
        };
        format!(
            "either the app registration lacks the {kind} permission that the documentation of this \
             call names (grant it, with an administrator's consent){role}"
        )
    }

    fn unknown_segment(&self) -> String {
        let mut segments = self.path.split('/').filter(|segment| !segment.is_empty());
        let version = segments.next().unwrap_or_default();
        let first = segments.next().unwrap_or_default();
        let question = did_you_mean(&nearest(first, SEGMENTS)).filter(|_| {
            !SEGMENTS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(first))
        });
        match question {
            Some(question) => format!("there is no /{first}: {question}"),
            None if version == "v1.0" => {
                "a part of the path does not exist; what is still in preview is under /beta only"
                    .to_owned()
            }
            None => "a part of the path does not exist: check its spelling".to_owned(),
        }
    }

    /// The nearest thing that is surely true.
    fn not_found(&self) -> String {
        let segments: Vec<&str> = self
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .skip(1)
            .collect();
        match segments.as_slice() {
            ["users", key, ..] if key.contains('@') => {
                "the sign-in works and the tenant was asked, but it has no user of that sign-in name; \
                 it may be a mail alias: try /users?$filter=proxyAddresses/any(p:p eq 'smtp:ADDRESS'), \
                 or /directory/deletedItems/microsoft.graph.user"
                    .to_owned()
            }
            [first @ ("users" | "groups" | "applications"), _, ..] => format!(
                "the sign-in works and the tenant was asked, but it has no such object: search it with \
                 /{first}?$filter=startswith(displayName,'…'), or look in \
                 /directory/deletedItems; an id may be of another tenant"
            ),
            ["sites", ..] => {
                "the sign-in works, but there is no such site, or the account may not see it: try \
                 /sites?search=WORD"
                    .to_owned()
            }
            _ => "the sign-in works, but there is no such resource: list the collection it should be in"
                .to_owned(),
        }
    }
}

/// `… API requires one of 'A, B'. …` and the like.
fn wanted_scopes(message: &str) -> Option<String> {
    let (_, rest) = message
        .split_once("requires one of ")
        .or_else(|| message.split_once("required scopes: "))?;
    let rest = rest.trim_start_matches('\'');
    let end = rest.find(['\'', '.', ';']).unwrap_or(rest.len());
    // A scope has dots in it; only one in front of white space ends the sentence.
    let list = rest.split('\'').next().unwrap_or_default();
    let list = if list.len() > end {
        list
    } else {
        rest.get(..end)?
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || " ,.|".contains(c);
    let list: String = list.chars().take_while(|&c| plain(c)).take(400).collect();
    (!list.trim().is_empty()).then(|| list.trim().trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        for (status, code, message, path, words) in [
            (
                403,
                "Forbidden",
                "Missing scope permissions on the request. API requires one of 'ChannelMessage.Read.All, Group.Read.All'. Scopes on the request 'User.Read'",
                "/v1.0/teams/x",
                "one of ChannelMessage.Read.All, Group.Read.All must",
            ),
            (
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                "/v1.0/directoryRoles",
                "PIM",
            ),
            (
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "x",
                "/v1.0/auditLogs/signIns",
                "license",
            ),
            (
                404,
                "Request_ResourceNotFound",
                "x",
                "/v1.0/users/a@b.c",
                "alias",
            ),
            (
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive",
                "/v1.0/users/x/messages",
                "no mailbox",
            ),
            (
                400,
                "BadRequest",
                "Resource not found for the segment 'user'.",
                "/v1.0/user",
                "did you mean \"users\"",
            ),
            (
                400,
                "Request_UnsupportedQuery",
                "x",
                "/v1.0/users",
                "ConsistencyLevel",
            ),
            (412, "x", "x", "/v1.0/planner/tasks/x", "If-Match"),
        ] {
            let refused = Refused {
                status,
                code,
                message,
                path,
                app_only: false,
            };
            let advice = refused.advice();
            assert!(advice.contains(words), "{status} {code}: {advice}");
        }
    }
}
