//! The containers of this project, through Docker's API. Nothing is ever created through it.

use std::collections::HashMap;
use std::str::FromStr;

use axum::body::Bytes;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptions, LogsOptions};
use futures_util::{Stream, StreamExt as _};

use crate::domain::compose::{CONNECTION_LABEL, PROJECT_LABEL};
use crate::domain::wire::router::ContainerInfo;

/// What an answer of Docker may take, in seconds: a container may take its whole grace period to
/// stop.
const WITHIN: u64 = 60;

/// Where Docker's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerAddress {
    /// Docker's own socket.
    Socket(String),
    /// A proxy that lets only some calls through.
    Proxy(String),
}

impl FromStr for DockerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("unix:///") {
            Ok(Self::Socket(text.to_owned()))
        } else if text.starts_with("http://") {
            Ok(Self::Proxy(text.to_owned()))
        } else {
            Err(
                "it must be unix:///PATH of Docker's socket, or http://HOST:PORT of a proxy in front of it",
            )
        }
    }
}

/// What can be done to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Restart,
    Start,
    Stop,
}

impl Deed {
    /// The deed that a path names.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "restart" => Some(Self::Restart),
            "start" => Some(Self::Start),
            "stop" => Some(Self::Stop),
            _ => None,
        }
    }
}

/// A container of this project, which is all that anything can be done to.
#[derive(Debug)]
pub(super) struct Container {
    docker: Docker,
    id: String,
}

/// Every container of this project, by name.
pub(super) async fn list(address: &DockerAddress) -> Result<Vec<ContainerInfo>, Error> {
    let found = labelled(&connect(address)?, vec![PROJECT_LABEL.to_owned()]).await?;
    let mut all: Vec<_> = found.into_iter().map(info).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The container of a connection.
pub(super) async fn find(
    address: &DockerAddress,
    connection: &str,
) -> Result<Option<Container>, Error> {
    let docker = connect(address)?;
    let labels = vec![
        PROJECT_LABEL.to_owned(),
        format!("{CONNECTION_LABEL}={connection}"),
    ];
    let found = labelled(&docker, labels).await?;
    let id = found.into_iter().find_map(|container| container.id);
    Ok(id.map(|id| Container { docker, id }))
}

impl Container {
    /// Does it, and waits for its end.
    pub(super) async fn apply(&self, deed: Deed) -> Result<(), Error> {
        match deed {
            Deed::Restart => self.docker.restart_container(&self.id, None).await,
            Deed::Start => self.docker.start_container(&self.id, None).await,
            Deed::Stop => self.docker.stop_container(&self.id, None).await,
        }
    }

    /// The last lines that it has written, standard output and standard error in their order.
    pub(super) fn logs(
        &self,
        lines: u64,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: lines.to_string(),
            ..LogsOptions::default()
        };
        let pieces = self.docker.logs(&self.id, Some(options)).boxed();
        pieces.map(|piece| piece.map(bollard::container::LogOutput::into_bytes))
    }
}

/// Made for each request: that costs nothing beside what Docker does, and finds a socket that has
/// come back.
fn connect(address: &DockerAddress) -> Result<Docker, Error> {
    // Without a version in its paths, as engines of every age take them.
    match address {
        DockerAddress::Socket(path) => {
            Docker::connect_with_unix(path, WITHIN, bollard::API_DEFAULT_VERSION)
        }
        DockerAddress::Proxy(url) => {
            Docker::connect_with_http(url, WITHIN, bollard::API_DEFAULT_VERSION)
        }
    }
}

async fn labelled(docker: &Docker, labels: Vec<String>) -> Result<Vec<ContainerSummary>, Error> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([("label".to_owned(), labels)])),
        ..ListContainersOptions::default()
    };
    docker.list_containers(Some(options)).await
}

fn info(container: ContainerSummary) -> ContainerInfo {
    let name = container.names.and_then(|names| names.into_iter().next());
    let labels = container.labels.unwrap_or_default();
    ContainerInfo {
        name: name
            .map(|name| name.trim_start_matches('/').to_owned())
            .unwrap_or_default(),
        connection: labels.get(CONNECTION_LABEL).cloned(),
        state: container
            .state
            .map(|state| state.to_string())
            .unwrap_or_default(),
        status: container.status.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_a_socket_or_a_proxy() {
        for (text, taken) in [
            ("unix:///var/run/docker.sock", true),
            ("http://docker-proxy:2375", true),
            ("/var/run/docker.sock", false),
            ("https://docker:2376", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<DockerAddress>().is_ok(), taken, "{text}");
        }
    }
}
