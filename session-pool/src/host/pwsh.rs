//! Which PowerShell: where it is found, which version it is, and which one a module needs.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A version of PowerShell, as `$PSVersionTable.PSVersion` has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PwshVersion {
    major: u32,
    minor: u32,
    patch: u32,
    /// What follows a dash; a preview comes before its release, which this order ignores.
    label: Option<Box<str>>,
}

impl PwshVersion {
    /// The oldest one that the bootstrap script runs on (`clean` blocks, merged streams).
    pub const OLDEST: Self = Self::new(7, 4, 0);

    /// A released version.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
            label: None,
        }
    }

    /// The same version if the pool can work with it.
    ///
    /// # Errors
    /// [`VersionError::TooOld`] below 7.4.
    pub fn supported(self) -> Result<Self, VersionError> {
        if self < Self::OLDEST {
            Err(VersionError::TooOld(self))
        } else {
            Ok(self)
        }
    }
}

impl fmt::Display for PwshVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        self.label
            .iter()
            .try_for_each(|label| write!(f, "-{label}"))
    }
}

impl FromStr for PwshVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || VersionError::Unreadable(text.chars().take(40).collect());
        let (numbers, label) = match text.split_once('-') {
            Some((numbers, label)) => (numbers, Some(label.into())),
            None => (text, None),
        };
        let mut parts = numbers.split('.').map(str::parse::<u32>);
        let mut number = || parts.next().transpose().map_err(|_| unreadable());
        let major = number()?.ok_or_else(unreadable)?;
        let minor = number()?.unwrap_or(0);
        let patch = number()?.unwrap_or(0);
        Ok(Self {
            major,
            minor,
            patch,
            label,
        })
    }
}

/// A PowerShell of the wrong version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Older than anything the pool works with.
    #[error(
        "PowerShell {0} is too old: the pool needs 7.4 or later, 7.6 is best; `session-pool install-pwsh` installs it"
    )]
    TooOld(PwshVersion),
    /// What the process reports is no version.
    #[error("{0:?} is not a version of PowerShell; name the real one with --pwsh")]
    Unreadable(String),
}

/// A PowerShell that is good enough for the pool and too old for a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{module} {module_version} needs PowerShell {needed} or later and this is {found}; \
     `session-pool install-pwsh` installs 7.6, or install an older {module}"
)]
pub struct TooOldForModule {
    /// The module's name in the PowerShell Gallery.
    pub module: String,
    /// The module's version.
    pub module_version: String,
    /// The version it needs.
    pub needed: PwshVersion,
    /// The version that is there.
    pub found: PwshVersion,
}

/// The oldest PowerShell on which a version of a module runs, as far as the module's makers say.
///
/// `ExchangeOnlineManagement` from 3.10 needs 7.6 (its release notes of June 2026), `PnP.PowerShell`
/// from 3.0 needs 7.4.
pub fn minimum_for_module(module: &str, module_version: &str) -> PwshVersion {
    let mut numbers = module_version
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if module.eq_ignore_ascii_case("ExchangeOnlineManagement") && version >= (3, 10) {
        PwshVersion::new(7, 6, 0)
    } else {
        PwshVersion::OLDEST
    }
}

/// Checks that a module of this version runs on this PowerShell.
///
/// # Errors
/// [`TooOldForModule`], which names what is needed.
pub fn check_module(
    found: &PwshVersion,
    module: &str,
    module_version: &str,
) -> Result<(), TooOldForModule> {
    let needed = minimum_for_module(module, module_version);
    if *found >= needed {
        return Ok(());
    }
    Err(TooOldForModule {
        module: module.to_owned(),
        module_version: module_version.to_owned(),
        needed,
        found: found.clone(),
    })
}

/// Where to look for `pwsh`, in the order in which it is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search<'a> {
    /// `--pwsh` or `SESSION_POOL_PWSH`: this one or none.
    pub explicit: Option<&'a Path>,
    /// The value of `PATH`.
    pub path: Option<&'a OsStr>,
    /// Where `install-pwsh` puts versions, each in a directory of its own.
    pub installed: Option<&'a Path>,
    /// `SESSION_POOL_DEV_PWSH`: taken last, and only where the file exists.
    pub development: Option<&'a Path>,
}

