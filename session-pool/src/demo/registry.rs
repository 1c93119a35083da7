//! The two made-up tenants, and the registry that a demo server starts with.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What Rust needs of a made-up tenant; the PowerShell modules read the rest of the same file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoTenant {
    /// The connection's name, also the last part of the session's home by which the modules know
    /// whose tenant a connect command without one means.
    pub name: String,
    /// The organisation's name.
    pub display_name: String,
    /// The mail domain, under a reserved top-level domain.
    pub domain: String,
    /// The Entra tenant id.
    pub tenant_id: String,
    /// The account that signs in, which is what the registry expects.
    pub admin: String,
    /// Another account of the same tenant, for the sign-in behaviour `other_account`.
    pub other_account: String,
    /// The label in front of `.sharepoint.com`.
    pub share_point_host: String,
    /// The application id for `Connect-PnPOnline -ClientId`.
    pub app_id: String,
    /// One line for people.
    pub description: String,
}

/// The tenants of the demo, from the file that its PowerShell modules read as well.
///
/// # Errors
/// Only if the embedded file is broken, which a test rules out.
pub fn tenants() -> Result<Vec<DemoTenant>, serde_json::Error> {
    serde_json::from_str(include_str!("modules/DemoTenant/tenants.json"))
}

/// The text of the demo's `~/.m365-connections.json`: one connection a tenant. `cloud` says where
/// the stand-ins for Entra and Graph are; null leaves it out.
///
/// # Errors
/// As [`tenants`].
pub fn registry_json(cloud: &Value) -> Result<String, serde_json::Error> {
    let connections: Map<String, Value> = tenants()?
        .into_iter()
        .map(|tenant| {
            let entry = json!({
                "description": tenant.description,
                "tenant": tenant.domain,
                "tenantId": tenant.tenant_id,
                "expectedEmail": tenant.admin,
                "sharepoint_host": tenant.share_point_host,
                "appId": tenant.app_id,
                "cloud": cloud,
            });
            (tenant.name, entry)
        })
        .collect();
    serde_json::to_string_pretty(&json!({ "connections": connections }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::domain::{module::Module, registry::Registry};

    #[test]
    fn the_embedded_tenants_are_two_and_differ_in_all_that_identifies_them() {
        let tenants = tenants().unwrap();
        let [one, other] = tenants.as_slice() else {
            panic!("two tenants, not {}", tenants.len())
        };
        assert_ne!(one.name, other.name);
        assert_ne!(one.tenant_id, other.tenant_id);
        assert_ne!(one.domain, other.domain);
        assert_ne!(one.app_id, other.app_id);
    }

    #[test]
    fn the_registry_names_what_each_module_needs() {
        let registry: Value = serde_json::from_str(&registry_json(&json!({})).unwrap()).unwrap();
        for key in [
            "tenant",
            "tenantId",
            "expectedEmail",
            "appId",
            "sharepoint_host",
        ] {
            assert!(registry["connections"]["contoso"][key].is_string(), "{key}");
            assert!(
                registry["connections"]["fabrikam"][key].is_string(),
                "{key}"
            );
        }
    }

    #[test]
    fn the_registry_is_one_that_the_pool_accepts() {
        let registry = Registry::parse(&registry_json(&json!({})).unwrap()).unwrap();
        let names: Vec<_> = registry
            .connections()
            .map(|connection| connection.name.as_str().to_owned())
            .collect();
        assert_eq!(names, ["contoso", "fabrikam"]);
        for connection in registry.connections() {
            for module in Module::ALL {
                connection.check(module).unwrap();
            }
        }
    }
}
