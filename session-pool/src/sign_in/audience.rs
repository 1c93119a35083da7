//! Whom a token is for, and which permissions it is to carry.

use crate::domain::registry::{Connection, Scope};
use uuid::Uuid;

/// The service that a token is presented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Microsoft Graph.
    Graph,
    /// Power Automate.
    Flow,
}

/// Scopes of OpenID Connect and OAuth itself; they say nothing about a service.
const OF_THE_PROTOCOL: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Audience {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Flow => "Power Automate",
        }
    }

    /// The app registration that signs in for it.
    pub(super) fn app(self, connection: &Connection) -> Option<Uuid> {
        let own = match self {
            Self::Graph => connection.graph_app,
            Self::Flow => connection.flow_app,
        };
        own.or(connection.app_id)
    }

    /// The base of its scopes, such as `https://graph.microsoft.com`.
    fn resource(self, connection: &Connection) -> &str {
        match self {
            Self::Graph => connection.cloud.graph_audience(),
            Self::Flow => connection.cloud.flow_audience(),
        }
    }

    /// The scopes that a token for it must carry.
    pub(super) fn scopes(self, connection: &Connection) -> Wanted {
        let resource = self.resource(connection).to_owned();
        let apps = connection.authentication.is_app_only();
        let named: &[Scope] = match self {
            Self::Graph if !apps => &connection.scopes,
            // An app has what it was granted: its scope is always `.default`.
            Self::Graph | Self::Flow => &[],
        };
        let scopes = if named.is_empty() {
            vec![format!("{resource}/.default")]
        } else {
            named
                .iter()
                .map(|scope| scope.as_str().to_owned())
                .collect()
        };
        Wanted { resource, scopes }
    }

    /// What marks its pending sign-in's file.
    pub(super) const fn flow_suffix(self) -> &'static str {
        match self {
            Self::Graph => "",
            Self::Flow => "-flow",
        }
    }
}

/// The scopes that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    resource: String,
    scopes: Vec<String>,
}

impl Wanted {
    /// As sent with a person's sign-in: with what makes Entra say who signed in, and give a
    /// refresh token.
    pub(super) fn delegated(&self) -> String {
        format!("{} openid profile offline_access", self.scopes.join(" "))
    }

    /// As sent by an app.
    pub(super) fn app_only(&self) -> String {
        self.scopes.join(" ")
    }

    /// The scopes for people, as they are named in consents.
    pub(super) fn names(&self) -> String {
        self.scopes.join(", ")
    }

    /// Whether a token whose scopes are these (separated by spaces) will do.
    pub(super) fn is_met_by(&self, target: &str) -> bool {
        let granted: Vec<String> = target
            .split_whitespace()
            .filter(|scope| !OF_THE_PROTOCOL.contains(scope))
            .map(|scope| self.qualified(scope))
            .collect();
        let mut wanted = self.scopes.iter().map(|scope| self.qualified(scope));
        wanted.all(|scope| match scope.strip_suffix("/.default") {
            Some(resource) => granted.iter().any(|own| {
                own.strip_prefix(resource)
                    .is_some_and(|rest| rest.starts_with('/'))
            }),
            None => granted.contains(&scope),
        })
    }

    /// In lower case and with the service in front; Entra leaves it out for Graph alone.
    fn qualified(&self, scope: &str) -> String {
        let scope = scope.to_ascii_lowercase();
        if scope.contains("://") {
            // `https://service.flow.microsoft.com//.default` is the same service.
            return scope.replace("//.default", "/.default");
        }
        let graph = if self.resource.contains("graph") {
            self.resource.as_str()
        } else {
            "https://graph.microsoft.com"
        };
        format!("{graph}/{scope}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(resource: &str, scopes: &[&str]) -> Wanted {
        Wanted {
            resource: resource.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    #[test]
    fn a_token_will_do_when_it_carries_what_is_wanted() {
        let graph = "https://graph.microsoft.com";
        let flow = "https://service.flow.microsoft.com";
        for (resource, scopes, target, met) in [
            (graph, vec!["Mail.Read"], "Mail.Read User.Read", true),
            (
                graph,
                vec!["mail.read"],
                "https://graph.microsoft.com/Mail.Read openid",
                true,
            ),
            (graph, vec!["Mail.Send"], "Mail.Read User.Read", false),
            (
                graph,
                vec!["https://graph.microsoft.com/.default"],
                "User.Read profile",
                true,
            ),
            (
                graph,
                vec!["https://graph.microsoft.com/.default"],
                "openid profile",
                false,
            ),
            (
                graph,
                vec!["https://graph.microsoft.com/.default"],
                "https://service.flow.microsoft.com//Flows.Read.All",
                false,
            ),
            (
                flow,
                vec!["https://service.flow.microsoft.com/.default"],
                "https://service.flow.microsoft.com//.default",
                true,
            ),
            (
                flow,
                vec!["https://service.flow.microsoft.com/.default"],
                "User.Read",
                false,
            ),
        ] {
            assert_eq!(
                wanted(resource, &scopes).is_met_by(target),
                met,
                "{scopes:?} by {target:?}"
            );
        }
    }
}
