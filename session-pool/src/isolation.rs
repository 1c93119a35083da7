//! What has to be in order before sessions can run under user ids of their own.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::thread::CapabilitySet;

use crate::host::{Environment, obstacle};
use crate::session::{Users, UsersError};

/// What starting, ending and looking after processes of other users takes. Root has all of it,
/// except in a container that was started with less.
const NEEDED: [(CapabilitySet, &str); 5] = [
    (CapabilitySet::CHOWN, "CHOWN"),
    (CapabilitySet::DAC_OVERRIDE, "DAC_OVERRIDE"),
    (CapabilitySet::KILL, "KILL"),
    (CapabilitySet::SETGID, "SETGID"),
    (CapabilitySet::SETUID, "SETUID"),
];

/// Sessions cannot have user ids of their own here.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// The pool may not become other users.
    #[error(
        "--user-ids (SESSION_POOL_USER_IDS) needs root with the capabilities CHOWN, DAC_OVERRIDE, KILL, \
         SETGID and SETUID; missing here: {0}. Run the pool as root (in a container with cap_add), or \
         without --user-ids"
    )]
    Powerless(String),
    /// Sessions could not get to something that they need.
    #[error(
        "the sessions' user ids cannot reach {what} {path}: {obstacle} is closed to other users. {remedy}",
        path = path.display(), obstacle = obstacle.display()
    )]
    OutOfReach {
        /// What it is.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The first directory on the way, or the file itself, that lets nobody else in.
        obstacle: PathBuf,
        /// What to do.
        remedy: &'static str,
    },
    /// The homes' directory cannot be made or opened to the ids.
    #[error("SESSION_POOL_HOMES_DIR (--homes-dir) cannot be used: {path}: {source}. Check its owner and mode, or name another", path = path.display())]
    Homes {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The ids cannot be read or given.
    #[error(transparent)]
    Users(#[from] UsersError),
}

/// Where the parts of a pool are that sessions with user ids of their own must get to.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The pool's state, which they must not get to.
    pub state: &'a Path,
    /// Their homes: root's, 0711, so that each gets to its own and sees no other.
    pub homes: &'a Path,
    /// PowerShell.
    pub program: &'a Path,
    /// What they see, and where their modules are.
    pub environment: &'a Environment,
}

/// Makes sure that user ids can be given and that they lead to working sessions.
///
/// # Errors
/// [`IsolationError`], each with what to do.
pub fn prepare(places: Places<'_>, first_id: u32) -> Result<Users, IsolationError> {
    check_powers()?;
    make_homes(places.homes).map_err(|source| IsolationError::Homes {
        path: places.homes.to_owned(),
        source,
    })?;
    reach(
        "the homes in",
        places.homes,
        obstacle_to_directory(places.homes),
        "Name another directory with --homes-dir (SESSION_POOL_HOMES_DIR)",
    )?;
    let of_program = fs::canonicalize(places.program)
        .ok()
        .and_then(|program| Some(program.parent()?.to_owned()));
    for path in [Some(places.program), of_program.as_deref()]
        .into_iter()
        .flatten()
    {
        reach(
            "PowerShell in",
            path,
            obstacle(path),
            "Install it for all users, or name another with --pwsh (SESSION_POOL_PWSH)",
        )?;
    }
    let modules = places.environment.get("PSModulePath");
    for path in modules.map(std::env::split_paths).into_iter().flatten() {
        reach(
            "the modules in",
            &path,
            obstacle(&path),
            "Install them with -Scope AllUsers and move this directory away, or open it (chmod a+rx)",
        )?;
    }
    Ok(Users::open(places.state, places.homes, first_id)?)
}

fn check_powers() -> Result<(), IsolationError> {
    let held = rustix::thread::capabilities(None)
        .map(|sets| sets.effective)
        .unwrap_or(CapabilitySet::empty());
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(capability, _)| !held.contains(*capability))
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(IsolationError::Powerless(missing.join(", ")))
    }
}

/// The homes' directory: made where it is not there; searchable for others, and no more.
fn make_homes(homes: &Path) -> io::Result<()> {
    fs::create_dir_all(homes)?;
    let about = fs::metadata(homes)?;
    let own = rustix::process::geteuid().as_raw();
    if std::os::unix::fs::MetadataExt::uid(&about) != own {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user, who could replace the homes in it",
        ));
    }
    fs::set_permissions(homes, Permissions::from_mode(0o711))
}

/// As [`obstacle`], for a directory that need not be readable.
fn obstacle_to_directory(path: &Path) -> Option<PathBuf> {
    let found = obstacle(path)?;
    let itself = fs::canonicalize(path).ok();
    (found != path && Some(&found) != itself.as_ref()).then_some(found)
}

fn reach(
    what: &'static str,
    path: &Path,
    obstacle: Option<PathBuf>,
    remedy: &'static str,
) -> Result<(), IsolationError> {
    match obstacle {
        None => Ok(()),
        Some(obstacle) => Err(IsolationError::OutOfReach {
            what,
            path: path.to_owned(),
            obstacle,
            remedy,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    struct Machine {
        directory: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let machine = Self { directory };
            for name in ["opt", "modules", "private"] {
                fs::create_dir(machine.path(name)).unwrap();
                machine.mode(name, 0o755);
            }
            machine.mode("", 0o755);
            machine.mode("private", 0o700);
            fs::write(machine.path("opt/pwsh"), "").unwrap();
            machine.mode("opt/pwsh", 0o755);
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
        }

        fn prepare(&self, homes: &str, program: &str, modules: &str) -> Result<Users, String> {
            let environment = Environment::default().with("PSModulePath", self.path(modules));
            let places = Places {
                state: &self.path("private"),
                homes: &self.path(homes),
                program: &self.path(program),
                environment: &environment,
            };
            prepare(places, 20_000).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn what_the_ids_cannot_reach_is_named_at_the_start() {
        if !rustix::process::geteuid().is_root() {
            let refused = Machine::new().prepare("homes", "opt/pwsh", "modules");
            assert!(refused.unwrap_err().contains("needs root"));
            return;
        }
        let machine = Machine::new();
        fs::create_dir(machine.path("private/modules")).unwrap();
        fs::write(machine.path("private/pwsh"), "").unwrap();
        machine.prepare("homes", "opt/pwsh", "modules").unwrap();
        let mode = fs::metadata(machine.path("homes")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o711);
        machine.prepare("homes", "opt/pwsh", "missing").unwrap();
        for (homes, program, modules, flag) in [
            ("private/homes", "opt/pwsh", "modules", "--homes-dir"),
            ("homes", "private/pwsh", "modules", "--pwsh"),
            ("homes", "opt/pwsh", "private/modules", "AllUsers"),
        ] {
            let refused = machine.prepare(homes, program, modules).unwrap_err();
            let named = machine.path("private").display().to_string();
            assert!(
                refused.contains(flag) && refused.contains(&named),
                "{refused}"
            );
        }
    }
}
