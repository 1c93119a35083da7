//! The settings of `compose`.

use std::path::PathBuf;

use clap::Args;

use crate::domain::compose::Owner;

use super::options::PlaceOptions;
use super::policy::PolicyPlace;

/// The settings of `compose`.
#[derive(Args, Debug)]
pub struct ComposeOptions {
    /// File to write; its ports stay as they are. - writes to standard output, and makes nothing
    #[arg(
        long,
        value_name = "FILE",
        default_value = "docker-compose.isolated.yml"
    )]
    pub output: PathBuf,
    /// User and group that the containers run as [default: the owner of the state directory]
    #[arg(long, value_name = "UID:GID", env = "UID_GID")]
    pub owner: Option<Owner>,
    /// Where things are.
    #[command(flatten)]
    pub places: PlaceOptions,
    /// The policy's file; its directory is mounted.
    #[command(flatten)]
    pub policy: PolicyPlace,
}
