//! Whether a command may run: facts from the checker, a decision from the policy, a yes where one
//! is needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::audit::{Confirmation, ConfirmedHow};
use crate::domain::caller_state::may_set_state;
use crate::domain::policy::{
    ConfirmBy, ConfirmationRequest, Decision, Facts, Policy, SendGuards, Verdict, WhatIf, preview,
};
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;
use crate::domain::visible::visible;
use crate::host::checker::CheckError;
use crate::host::{Reaper, SpawnSpec};

use super::audit_log::Asked;
use super::checking::{Checking, Question, WAITING};
use super::confirmations::{Binding, Confirmations, NothingToConfirm, Yes};
use super::ending::{Ending, Failure, FailureCode};
use super::policy_file::PolicyHandle;

/// What a guard is made of.
#[derive(Debug)]
pub struct GuardParts {
    /// How the checker's process is started.
    pub spec: SpawnSpec,
    /// Ends the process where the pool cannot.
    pub reaper: Reaper,
    /// The policy, as it changes.
    pub policy: PolicyHandle,
    /// Whether sends need a yes.
    pub sends: SendGuards,
}

/// What a caller asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) key: &'a SessionKey,
    pub(super) connection: &'a Connection,
    pub(super) command: &'a str,
    /// The code of an earlier answer.
    pub(super) code: Option<&'a str>,
    /// The original's word for a yes.
    pub(super) confirmed: bool,
    /// Who is signed in to the session, where somebody is.
    pub(super) account: Option<&'a str>,
}

impl Ask<'_> {
    /// Whom a yes is bound to: the account that the command would run as, as far as that is known.
    fn account(&self) -> Option<&str> {
        self.account.or(self.connection.expected_email.as_deref())
    }

    fn binding(&self, facts: &Facts) -> Binding {
        Binding::of(
            self.key,
            self.connection,
            self.account(),
            self.command,
            facts,
        )
    }
}

/// A command that may run.
#[derive(Debug, Default)]
pub(super) struct Passage {
    facts: Arc<Facts>,
    /// What it was let through for: a stricter decision stops it after all.
    up_to: Decision,
    /// What its caller should mind.
    pub(super) warnings: Vec<String>,
    /// The yes that let it through, where one was needed.
    yes: Mutex<Option<Yes>>,
    /// What it had to be said to, and to whose account it was bound; nothing where nobody was asked.
    confirmed: Option<(Verdict, Option<String>)>,
}

impl Passage {
    /// Whether the command may set variables, functions or aliases, or choose where others act.
    pub(super) fn may_set_state(&self) -> bool {
        may_set_state(&self.facts)
    }

    /// The command begins: the yes it was let through for is used up.
    pub(super) fn begin(&self) {
        let yes = self
            .yes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(yes) = yes {
            yes.use_up();
        }
    }
}

/// A command that does not run as it is.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) ending: Ending,
    /// What to ask the command itself before somebody is asked for a yes.
    pub(super) what_if: Option<WhatIf>,
}

impl Stopped {
    const fn of(ending: Ending) -> Self {
        Self {
            ending,
            what_if: None,
        }
    }
}

/// What somebody has said to a command.
enum Said {
    No,
    Yes(Yes),
    /// A caller's word was enough.
    Word,
}

/// Decides on commands.
#[derive(Debug)]
pub struct Guard {
    questions: mpsc::Sender<Question>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
    policy: PolicyHandle,
    sends: SendGuards,
    confirmations: Arc<Confirmations>,
}

impl Guard {
    /// Starts the checker's task.
    pub fn start(parts: GuardParts) -> Self {
        let GuardParts {
            spec,
            reaper,
            policy,
            sends,
        } = parts;
        let (questions, receiver) = mpsc::channel(WAITING);
        let stop = CancellationToken::new();
        let checking = Checking {
            spec,
            reaper,
            stop: stop.clone(),
        };
        if sends != SendGuards::On {
            tracing::warn!(
                ?sends,
                "messages are not bound to what was shown before: MM_SEND_GUARDS says so"
            );
        }
        Self {
            questions,
            task: Mutex::new(Some(tokio::spawn(checking.run(receiver)))),
            stop,
            policy,
            sends,
            confirmations: Arc::default(),
        }
    }

