//! The session pool's part of `mm sign-in` and `mm sign-out`: what `session-pool sign-in` does.

use std::time::Duration;

use session_pool::domain::attendance::Attendance;
use session_pool::domain::wire::{AnswerStatus, SignInRequest, SignOutRequest};

use super::pool;
use super::screen::{Countdown, say};
use crate::config::Overrides;
use crate::tools::Failure;

/// Between two looks at the sessions.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Signs modules in, and waits for the people; `Error` where somebody has not signed in.
pub(super) async fn attend(
    connection: &str,
    modules: Option<Vec<String>>,
    overrides: &Overrides,
) -> Result<AnswerStatus, Failure> {
    if modules.as_ref().is_some_and(Vec::is_empty) {
        return Ok(AnswerStatus::Success);
    }
    let pool = pool(overrides)?;
    let request = SignInRequest {
        connection: Some(connection.to_owned()),
        modules,
        caller_id: Some("mm sign-in".to_owned()),
    };
    let answer = pool.sign_in(&request).await?;
    let (mut attendance, mut lines) = Attendance::new(connection, answer);
    let mut countdown = Countdown::default();
    loop {
        lines.iter().for_each(|line| say(line));
        let Some(left) = attendance.countdown() else {
            return Ok(match attendance.has_failed() {
                true => AnswerStatus::Error,
                false => AnswerStatus::Success,
            });
        };
        countdown.show(&left);
        tokio::time::sleep(LOOK_EVERY).await;
        lines = attendance.look(&pool.status().await?);
    }
}

/// Signs modules out; `Error` where something of a sign-in is left.
pub(super) async fn sign_out(
    connection: &str,
    modules: Option<Vec<String>>,
    overrides: &Overrides,
) -> Result<AnswerStatus, Failure> {
    if modules.as_ref().is_some_and(Vec::is_empty) {
        return Ok(AnswerStatus::Success);
    }
    let request = SignOutRequest {
        connection: Some(connection.to_owned()),
        modules,
    };
    let answer = pool(overrides)?.sign_out(&request).await?;
    answer.lines(connection).iter().for_each(|line| say(line));
    Ok(answer.status)
}
