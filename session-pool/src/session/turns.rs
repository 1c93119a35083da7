//! Who comes after whom: commands of one session are checked, and take their places in its queue, in
//! the order in which they came. One that overtook another could miss what that one sets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::future::poll_immediate;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::domain::session_key::SessionKey;

/// The lines of all sessions.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<SessionKey, Weak<AsyncMutex<()>>>>);

impl Turns {
    /// Takes a place in a session's line, now; what it returns resolves when it is its turn, which
    /// lasts as long as the guard.
    ///
    /// # Errors
    /// How many are in the line, where those are more than `most`.
    pub(super) async fn line_up(
        &self,
        key: &SessionKey,
        most: usize,
    ) -> Result<impl Future<Output = OwnedMutexGuard<()>> + use<>, usize> {
        let line = self.line(key);
        // Each in the line has one, and so has this.
        let waiting = Arc::strong_count(&line) - 1;
        if waiting > most {
            return Err(waiting);
        }
        let mut turn = Box::pin(line.lock_owned());
        // A place is taken by the first look.
        let now = poll_immediate(&mut turn).await;
        Ok(async move {
            match now {
                Some(turn) => turn,
                None => turn.await,
            }
        })
    }

    fn line(&self, key: &SessionKey) -> Arc<AsyncMutex<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(key).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(AsyncMutex::new(()));
        lines.insert(key.clone(), Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::FutureExt as _;

    use super::super::testing::key;
    use super::*;

    #[tokio::test]
    async fn turns_come_in_the_order_in_which_they_were_asked_for() {
        let turns = Turns::default();
        let first = turns.line_up(&key(), 2).await.unwrap();
        let second = turns.line_up(&key(), 2).await.unwrap();
        let mut third = Box::pin(turns.line_up(&key(), 2).await.unwrap());
        assert_eq!(turns.line_up(&key(), 2).await.err(), Some(3));
        let first = first.await;
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!((&mut third).now_or_never().is_none());
        drop(second.await);
        assert!(third.now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_gives_up_holds_nobody_up() {
        let turns = Turns::default();
        let first = turns.line_up(&key(), 2).await.unwrap();
        let second = turns.line_up(&key(), 2).await.unwrap();
        drop(first);
        assert!(second.now_or_never().is_some());
        assert!(turns.line(&key()).try_lock().is_ok());
    }
}