    /// One that knows only the policy.
    #[cfg(test)]
    pub(super) fn without_checker(policy: PolicyHandle) -> Self {
        Self {
            questions: mpsc::channel(1).0,
            task: Mutex::new(None),
            stop: CancellationToken::new(),
            policy,
            sends: SendGuards::On,
            confirmations: Arc::default(),
        }
    }

    /// The policy in use.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.policy()
    }

    /// Ends the checker's process, and waits for that. From then on everything is refused.
    pub async fn end(&self) {
        self.stop.cancel();
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            // Its only failure would be a panic, which has been reported.
            drop(task.await);
        }
    }

    /// What the policy says to a command; nothing is run, and nothing is asked of anybody.
    pub(super) async fn explain(
        &self,
        key: &SessionKey,
        connection: &Connection,
        command: &str,
    ) -> Verdict {
        match self.facts(command).await {
            Ok(facts) => self.decide(key, connection, &facts).0,
            Err(error) => no_facts(error.as_ref()),
        }
    }

    /// Lets a command through, or says what becomes of it instead. What the audit will say of it is
    /// noted in `asked`.
    pub(super) async fn pass(&self, ask: Ask<'_>, asked: &mut Asked) -> Result<Passage, Stopped> {
        let facts = self
            .facts(ask.command)
            .await
            .map_err(|error| Stopped::of(unjudged(error)))?;
        asked.note_facts(&facts);
        let (verdict, unguarded) = self.decide(ask.key, ask.connection, &facts);
        asked.note_verdict(&verdict);
        let said = |how| Confirmation {
            by: ConfirmBy::Assistant,
            how,
        };
        if unguarded {
            asked.confirmation = Some(said(ConfirmedHow::GuardsOff));
        }
        let mut yes = None;
        let mut confirmed = None;
        match verdict.decision {
            Decision::Block => return Err(Stopped::of(Ending::Blocked(verdict))),
            Decision::Confirm => match self.find_yes(&ask, &facts, verdict.confirm_by) {
                Said::No => {
                    return Err(Stopped {
                        ending: self.ask_for_yes(&ask, &facts, verdict),
                        what_if: facts.what_if,
                    });
                }
                Said::Yes(said) => {
                    asked.confirmation = said.confirmation();
                    confirmed = Some((verdict.clone(), ask.account().map(str::to_owned)));
                    yes = Some(said);
                }
                Said::Word => asked.confirmation = Some(said(ConfirmedHow::Legacy)),
            },
            Decision::Allow | Decision::Warn => {}
        }
        Ok(Passage {
            warnings: verdict.sentences(Decision::Warn).collect(),
            up_to: verdict.decision.max(Decision::Warn),
            facts: Arc::new(facts),
            yes: Mutex::new(yes),
            confirmed,
        })
    }

    /// A preview with what the command said it would do.
    pub(super) fn add_to_preview(
        &self,
        request: ConfirmationRequest,
        said: &str,
    ) -> ConfirmationRequest {
        let added = format!("\nWith -WhatIf it says:\n{}\n", visible(said));
        self.confirmations
            .add(&request.id, &added, Instant::now())
            .unwrap_or(request)
    }

    /// Asks anew where the yes was said to another account than the one the command would now run
    /// as.
    pub(super) fn still_meant(&self, ask: Ask<'_>, passage: &Passage) -> Result<(), Ending> {
        let Some((verdict, account)) = &passage.confirmed else {
            return Ok(());
        };
        let same = match (account.as_deref(), ask.account()) {
            (Some(meant), Some(now)) => meant.eq_ignore_ascii_case(now),
            (meant, now) => meant == now,
        };
        if same {
            return Ok(());
        }
        Err(self.ask_for_yes(&ask, &passage.facts, verdict.clone()))
    }

    /// Decides once more when the command's turn has come: the policy may have changed.
    pub(super) fn still_passes(
        &self,
        key: &SessionKey,
        connection: &Connection,
        passage: &Passage,
    ) -> Result<(), Ending> {
        let (verdict, _) = self.decide(key, connection, &passage.facts);
        if verdict.decision <= passage.up_to {
            return Ok(());
        }
        Err(Ending::Blocked(verdict))
    }

    /// A person says yes to what waits under this id.
    ///
    /// # Errors
    /// [`NothingToConfirm`].
    pub fn approve(&self, id: &str, how: ConfirmedHow) -> Result<(), NothingToConfirm> {
        self.confirmations.approve(id, how, Instant::now())
    }

    /// What waits under this id.
    ///
    /// # Errors
    /// [`NothingToConfirm`].
    pub fn pending(&self, id: &str) -> Result<ConfirmationRequest, NothingToConfirm> {
        self.confirmations.show(id, Instant::now())
    }

    /// The decision, and whether it would be another one with send guards.
    fn decide(&self, key: &SessionKey, connection: &Connection, facts: &Facts) -> (Verdict, bool) {
        let policy = self.policy.policy();
        let verdict = policy.decide(key.connection().as_str(), key.module(), facts);
        let off = self.sends == SendGuards::Off || connection.skip_send_guards;
        if !off {
            return (verdict, false);
        }
        let unguarded = policy.decide_unguarded(key.connection().as_str(), key.module(), facts);
        if unguarded == verdict {
            return (verdict, false);
        }
        tracing::warn!(session = %key, "a message is sent without being shown first: send guards are off");
        (unguarded, true)
    }

    fn find_yes(&self, ask: &Ask<'_>, facts: &Facts, by: ConfirmBy) -> Said {
        if by == ConfirmBy::Assistant && self.sends == SendGuards::Legacy && ask.confirmed {
            tracing::warn!(session = %ask.key, "confirmed by the word of the caller alone: MM_SEND_GUARDS=legacy");
            return Said::Word;
        }
        let now = Instant::now();
        match self
            .confirmations
            .take(ask.binding(facts), by, ask.code, now)
        {
            Some(yes) => Said::Yes(yes),
            None => Said::No,
        }
    }

    fn ask_for_yes(&self, ask: &Ask<'_>, facts: &Facts, verdict: Verdict) -> Ending {
        let place = preview::Place {
            session: &ask.key.to_string(),
            tenant: ask.connection.tenant.as_deref(),
            account: ask.account(),
            signed_in: ask.account.is_some(),
        };
        let text = preview::text(place, ask.command, facts, &verdict);
        let asked =
            self.confirmations
                .ask(ask.binding(facts), verdict.confirm_by, text, Instant::now());
        match asked {
            Ok(request) => Ending::ConfirmationRequired { verdict, request },
            Err(_) => Ending::Blocked(Verdict::blocked(
                "no-confirmation",
                "it needs a yes, and the system gives no random numbers to make one safe",
                "look after the machine the pool runs on",
            )),
        }
    }

    /// Facts; nothing where the checker's task has ended with the pool.
    async fn facts(&self, command: &str) -> Result<Facts, Option<CheckError>> {
        let (answer, receiver) = oneshot::channel();
        let question = Question {
            text: command.to_owned(),
            answer,
        };
        self.questions.send(question).await.map_err(|_| None)?;
        receiver.await.map_err(|_| None)?.map_err(Some)
    }
}

/// What becomes of a command of which nothing is known: it is never run.
fn unjudged(error: Option<CheckError>) -> Ending {
    match error {
        // No rule has anything against it: the machine lacks what it takes to look.
        Some(error @ CheckError::Host(_)) => Ending::Failed(Failure::new(
            FailureCode::NotChecked,
            format!("nothing was run, because every command is checked before: {error}"),
        )),
        error => Ending::Blocked(no_facts(error.as_ref())),
    }
}

fn no_facts(error: Option<&CheckError>) -> Verdict {
    let reason = error.map_or_else(
        || "the process that checks commands has ended".to_owned(),
        ToString::to_string,
    );
    Verdict::blocked(
        "no-facts",
        &format!("nothing is known of this command, so it is refused: {reason}"),
        "send it again; split it where it is very long; look into the pool's log",
    )
}
