//! The compose file of the isolated deployment: one container a connection, made from one template.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::registry::ConnectionName;

/// The label that all containers of this project have, and no others.
pub const PROJECT_LABEL: &str = "m365.project";

/// The label that names the connection of a container.
pub const CONNECTION_LABEL: &str = "m365.connection";

/// The first port on this machine for a container; the router has 5200.
pub const FIRST_PORT: u16 = 5210;

const HEAD: &str = include_str!("compose/head.yml");
const CONTAINER: &str = include_str!("compose/container.yml");

/// Where things are on the machine that the containers run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlaces {
    /// The home directory, which the file names as `${HOME}`.
    pub home: Option<PathBuf>,
    /// The registry.
    pub registry: PathBuf,
    /// State; a directory in it for each connection.
    pub state: PathBuf,
    /// Logs; a directory in it for each connection.
    pub logs: PathBuf,
    /// Secrets; a directory in it for each connection.
    pub secrets: PathBuf,
    /// The policy's file; its directory is mounted.
    pub policy: PathBuf,
}

/// User and group that containers run as: the owner of the mounted directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub user: u32,
    /// Group id.
    pub group: u32,
}

impl FromStr for Owner {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, group) = text
            .split_once(':')
            .ok_or("it must be UID:GID, two numbers")?;
        let id = |text: &str| text.parse().map_err(|_| "it must be UID:GID, two numbers");
        Ok(Self {
            user: id(user)?,
            group: id(group)?,
        })
    }
}

/// A port for each of the connections: that of `before`, or the lowest free one from
/// [`FIRST_PORT`] on. `None` where there are no more.
pub fn ports(
    connections: &[ConnectionName],
    before: &BTreeMap<String, u16>,
) -> Option<BTreeMap<ConnectionName, u16>> {
    let mut ports = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for name in connections {
        // Somebody may have edited the file: no port twice.
        if let Some(port) = before.get(name.as_str())
            && *port >= FIRST_PORT
            && taken.insert(*port)
        {
            ports.insert(name.clone(), *port);
        }
    }
    let mut free = (FIRST_PORT..=u16::MAX).filter(|port| !taken.contains(port));
    for name in connections {
        if !ports.contains_key(name) {
            ports.insert(name.clone(), free.next()?);
        }
    }
    Some(ports)
}

/// The name of a connection's container, which is also its host name and its service.
pub fn container_name(connection: &ConnectionName) -> String {
    format!("m365-{}", connection.folded())
}

/// The file.
pub fn render(ports: &BTreeMap<ConnectionName, u16>, places: &HostPlaces, owner: Owner) -> String {
    let source = |path: &Path| source(path, places.home.as_deref());
    let policy_file = places.policy.file_name().unwrap_or_default();
    let policy_file = format!("/app/policy/{}", policy_file.to_string_lossy());
    let mut text = filled(
        HEAD,
        &[
            ("@USER@", &format!("{}:{}", owner.user, owner.group)),
            ("@REGISTRY@", &source(&places.registry)),
            ("@POLICY@", &source(directory_of(&places.policy))),
            ("@POLICY_FILE@", &scalar(&policy_file)),
            ("@STATE@", &source(&places.state)),
            ("@LOGS@", &source(&places.logs)),
        ],
    );
    for (connection, port) in ports {
        let own = |directory: &Path| source(&directory.join(connection.safe_name()));
        text.push_str(&filled(
            CONTAINER,
            &[
                ("@SERVICE@", &container_name(connection)),
                ("@CONNECTION@", &scalar(connection.as_str())),
                ("@PORT@", &port.to_string()),
                ("@STATE@", &own(&places.state)),
                ("@LOGS@", &own(&places.logs)),
                ("@SECRETS@", &own(&places.secrets)),
                ("@SAFE@", &connection.safe_name()),
            ],
        ));
    }
    text
}

