//! `session-pool compose`: writes the compose file of the isolated deployment from the registry, and
//! makes the directories that its containers mount.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::ComposeOptions;
use crate::config::{ConfigError, Places, PolicyConfig};
use crate::directories;
use crate::domain::compose::{CONNECTION_LABEL, HostPlaces, Owner, directory_of, ports, render};
use crate::domain::registry::{ConnectionName, Registry};

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to make containers of.
    #[error("the registry {path} (--registry) cannot be used: {reason}", path = path.display())]
    Registry {
        /// The registry.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file that is there cannot be read: the ports would change.
    #[error(
        "{path} is there, and the ports in it cannot be read: {reason}. Mend it, or delete it to give \
         all containers new ports",
        path = path.display()
    )]
    Before {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There are more connections than ports.
    #[error("there are more connections than ports from 5210 on")]
    Ports,
    /// Something cannot be made or written.
    #[error("cannot make {path}: {source}", path = path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the file.
///
/// # Errors
/// [`ComposeError`]; the file that was there is then still there.
pub fn run(options: ComposeOptions, home: Option<&Path>) -> Result<(), ComposeError> {
    let policy = PolicyConfig::place(options.policy.policy, home)?;
    let places = Places::new(options.places, home)?;
    let connections = connections(&places)?;
    let host = HostPlaces {
        home: home.map(Path::to_owned),
        policy,
        registry: places.registry,
        state: places.state_dir,
        logs: places.log_dir,
        secrets: places.secrets_dir,
    };
    let owner = options.owner.unwrap_or_else(|| owner(&host.state));
    let output = options.output;
    if output == Path::new("-") {
        let ports = ports(&connections, &BTreeMap::new()).ok_or(ComposeError::Ports)?;
        return io::stdout()
            .write_all(render(&ports, &host, owner).as_bytes())
            .map_err(|source| write_error(&output, source));
    }
    let ports = ports(&connections, &ports_in(&output)?).ok_or(ComposeError::Ports)?;
    make_directories(&host, ports.keys(), owner)?;
    write(&output, &render(&ports, &host, owner))
}

fn connections(places: &Places) -> Result<Vec<ConnectionName>, ComposeError> {
    let failed = |reason: String| ComposeError::Registry {
        path: places.registry.clone(),
        reason,
    };
    let text =
        std::fs::read_to_string(&places.registry).map_err(|error| failed(error.to_string()))?;
    let registry = Registry::parse(&text).map_err(|error| failed(error.to_string()))?;
    let all: Vec<_> = registry
        .connections()
        .map(|connection| connection.name.clone())
        .filter(|name| places.connection.as_ref().is_none_or(|only| only == name))
        .collect();
    if all.is_empty() {
        return Err(failed("it has no such connections".to_owned()));
    }
    Ok(all)
}

/// What this program reads of the file that it wrote.
#[derive(Debug, Deserialize)]
struct Written {
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

#[derive(Debug, Deserialize)]
struct Service {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    ports: Vec<String>,
}

/// The port of each connection in the file; none where there is no file.
fn ports_in(path: &Path) -> Result<BTreeMap<String, u16>, ComposeError> {
    let failed = |reason: String| ComposeError::Before {
        path: path.to_owned(),
        reason,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed(error.to_string())),
    };
    let written: Written =
        serde_saphyr::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let ports = written.services.into_values().filter_map(|service| {
        let name = service.labels.get(CONNECTION_LABEL)?.replace("$$", "$");
        let published = service.ports.first()?;
        // 127.0.0.1:5210:5200
        let port = published.rsplit(':').nth(1)?.parse().ok()?;
        Some((name, port))
    });
    Ok(ports.collect())
}

/// Who owns the state directory, or will, who makes it.
fn owner(state: &Path) -> Owner {
    match std::fs::metadata(state) {
        Ok(metadata) => Owner {
            user: metadata.uid(),
            group: metadata.gid(),
        },
        Err(_) => Owner {
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
        },
    }
}

/// Makes what is missing of the directories that are mounted: Docker would refuse to start.
fn make_directories<'a>(
    host: &HostPlaces,
    connections: impl Iterator<Item = &'a ConnectionName>,
    owner: Owner,
) -> Result<(), ComposeError> {
    let own = connections.flat_map(|name| {
        [&host.state, &host.logs, &host.secrets].map(|directory| directory.join(name.safe_name()))
    });
    let shared = [&host.state, &host.logs, &host.secrets].map(PathBuf::clone);
    let policy = directory_of(&host.policy).to_owned();
    for directory in shared.into_iter().chain([policy]).chain(own) {
        if directory.exists() {
            continue;
        }
        directories::make_private(&directory)
            .and_then(|()| give(&directory, owner))
            .map_err(|source| write_error(&directory, source))?;
    }
    Ok(())
}

/// What root makes for somebody else is theirs.
fn give(directory: &Path, owner: Owner) -> io::Result<()> {
    if rustix::process::geteuid().as_raw() == owner.user {
        return Ok(());
    }
    chown(directory, Some(owner.user), Some(owner.group))
}

/// In one step: whoever reads the file meanwhile gets the old one or the new one.
fn write(path: &Path, text: &str) -> Result<(), ComposeError> {
    let failed = |source| write_error(path, source);
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(directory_of(path))
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn write_error(path: &Path, source: io::Error) -> ComposeError {
    ComposeError::Write {
        path: path.to_owned(),
        source,
    }
}
