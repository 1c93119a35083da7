//! Reads one connection's JSON object, collecting everything that is wrong with it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::auth::{
    Authentication, CertificateFiles, Scope, SecretPath, SecretSource, variable_name,
};
use super::cloud::{endpoints, parse_service_url, sharepoint_suffixes};
use super::{Cloud, Connection, ConnectionName, Problem};
use crate::domain::module::Module;

/// Reads the connection; what is wrong goes to `problems` and is left out of the result.
pub(super) fn read(name: ConnectionName, value: &Value, problems: &mut Vec<Problem>) -> Connection {
    let mut connection = Connection::named(name);
    let Value::Object(object) = value else {
        problems.push(Problem {
            connection: connection.name.to_string(),
            key: None,
            what: "must be an object, such as {\"tenant\": \"contoso.com\"}".to_owned(),
        });
        return connection;
    };
    let mut fields = Fields {
        connection: connection.name.to_string(),
        prefix: "",
        object,
        problems,
    };

    connection.app_id = fields.app_id("appId");
    connection.tenant = fields.checked("tenant", tenant);
    connection.tenant_id = fields.app_id("tenantId");
    connection.delegated_organization = fields.checked("delegatedOrganization", tenant);
    connection.expected_email = fields.checked("expectedEmail", email);
    connection.description = fields.text("description").map(str::to_owned);
    connection.skip_send_guards = fields.flag("skipSendGuards");
    connection.skip_signature_strip = fields.flag("skipSignatureStrip");
    connection.mcps = fields.texts("mcps");
    connection.cloud = fields.cloud("cloud");
    connection.sharepoint_name = fields.sharepoint("sharepoint_host", &connection.cloud);
    if let Some(mut apps) = fields.inner("moduleApps") {
        for module in Module::ALL {
            if let Some(app) = apps.app_id(module.as_str()) {
                connection.module_apps.insert(module, app);
            }
        }
        connection.graph_app = apps.app_id("graph");
        connection.flow_app = apps.app_id("flow");
    }
    connection.scopes = fields.scopes("scopes");
    connection.authentication = fields.authentication();
    connection
}