/// Puts values in their places, in one pass: a value may hold what looks like a place.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((at, place, value)) = values
        .iter()
        .filter_map(|(place, value)| Some((rest.find(place)?, *place, *value)))
        .min_by_key(|(at, ..)| *at)
    {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        text.push_str(value);
        rest = behind.get(place.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The directory that a file lies in.
pub fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A path as a mount's source, below `${HOME}` where it lies there.
fn source(path: &Path, home: Option<&Path>) -> String {
    let below = home.and_then(|home| path.strip_prefix(home).ok());
    match below {
        Some(rest) => quoted(&format!("${{HOME}}/{}", escaped(&rest.to_string_lossy()))),
        None => scalar(&path.to_string_lossy()),
    }
}

/// A text as YAML takes it for a string whatever it holds, and Compose for no variable.
fn scalar(text: &str) -> String {
    quoted(&escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// A JSON string is a YAML string in double quotes (YAML 1.2, section 1.3).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    fn names(names: &[&str]) -> Vec<ConnectionName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn places() -> HostPlaces {
        let home = Path::new("/home/me");
        HostPlaces {
            home: Some(home.to_owned()),
            registry: home.join(".m365-connections.json"),
            state: home.join(".m365-state"),
            logs: "/var/log/m365".into(),
            secrets: home.join(".m365-secrets"),
            policy: home.join(".m365-policy/policy.toml"),
        }
    }

    #[test]
    fn ports_stay_and_new_connections_get_free_ones() {
        let before = [
            ("b", 5210),
            ("gone", 5211),
            ("d", 5213),
            ("e", 5213),
            ("f", 80),
        ];
        let before = before.map(|(name, port)| (name.to_owned(), port)).into();
        let ports = ports(&names(&["a", "b", "c", "d", "e", "f"]), &before).unwrap();
        let found: Vec<_> = ports
            .iter()
            .map(|(name, port)| (name.as_str(), *port))
            .collect();
        assert_eq!(
            found,
            [
                ("a", 5211),
                ("b", 5210),
                ("c", 5212),
                ("d", 5213),
                ("e", 5214),
                ("f", 5215)
            ]
        );
    }

    #[test]
    fn each_container_gets_its_own_directories_and_no_others() {
        let ports = ports(&names(&["ForIT GA", "Zoë$1"]), &BTreeMap::new()).unwrap();
        let text = render(&ports, &places(), Owner { user: 7, group: 8 });
        assert!(text.contains("user: \"${UID_GID:-7:8}\""));
        let (_, containers) = text.split_once("  m365-forit_ga:\n").unwrap();
        let (one, other) = containers.split_once("  m365-zo__1:\n").unwrap();
        for (part, name, safe, port) in [
            (one, "\"ForIT GA\"", "ForIT_GA", 5210),
            (other, "\"Zoë$$1\"", "Zo__1", 5211),
        ] {
            for line in [
                format!("m365.connection: {name}"),
                format!("M365_CONNECTION: {name}"),
                format!("source: \"${{HOME}}/.m365-state/{safe}\""),
                format!("source: \"${{HOME}}/.m365-secrets/{safe}\""),
                // Where the pool looks for this connection's files.
                format!("target: /app/secrets/{safe}"),
                format!("source: \"/var/log/m365/{safe}\""),
                format!("\"127.0.0.1:{port}:5200\""),
            ] {
                assert!(part.contains(&format!("{line}\n")), "{line}\n{part}");
            }
            assert_eq!(part.matches("source:").count(), 3);
        }
        assert!(!text.contains('@'), "{text}");
    }

    proptest! {
        #[test]
        fn ports_are_never_shared_and_never_move(
            before in prop::collection::btree_map("[a-e]", 5200_u16..5220, 0..5),
            all in prop::collection::btree_set("[a-h]", 0..8),
        ) {
            let all: Vec<_> = all.iter().map(|name| name.parse().unwrap()).collect();
            let first = ports(&all, &before).unwrap();
            let distinct: BTreeSet<_> = first.values().collect();
            prop_assert_eq!(distinct.len(), all.len());
            let again = first.iter().map(|(name, port)| (name.to_string(), *port)).collect();
            prop_assert_eq!(ports(&all, &again).unwrap(), first);
        }
    }
}
