//! Sessions: one task owns one session and its process; everyone else holds a handle.

mod answer;
mod app_sign_in;
mod budget;
mod catalog;
mod connecting;
mod credentials;
mod departure;
mod ending;
mod execution;
mod handle;
mod job;
mod journal;
mod launcher;
mod phase;
mod pool;
mod process;
mod queue;
mod record_bytes;
mod refused;
pub mod registry_watch;
mod sessions;
mod sign_in;
mod spool;
mod state_file;
mod stop;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod transcript;
mod users;
mod view;
mod worker;

pub use budget::{ResultBudget, ResultLimits};
pub use catalog::JobMissing;
pub use credentials::{Credentials, ProofError};
pub use ending::{Ending, Failure, FailureCode};
pub use job::{Job, Order, ResultsError};
pub use journal::{Journal, JournalError};
pub use launcher::Launcher;
pub use pool::{Limits, Pool, PoolParts};
pub use process::StartError;
pub use refused::Refused;
pub use state_file::StateFileError;
pub use transcript::AppendError;
pub use users::{Users, UsersError};
