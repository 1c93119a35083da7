//! A command that waits for a yes, with a client that can ask a person.
//!
//! The pool makes and spends the yes. Such a client never gets the code: the person is asked by
//! their client's form, and the pool is told.

use session_pool::domain::audit::ConfirmedHow;
use session_pool::domain::policy::ConfirmationRequest;
use session_pool::domain::wire::{AnswerStatus, JobAnswer};

use super::run::Command;
use super::{Caller, Failure, Outcome};
use crate::consent::{Binding, Reply, Way};
use crate::graph::Question;
use crate::pool::Pool;

/// A command whose facts change while a person is asked is asked about again, this often.
const MOST_QUESTIONS: u32 = 3;

/// What a form is bound to.
pub(super) struct AskedBefore(Binding);

impl AskedBefore {
    /// This command, from this client.
    pub(super) fn of(command: &Command, caller: &Caller) -> Self {
        let request = command.request();
        let texts = [
            &request.connection,
            &request.module,
            &request.site,
            &request.command,
            &caller.name,
        ];
        Self(Binding::of(
            "run",
            texts.map(|text| text.as_deref().map(str::as_bytes)),
        ))
    }

    /// Sends the command and waits; where it needs a yes, asks for it and sends it again. That a yes
    /// is needed may be known only after the wait: such a command is queued until it is judged.
    pub(super) async fn run(
        self,
        pool: &Pool,
        command: &Command,
        caller: &mut Caller,
    ) -> Result<Outcome, Failure> {
        if matches!(caller.asking.way, Way::Form) {
            self.take_reply(pool, caller).await?;
        }
        for _ in 0..MOST_QUESTIONS {
            let answer = command.send(pool, caller).await?;
            let Some(asked) = waits(&answer).filter(|_| caller.asking.can_ask()) else {
                return Ok(Outcome::Job(Box::new(answer)));
            };
            let message = question(&answer, asked);
            if matches!(caller.asking.way, Way::Form) {
                let Some(consents) = &caller.consents else {
                    break;
                };
                let state = consents.state(self.0, Some(asked.id.clone()))?;
                return Ok(Outcome::Question(Box::new(Question { message, state })));
            }
            let reply = tokio::select! {
                reply = caller.asking.ask(&message) => reply,
                // Who cancels the call has said enough.
                () = caller.cancelled.cancelled() => None,
            };
            match reply {
                Some(Reply::Yes) => {
                    let how = match caller.asking.way {
                        Way::Terminal => ConfirmedHow::Command,
                        _ => ConfirmedHow::Elicitation,
                    };
                    pool.confirm(&asked.id, how).await?;
                }
                _ => return Err(Failure::Declined),
            }
        }
        // The pool still asks: the answer says how a person can say yes elsewhere.
        let answer = command.send(pool, caller).await?;
        Ok(Outcome::Job(Box::new(answer)))
    }

    /// What was said to the form of an earlier call, perhaps of another process.
    async fn take_reply(&self, pool: &Pool, caller: &Caller) -> Result<(), Failure> {
        let (Some(reply), Some(consents)) = (caller.asking.reply, &caller.consents) else {
            return Ok(());
        };
        let opened = match &caller.asking.state {
            Some(state) => consents.answered(self.0, state)?,
            None => None,
        };
        match (reply, opened.and_then(|opened| opened.about)) {
            (Reply::No, _) => Err(Failure::Declined),
            // Where the pool does not know it any more, it asks anew.
            (Reply::Yes, Some(id)) => match pool.confirm(&id, ConfirmedHow::Elicitation).await {
                Err(error) if error.is_missing_job() => Ok(()),
                confirmed => Ok(confirmed?),
            },
            (Reply::Yes, None) => Ok(()),
        }
    }
}

fn waits(answer: &JobAnswer) -> Option<&ConfirmationRequest> {
    answer
        .confirmation
        .as_ref()
        .filter(|_| answer.status == AnswerStatus::ConfirmationRequired)
}

fn question(answer: &JobAnswer, asked: &ConfirmationRequest) -> String {
    let tenant = answer.tenant.as_deref();
    let tenant = tenant.unwrap_or("not named in the registry");
    format!(
        "Connection: {} | tenant: {tenant} | module: {}\n\n{}",
        answer.connection,
        answer.module,
        session_pool::domain::visible::visible(&asked.preview)
    )
}
