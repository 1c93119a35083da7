//! The settings of `doctor`.

use clap::Args;

use super::options::{AccessOptions, IsolationOptions, PlaceOptions, SessionOptions};
use super::policy::PolicyOptions;

/// The settings of `doctor`: those of the pool that is looked at.
#[derive(Args, Debug)]
pub struct DoctorOptions {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Who may call, and where.
    #[command(flatten)]
    pub access: AccessOptions,
    /// Where things are.
    #[command(flatten)]
    pub places: PlaceOptions,
    /// What keeps sessions apart.
    #[command(flatten)]
    pub isolation: IsolationOptions,
    /// PowerShell and what runs in it.
    #[command(flatten)]
    pub sessions: SessionOptions,
    /// Which policy holds.
    #[command(flatten)]
    pub policy: PolicyOptions,
}
