//! What a call tells while it goes on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The service asked for patience.
    Waiting { wait: Duration, number: u32 },
    /// So many items are there.
    Items { items: usize, total: Option<u64> },
    /// So many parts of a batch are done.
    Batch { number: usize, count: usize },
    /// So much of a file is sent.
    Uploaded { sent: u64, size: u64 },
}

/// Who wants to hear it.
pub(crate) trait Hears: Send {
    /// Takes it.
    fn hear<'a>(&'a mut self, heard: Heard) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { wait, number } => write!(
                f,
                "the service asks for patience: waiting {} s (attempt {number})",
                wait.as_secs().max(1)
            ),
            Self::Items {
                items,
                total: Some(total),
            } => write!(f, "{items} of {total} items"),
            Self::Items { items, total: None } => write!(f, "{items} items so far"),
            Self::Batch { number, count } => write!(f, "batch {} of {count}", number + 1),
            Self::Uploaded { sent, size } => {
                write!(f, "{} of {} MB sent", sent >> 20, size >> 20)
            }
        }
    }
}
