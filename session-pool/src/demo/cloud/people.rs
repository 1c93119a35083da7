//! The tenants' people, groups and sites: the same ones that the PowerShell modules show.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// One made-up tenant with its directory.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) domain: String,
    pub(super) id: String,
    pub(super) admin: String,
    pub(super) sharepoint: String,
    pub(super) users: Vec<Value>,
    pub(super) groups: Vec<Value>,
    pub(super) sites: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    display_name: String,
    domain: String,
    tenant_id: String,
    admin: String,
    share_point_host: String,
    people: usize,
    sites: usize,
    teams: usize,
    first_names: Vec<String>,
    last_names: Vec<String>,
    departments: Vec<String>,
    offices: Vec<String>,
}

/// The tenants of the demo, with this many people each where that is given.
pub(super) fn tenants(people: Option<usize>) -> Result<Vec<Tenant>, serde_json::Error> {
    let sources: Vec<Source> =
        serde_json::from_str(include_str!("../modules/DemoTenant/tenants.json"))?;
    Ok(sources
        .into_iter()
        .map(|source| source.made(people))
        .collect())
}

impl Source {
    fn made(self, people: Option<usize>) -> Tenant {
        let mut users = vec![self.user(None, &self.admin, "Demo", "Administrator", "IT")];
        // The same people in the same order as `Get-DemoPeople` in Data.ps1 makes.
        let mut seen = std::collections::BTreeMap::<String, u32>::new();
        for index in 0..people.unwrap_or(self.people) {
            let firsts = self.first_names.len().max(1);
            let given = nth(&self.first_names, index);
            let family = nth(&self.last_names, index / firsts + index);
            let mut alias = format!("{given}.{family}").to_lowercase();
            let count = seen.entry(alias.clone()).or_default();
            *count += 1;
            if *count > 1 {
                alias = format!("{alias}{count}");
            }
            let mail = format!("{alias}@{}", self.domain);
            let department = nth(&self.departments, index);
            users.push(self.user(Some(index), &mail, given, family, department));
        }
        let groups = (0..self.teams).map(|index| self.group(index)).collect();
        let sites = (0..self.sites).map(|index| self.site(index)).collect();
        Tenant {
            users,
            groups,
            sites,
            name: self.name,
            display_name: self.display_name,
            domain: self.domain,
            id: self.tenant_id,
            admin: self.admin,
            sharepoint: self.share_point_host,
        }
    }

    fn user(
        &self,
        index: Option<usize>,
        mail: &str,
        given: &str,
        family: &str,
        department: &str,
    ) -> Value {
        json!({
            "id": guid(&self.tenant_id, "object", mail),
            "displayName": format!("{given} {family}"),
            "givenName": given,
            "surname": family,
            "userPrincipalName": mail,
            "mail": mail,
            "department": department,
            "officeLocation": nth(&self.offices, index.unwrap_or_default()),
            "accountEnabled": index.is_none_or(|index| index % 37 != 36),
            "jobTitle": Value::Null,
            "businessPhones": [],
        })
    }

    /// The teams' groups, as `Get-Team` shows them.
    fn group(&self, index: usize) -> Value {
        let department = nth(&self.departments, index);
        let name = if index < self.departments.len() {
            format!("{department} Team")
        } else {
            format!("{department} Project {}", index + 1)
        };
        let nick: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        json!({
            "id": guid(&self.tenant_id, "team", &name),
            "displayName": name,
            "mailNickname": nick,
            "mail": format!("{nick}@{}", self.domain),
            "groupTypes": ["Unified"],
            "mailEnabled": true,
            "securityEnabled": false,
            "visibility": if index.is_multiple_of(3) { "Public" } else { "Private" },
        })
    }

    /// The sites, as `Get-PnPTenantSite` shows them.
    fn site(&self, index: usize) -> Value {
        let host = format!("{}.sharepoint.com", self.share_point_host);
        let department = nth(&self.departments, index);
        let (name, title, url) = if index == 0 {
            (
                String::new(),
                self.display_name.clone(),
                format!("https://{host}"),
            )
        } else {
            let name = format!("{department}{index:02}");
            let url = format!("https://{host}/sites/{name}");
            (name, format!("{department} {index}"), url)
        };
        let id = guid(&self.tenant_id, "site", &url);
        let web = guid(&self.tenant_id, "web", &url);
        json!({
            "id": format!("{host},{id},{web}"),
            "name": name,
            "displayName": title,
            "webUrl": url,
        })
    }
}

fn nth(names: &[String], index: usize) -> &str {
    names
        .get(index % names.len().max(1))
        .map_or("", String::as_str)
}

/// The same guid for the same tenant, kind and key, everywhere and always; `New-DemoGuid` in Data.ps1
/// makes the same.
pub(super) fn guid(tenant: &str, kind: &str, key: &str) -> String {
    let digest = Sha256::digest(format!("{tenant}/{kind}/{key}"));
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    Uuid::from_bytes(bytes).to_string()
}

impl Tenant {
    /// A user by id or sign-in name; `None` where there is none such.
    pub(super) fn user(&self, key: &str) -> Option<&Value> {
        self.users.iter().find(|user| {
            ["id", "userPrincipalName"].iter().any(|name| {
                user.get(*name)
                    .and_then(Value::as_str)
                    .is_some_and(|own| own.eq_ignore_ascii_case(key))
            })
        })
    }
}
