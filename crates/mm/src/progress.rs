//! Telling a client that a call goes on, while it waits.

use std::time::Instant;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use session_pool::domain::record::Progress;
use session_pool::domain::wire::JobAnswer;

/// Who wants to hear of a call's progress.
pub(crate) struct Reporter {
    listener: Option<(Peer<RoleServer>, ProgressToken)>,
    begun: Instant,
    scale: Scale,
}

impl Reporter {
    /// Reports to this client, where it gave a token for it.
    pub(crate) fn new(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Self {
        Self {
            listener: token.map(|token| (peer, token)),
            begun: Instant::now(),
            scale: Scale::default(),
        }
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.listener.is_some()
    }

    /// Says something about a call that has no job.
    pub(crate) async fn note(&mut self, message: String) {
        let Some((peer, token)) = &self.listener else {
            return;
        };
        let elapsed = self.begun.elapsed().as_secs_f64();
        let Some((value, _)) = self.scale.next(elapsed, None) else {
            return;
        };
        let notification =
            ProgressNotificationParam::new(token.clone(), value).with_message(message);
        let _ = peer.notify_progress(notification).await;
    }

    /// Says how far the job is.
    pub(crate) async fn report(&mut self, answer: &JobAnswer) {
        let Some((peer, token)) = &self.listener else {
            return;
        };
        let elapsed = self.begun.elapsed().as_secs_f64();
        let progress = answer.progress.as_ref();
        let Some((value, total)) = self.scale.next(elapsed, progress.and_then(|p| p.percent))
        else {
            return;
        };
        let message = match progress {
            Some(progress) => describe(progress),
            None => format!("{} for {elapsed:.0} s", answer.state),
        };
        let mut notification =
            ProgressNotificationParam::new(token.clone(), value).with_message(message);
        if let Some(total) = total {
            notification = notification.with_total(total);
        }
        // A client that has gone hears nothing more, and the end of its input says so.
        let _ = peer.notify_progress(notification).await;
    }
}

/// A command's own progress in one line.
pub(crate) fn describe(progress: &Progress) -> String {
    let mut text = progress.activity.clone();
    if !progress.status.is_empty() {
        text.push_str(&format!(": {}", progress.status));
    }
    if let Some(percent) = progress.percent {
        text.push_str(&format!(" ({percent} %)"));
    }
    if let Some(seconds) = progress.seconds_remaining {
        text.push_str(&format!(", {seconds} s left"));
    }
    text
}

/// Numbers that only rise, as the protocol demands: per cent as long as the command gives them and
/// they rise, else seconds. A command that goes on after its 100 % is counted on in seconds.
#[derive(Debug, Default)]
struct Scale {
    last: f64,
    last_elapsed: f64,
    in_percent: bool,
    is_beyond: bool,
}

impl Scale {
    /// A hair, for a command whose percentage stands still.
    const STEP: f64 = 0.001;

    /// The next number, with what it is out of where that is known.
    fn next(&mut self, elapsed: f64, percent: Option<u8>) -> Option<(f64, Option<f64>)> {
        let since = elapsed - self.last_elapsed;
        self.last_elapsed = elapsed;
        let percent = percent.map(f64::from);
        self.in_percent |= percent.is_some_and(|percent| percent > self.last);
        self.is_beyond |= self.in_percent && self.last + Self::STEP > 100.0;
        let value = if self.is_beyond {
            self.last + since
        } else if self.in_percent {
            percent.unwrap_or_default().max(self.last + Self::STEP)
        } else {
            elapsed
        };
        if value <= self.last {
            return None;
        }
        self.last = value;
        let is_share = self.in_percent && !self.is_beyond;
        Some((value, is_share.then_some(100.0)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn numbers_only_rise() {
        let mut scale = Scale::default();
        let heard: Vec<(f64, Option<f64>)> = [
            (1.0, None),
            (2.0, Some(1)),
            (3.0, Some(50)),
            (4.0, Some(50)),
            (5.0, Some(10)),
            (6.0, None),
            (7.0, Some(100)),
            (8.0, Some(100)),
            (9.5, None),
            (10.0, Some(3)),
        ]
        .into_iter()
        .filter_map(|(elapsed, percent)| scale.next(elapsed, percent))
        .collect();
        assert!(
            heard.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{heard:?}"
        );
        assert_eq!(heard.len(), 10, "it never falls silent");
        assert_eq!(heard[0], (1.0, None));
        assert_eq!(heard[6], (100.0, Some(100.0)));
        assert_eq!(heard[9], (103.0, None), "no share of the whole any more");
    }

    #[test]
    fn the_commands_own_words_are_passed_on() {
        let progress = Progress {
            activity: "Reading".into(),
            status: "mailbox 4 of 10".into(),
            percent: Some(40),
            seconds_remaining: Some(6),
            completed: false,
        };
        assert_eq!(
            describe(&progress),
            "Reading: mailbox 4 of 10 (40 %), 6 s left"
        );
    }
}