/// No PowerShell was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// The one that was named does not exist.
    #[error("SESSION_POOL_PWSH (--pwsh) is {}, which is no file: correct it or unset it", .0.display())]
    Explicit(PathBuf),
    /// There is none in any of the usual places.
    #[error(
        "no PowerShell was found; `session-pool install-pwsh` installs the official one, or name yours with --pwsh or SESSION_POOL_PWSH"
    )]
    Nowhere,
}

impl Search<'_> {
    /// Finds `pwsh`.
    ///
    /// # Errors
    /// [`NotFound`], which says how to get one.
    pub fn run(&self) -> Result<PathBuf, NotFound> {
        if let Some(explicit) = self.explicit {
            return if explicit.is_file() {
                Ok(explicit.to_owned())
            } else {
                Err(NotFound::Explicit(explicit.to_owned()))
            };
        }
        self.in_path()
            .or_else(|| self.newest_installed())
            .or_else(|| {
                self.development
                    .filter(|path| path.is_file())
                    .map(Path::to_owned)
            })
            .ok_or(NotFound::Nowhere)
    }

    fn in_path(&self) -> Option<PathBuf> {
        std::env::split_paths(self.path?)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join("pwsh"))
            .find(|candidate| candidate.is_file())
    }

    fn newest_installed(&self) -> Option<PathBuf> {
        std::fs::read_dir(self.installed?)
            .ok()?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version: PwshVersion = entry.file_name().to_str()?.parse().ok()?;
                let program = entry.path().join("pwsh");
                program.is_file().then_some((version, program))
            })
            .max()
            .map(|(_, program)| program)
    }
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

    fn version(text: &str) -> PwshVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(version("7.6.5"), PwshVersion::new(7, 6, 5));
        assert_eq!(version("7.6.0-preview.2").to_string(), "7.6.0-preview.2");
        assert!(version("7.10.0") > version("7.9.9"));
        for wrong in ["", "seven", "7.x", "-1"] {
            assert!(wrong.parse::<PwshVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn under_7_4_is_refused_with_a_remedy() {
        assert!(version("7.4.0").supported().is_ok());
        let error = version("7.3.12").supported().unwrap_err().to_string();
        assert!(
            error.contains("7.3.12") && error.contains("install-pwsh"),
            "{error}"
        );
    }

    #[test]
    fn a_module_that_needs_more_is_named() {
        let check = |found, module_version| {
            check_module(&version(found), "ExchangeOnlineManagement", module_version)
        };
        assert!(check("7.4.6", "3.9.2").is_ok());
        assert!(check("7.6.0", "3.10.0").is_ok());
        let error = check("7.4.6", "3.10.0").unwrap_err().to_string();
        assert!(
            error.contains("ExchangeOnlineManagement 3.10.0 needs PowerShell 7.6"),
            "{error}"
        );
    }

    #[test]
    fn the_order_of_places_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let installed = root.path().join("installed");
        let development = make("development/pwsh");
        let missing = root.path().join("missing");
        let search = Search {
            explicit: None,
            path: Some(OsStr::new("")),
            installed: Some(&installed),
            development: Some(&development),
        };
        assert_eq!(search.run(), Ok(development.clone()));
        make("installed/7.6.5/pwsh");
        let newest = make("installed/7.10.1/pwsh");
        assert_eq!(search.run(), Ok(newest));
        let in_path = make("bin/pwsh");
        let bin = root.path().join("bin");
        let search = Search {
            path: Some(bin.as_os_str()),
            ..search
        };
        assert_eq!(search.run(), Ok(in_path));
        let search = Search {
            explicit: Some(&development),
            ..search
        };
        assert_eq!(search.run(), Ok(development.clone()));
        let search = Search {
            explicit: Some(&missing),
            ..search
        };
        assert_eq!(search.run(), Err(NotFound::Explicit(missing.clone())));
        assert_eq!(Search::default().run(), Err(NotFound::Nowhere));
    }
}
