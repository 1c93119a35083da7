//! Looks at a backend now and then, and at once where a request gives reason to.

use std::time::Duration;

use tokio::time::sleep;

use super::backend::{Backend, Standing};

/// Between two looks at one that is up.
const UP: Duration = Duration::from_secs(10);

/// Between two looks at one that is down: whoever waits for it wants to know soon.
const DOWN: Duration = Duration::from_secs(1);

/// Looks at it until it is dropped.
pub(super) async fn watch(backend: &Backend) {
    loop {
        backend.look().await;
        let pause = match backend.standing().await {
            Standing::Up(_) => UP,
            Standing::Down { .. } | Standing::Unknown => DOWN,
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = backend.doubted() => {}
        }
    }
}
