//! The directory that everything of a run lies in: the demo's modules, its registry, logs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use session_pool::demo::settings::{Settings, SignIn};
use session_pool::demo::{DIRECTORY_VARIABLE, modules, registry};
use session_pool::domain::module::Module;
use tempfile::TempDir;

use crate::Fallible;
use crate::pwsh;

/// A made-up world in which every sign-in succeeds without a person.
#[derive(Debug)]
pub(crate) struct World {
    directory: TempDir,
    modules: PathBuf,
    pwsh: PathBuf,
}

impl World {
    pub(crate) fn create() -> Fallible<Self> {
        let pwsh = pwsh::find()?;
        let directory = tempfile::Builder::new().prefix("pool-bench-").tempdir()?;
        let modules = modules::unpack(directory.path())?;
        let settings = Settings {
            sign_in: Module::ALL
                .iter()
                .map(|module| (*module, SignIn::Instant))
                .collect(),
            ..Settings::default()
        };
        settings.save(directory.path())?;
        std::fs::write(
            directory.path().join("connections.json"),
            registry::registry_json(&serde_json::Value::Null)?,
        )?;
        // The bench of cancels runs a program.
        std::fs::write(
            directory.path().join("policy.toml"),
            "[[relax]]\nrule = \"programs\"\ndecision = \"allow\"\n",
        )?;
        Ok(Self {
            directory,
            modules,
            pwsh,
        })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The PowerShell that everything here runs on.
    pub(crate) fn pwsh(&self) -> &Path {
        &self.pwsh
    }

    /// The environment of pools and of bare PowerShell processes alike.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        let at = |name: &str| self.path().join(name).into_os_string();
        let mut variables = vec![
            ("HOME".into(), at("home")),
            ("PSModulePath".into(), self.modules.clone().into_os_string()),
            (DIRECTORY_VARIABLE.into(), self.path().into()),
        ];
        for name in ["PATH", "LANG"] {
            variables.extend(std::env::var_os(name).map(|value| (name.into(), value)));
        }
        variables
    }
}