/// The keys of one object, and where to say what is wrong with them.
struct Fields<'a> {
    connection: String,
    prefix: &'static str,
    object: &'a Map<String, Value>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    fn wrong(&mut self, key: &str, what: &str) {
        let key = if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.prefix)
        };
        self.problems.push(Problem {
            connection: self.connection.clone(),
            key: Some(key),
            what: what.to_owned(),
        });
    }

    /// The key's value; null counts as absent.
    fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Option<&'a str> {
        match self.value(key)? {
            Value::String(text) => Some(text),
            _ => {
                self.wrong(key, "must be a text");
                None
            }
        }
    }

    /// A text that must hold something, made into a value; an empty one counts as absent, as the
    /// original's registry templates have it.
    fn checked<T>(&mut self, key: &str, read: fn(&str) -> Result<T, &'static str>) -> Option<T> {
        let text = self.text(key)?.trim();
        if text.is_empty() {
            return None;
        }
        match read(text) {
            Ok(value) => Some(value),
            Err(what) => {
                self.wrong(key, what);
                None
            }
        }
    }

    fn app_id(&mut self, key: &str) -> Option<Uuid> {
        self.checked(key, guid)
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.value(key) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(key, "must be true or false");
                false
            }
        }
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let texts: Option<Vec<String>> = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.wrong(key, "must be a list of texts");
            Vec::new()
        })
    }

    fn scopes(&mut self, key: &str) -> Vec<Scope> {
        let texts = match self.value(key) {
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            _ => self.texts(key),
        };
        let scopes: Result<Vec<_>, _> = texts.iter().map(|text| Scope::new(text)).collect();
        scopes.unwrap_or_else(|what| {
            self.wrong(key, what);
            Vec::new()
        })
    }

    /// `auth` and what belongs to it. A key that the way of signing in does not use is left for
    /// another time, as templates have it; a secret itself is refused wherever it stands.
    fn authentication(&mut self) -> Authentication {
        for key in ["secret", "clientSecret", "password", "certificatePassword"] {
            if self.value(key).is_some() {
                self.wrong(
                    key,
                    "must not stand in the registry: put it into a file in \
                     ~/.m365-secrets/<safe name>/ and name that as \"secretFile\" or \
                     \"passwordFile\"",
                );
            }
        }
        match self.text("auth").map(str::trim) {
            None | Some("" | "device") => Authentication::Device,
            Some("certificate") => {
                let password = self.checked("passwordFile", SecretPath::new);
                match self.checked("certificateFile", SecretPath::new) {
                    Some(certificate) => Authentication::Certificate(CertificateFiles {
                        certificate,
                        password,
                    }),
                    None => self.missing("certificateFile", "is needed for auth \"certificate\""),
                }
            }
            Some("secret") => {
                let file = self.checked("secretFile", SecretPath::new);
                let variable = self.checked("secretEnv", variable_name);
                match (file, variable) {
                    (Some(file), _) => Authentication::Secret(SecretSource::File(file)),
                    (None, Some(name)) => Authentication::Secret(SecretSource::Variable(name)),
                    (None, None) => self.missing(
                        "secretFile",
                        "is needed for auth \"secret\", or \"secretEnv\"",
                    ),
                }
            }
            Some(_) => self.missing("auth", "must be \"device\", \"certificate\" or \"secret\""),
        }
    }

    /// Says what is missing. The registry as a whole is refused for it, so what is returned is
    /// never used.
    fn missing(&mut self, key: &str, what: &str) -> Authentication {
        self.wrong(key, what);
        Authentication::Device
    }

    fn inner(&mut self, key: &'static str) -> Option<Fields<'_>> {
        let Value::Object(object) = self.value(key)? else {
            self.wrong(key, "must be an object");
            return None;
        };
        let connection = self.connection.clone();
        Some(Fields {
            connection,
            prefix: key,
            object,
            problems: self.problems,
        })
    }

    fn cloud(&mut self, key: &'static str) -> Cloud {
        const NAMES: &str = "must be \"global\", \"usgov\", \"usgovdod\" or \"china\", or an \
                             object of \"login\", \"graph\" and \"flow\" URLs";
        match self.value(key) {
            None => Cloud::Global,
            Some(Value::String(name)) => Cloud::from_name(name).unwrap_or_else(|| {
                self.wrong(key, NAMES);
                Cloud::Global
            }),
            Some(Value::Object(_)) => self.own_cloud(key),
            Some(_) => {
                self.wrong(key, NAMES);
                Cloud::Global
            }
        }
    }

    fn own_cloud(&mut self, key: &'static str) -> Cloud {
        let Some(mut urls) = self.inner(key) else {
            return Cloud::Global;
        };
        let login = urls.checked("login", parse_service_url);
        let graph = urls.checked("graph", parse_service_url);
        let flow = urls.checked("flow", parse_service_url);
        endpoints(login, graph, flow).map_or(Cloud::Global, |own| Cloud::Custom(Box::new(own)))
    }

    fn sharepoint(&mut self, key: &str, cloud: &Cloud) -> Option<String> {
        let host = self.checked(key, sharepoint_host)?;
        let Some((name, suffix)) = host.split_once('.') else {
            return Some(host);
        };
        if suffix == cloud.sharepoint_suffix() {
            return Some(name.to_owned());
        }
        let what = format!(
            "must be the first label of the tenant's SharePoint host, or that host with \".{}\", \
             as the connection's cloud has it",
            cloud.sharepoint_suffix()
        );
        self.wrong(key, &what);
        None
    }
}

fn guid(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text)
        .map_err(|_| "must be a GUID, such as 00000000-0000-0000-0000-000000000000")
}

fn tenant(text: &str) -> Result<String, &'static str> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if text.len() <= 253 && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("must be the tenant's domain, such as contoso.com, or its id")
    }
}

fn email(text: &str) -> Result<String, &'static str> {
    let well_formed = text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if well_formed && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Ok(text.to_owned())
    } else {
        Err("must be one mail address, such as admin@contoso.com")
    }
}

/// `contoso`, `contoso.sharepoint.com` or `https://contoso.sharepoint.com/`, in lower case and
/// without the scheme; of the admin and OneDrive hosts the tenant's own label.
fn sharepoint_host(text: &str) -> Result<String, &'static str> {
    const WHAT: &str = "must be the first label of the tenant's SharePoint host: \"contoso\" of contoso.sharepoint.com";
    let text = text.to_ascii_lowercase();
    let host = text
        .strip_prefix("https://")
        .unwrap_or(&text)
        .trim_end_matches('/');
    let (label, suffix) = host
        .split_once('.')
        .map_or((host, None), |(a, b)| (a, Some(b)));
    let plain = !label.is_empty()
        && label.len() <= 63
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let known = suffix.is_none_or(|suffix| sharepoint_suffixes().any(|known| known == suffix));
    if !plain || !known {
        return Err(WHAT);
    }
    let label = match suffix {
        Some(_) => label
            .strip_suffix("-admin")
            .or_else(|| label.strip_suffix("-my"))
            .unwrap_or(label),
        None => label,
    };
    Ok(suffix.map_or_else(|| label.to_owned(), |suffix| format!("{label}.{suffix}")))
}
