//! What a PowerShell process sees of the pool's environment: an allow-list.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use url::Url;

/// The environment of a PowerShell process, without `HOME`, which each process has of its own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

/// Set in every process, whatever the pool's own environment says.
const FIXED: [(&str, &str); 6] = [
    ("POWERSHELL_TELEMETRY_OPTOUT", "1"),
    ("POWERSHELL_UPDATECHECK", "Off"),
    // Closes the debug socket that every process of the same user could join.
    ("POWERSHELL_DIAGNOSTICS_OPTOUT", "1"),
    // PnP.PowerShell then prints its sign-in plainly and looks for no browser and no clipboard.
    ("POWERSHELL_DISTRIBUTION_CHANNEL", "CloudShell"),
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
];

const PROXIES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

impl Environment {
    /// Takes what is allowed from the given variables (the pool's own, read once at start), and
    /// those named in `pass` as they are.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
        pass: &[String],
    ) -> Self {
        let vars: BTreeMap<OsString, OsString> = vars.into_iter().collect();
        let mut chosen = BTreeMap::new();
        for (name, value) in &vars {
            let Some(text) = name.to_str() else { continue };
            let value = if pass.iter().any(|passed| passed == text) {
                Some(value.clone())
            } else {
                allowed(text, value)
            };
            if let Some(value) = value {
                chosen.insert(name.clone(), value);
            }
        }
        if let Some(modules) = module_path(&vars) {
            chosen.insert("PSModulePath".into(), modules);
        }
        for (name, value) in FIXED {
            chosen.insert(name.into(), value.into());
        }
        Self(chosen)
    }

    /// Adds a variable, or replaces it.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Every variable with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

/// Names only: a passed variable may hold a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn allowed(name: &str, value: &OsStr) -> Option<OsString> {
    let proxy = name.to_ascii_lowercase();
    if PROXIES.contains(&proxy.as_str()) {
        return without_password(value.to_str()?).map(OsString::from);
    }
    let allowed = matches!(name, "PATH" | "LANG" | "LANGUAGE" | "TZ")
        || name.starts_with("LC_")
        || name.starts_with("DOTNET_")
        || proxy == "no_proxy";
    allowed.then(|| value.to_owned())
}

/// The proxy's URL without user and password; none where it cannot be told what is what.
fn without_password(value: &str) -> Option<String> {
    if !value.contains('@') {
        return Some(value.to_owned());
    }
    let mut url = Url::parse(value).ok().filter(Url::has_host)?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
}

/// Where PowerShell finds modules. With another `HOME` it would no longer look where
/// `Install-Module` put them for the starting user, so that directory is named outright.
fn module_path(vars: &BTreeMap<OsString, OsString>) -> Option<OsString> {
    let var = |name: &str| vars.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let data = var("XDG_DATA_HOME")
        .map(|data| Path::new(data).to_owned())
        .or_else(|| var("HOME").map(|home| Path::new(home).join(".local/share")));
    let own = data.map(|data| data.join("powershell/Modules"));
    let given = var("PSModulePath")
        .into_iter()
        .flat_map(std::env::split_paths);
    let mut paths = Vec::new();
    for path in own.into_iter().chain(given) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    (!paths.is_empty())
        .then(|| std::env::join_paths(paths).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    fn environment(vars: &[(&str, &str)], pass: &[&str]) -> Environment {
        Environment::from_vars(
            vars.iter().map(|(name, value)| (name.into(), value.into())),
            &pass
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn only_what_is_allowed_or_passed_gets_through() {
        let environment = environment(
            &[
                ("PATH", "/bin"),
                ("LC_ALL", "C.UTF-8"),
                ("DOTNET_GCHeapHardLimit", "0x20000000"),
                ("SESSION_POOL_TOKEN", "secret"),
                ("AZURE_CLIENT_SECRET", "secret"),
                ("MINE", "passed"),
                ("TERM", "xterm"),
            ],
            &["MINE"],
        );
        let get = |name| environment.get(name).and_then(OsStr::to_str);
        assert_eq!(get("PATH"), Some("/bin"));
        assert_eq!(get("LC_ALL"), Some("C.UTF-8"));
        assert_eq!(get("DOTNET_GCHeapHardLimit"), Some("0x20000000"));
        assert_eq!(get("MINE"), Some("passed"));
        assert_eq!(get("TERM"), Some("dumb"));
        assert_eq!(get("SESSION_POOL_TOKEN"), None);
        assert_eq!(get("AZURE_CLIENT_SECRET"), None);
        assert!(!format!("{environment:?}").contains("passed"));
    }

    #[test]
    fn a_proxy_loses_its_password() {
        let cases = [
            ("http://proxy:3128", Some("http://proxy:3128")),
            ("http://joe:secret@proxy:3128/", Some("http://proxy:3128/")),
            ("joe:secret@proxy:3128", None),
        ];
        for (given, expected) in cases {
            let environment = environment(&[("HTTPS_PROXY", given)], &[]);
            assert_eq!(
                environment.get("HTTPS_PROXY").and_then(OsStr::to_str),
                expected,
                "{given}"
            );
        }
    }

    #[test]
    fn modules_of_the_starting_user_stay_in_reach() {
        let get = |vars: &[(&str, &str)]| {
            environment(vars, &[])
                .get("PSModulePath")
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            get(&[
                ("HOME", "/home/joe"),
                ("PSModulePath", "/opt/modules:/opt/modules")
            ])
            .unwrap(),
            "/home/joe/.local/share/powershell/Modules:/opt/modules"
        );
        assert_eq!(
            get(&[("XDG_DATA_HOME", "/data")]).unwrap(),
            "/data/powershell/Modules"
        );
        assert_eq!(get(&[]), None);
    }
}
