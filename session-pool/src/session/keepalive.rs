//! The check that keeps an idle sign-in alive, and tells when it has died.

use crate::domain::connect;
use crate::domain::life::{Check, Event};
use crate::host::Outcome;

use jiff::Timestamp;

use super::process::{Driven, End, Flow, OwnAnswer, OwnError};
use super::serving::NO_PROCESS;
use super::stop::StopOrder;
use super::telemetry::{self, Ping, ProcessEnd};
use super::worker::Worker;

/// How long a service has for its answer.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(60);

impl Worker {
    /// Makes one cheap call to the service. A command that comes meanwhile goes first.
    pub(super) async fn check(&mut self) -> Event {
        let grace = self.shared.grace;
        let until = tokio::time::Instant::now() + ANSWER;
        let mut stop = self.stop.clone();
        let inbox = &self.inbox;
        let called_away = async {
            tokio::select! {
                order = stop.requested() => order,
                () = inbox.arrival() => StopOrder { by: "a command", grace },
            }
        };
        let Some(process) = self.process.as_mut() else {
            return Event::ProcessGone(NO_PROCESS.to_owned());
        };
        let script = connect::ping(self.key.module());
        let asked = process.ask(script, ANSWER, grace, called_away).await;
        let check = match asked {
            Ok(answer) => Some(judge(&answer)),
            Err(OwnError::Interrupted { stuck: false, .. }) => None,
            // It hears no request to stop. To kill it would cost the sign-in; it has its time.
            Err(OwnError::Interrupted { stuck: true, .. }) => match self.outlast(until).await {
                Ok(()) => None,
                Err(event) => return event,
            },
            Err(OwnError::Late { stuck: false, .. }) => Some(Check::Silent),
            Err(error @ (OwnError::Late { .. } | OwnError::Gone(_))) => {
                self.note_ping(Ping::Failed);
                self.end_process(ProcessEnd::Killed).await;
                return Event::ProcessGone(lost_under_check(&error));
            }
        };
        self.note_ping(match &check {
            None => Ping::Left,
            Some(Check::Alive) => Ping::Alive,
            Some(Check::Unclear) => Ping::Unclear,
            Some(Check::Dead(_) | Check::Silent) => Ping::Failed,
        });
        check.map_or(Event::CheckLeft, Event::Checked)
    }

    /// Waits for the end of a check that cannot be stopped.
    async fn outlast(&mut self, until: tokio::time::Instant) -> Result<(), Event> {
        let mut stop = self.stop.clone();
        let Some(process) = self.process.as_mut() else {
            return Err(Event::ProcessGone(NO_PROCESS.to_owned()));
        };
        let grace = std::time::Duration::ZERO;
        let driven = process
            .drive(until, grace, stop.requested(), |_| Flow::<()>::Continue)
            .await;
        match driven {
            Driven::Ended {
                end: End::Finished(_),
                ..
            } => Ok(()),
            Driven::Ended {
                end: End::Gone(error),
                ..
            } => {
                self.end_process(ProcessEnd::Died).await;
                Err(Event::ProcessGone(lost_under_check(&error)))
            }
            Driven::Left(())
            | Driven::Ended {
                end: End::Stuck, ..
            } => {
                self.end_process(ProcessEnd::Killed).await;
                Err(Event::ProcessGone(lost_under_check(&OwnError::Late {
                    within: ANSWER,
                    stuck: true,
                })))
            }
        }
    }

    fn note_ping(&self, ping: Ping) {
        let (connection, module) = (self.key.connection().as_str(), self.key.module());
        if ping != Ping::Left {
            let now = Timestamp::now();
            self.view.send_modify(|view| view.last_ping = Some(now));
        }
        telemetry::ping(connection, module, ping);
        match ping {
            Ping::Alive | Ping::Left => tracing::debug!(session = %self.key, ?ping, "keepalive"),
            Ping::Unclear => {
                tracing::warn!(session = %self.key, "keepalive: the service says nothing about the sign-in");
            }
            Ping::Failed => {
                tracing::warn!(session = %self.key, "keepalive: the sign-in is dead, or there is no answer");
            }
        }
    }
}

fn judge(answer: &OwnAnswer) -> Check {
    match &answer.finished.outcome {
        Outcome::Completed => connect::pong(None, &answer.records),
        Outcome::Failed(error) => connect::pong(Some(error), &answer.records),
        Outcome::ParseFailed(_) | Outcome::Stopped => Check::Unclear,
    }
}

fn lost_under_check(error: &dyn std::fmt::Display) -> String {
    format!("the PowerShell process was lost while its sign-in was checked: {error}")
}
