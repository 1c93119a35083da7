//! How a job and a page of its output become one answer.

use crate::domain::format::FormatName;
use crate::domain::job::JobState;
use crate::domain::paging::Page;
use crate::domain::policy::{ConfirmationRequest, Decision, Verdict};
use crate::domain::session_key::SessionKey;
use crate::domain::state::{PendingSignIn, time_left};
use crate::domain::wire::{AnswerStatus, JobAnswer};

use super::ending::Ending;
use super::job::{Job, Snapshot};
use super::phase::Phase;

/// The answer for a job as it was at the snapshot. `left`: characters behind the page, where the
/// page is full.
pub(super) fn assemble(job: &Job, snapshot: &Snapshot, page: Page, left: Option<u64>) -> JobAnswer {
    let order = job.order();
    let state = snapshot.phase.state();
    let more = left.is_some() || !state.is_final();
    let mut output = page.output;
    if !more && job.format() == FormatName::Text && output.ends_with('\n') {
        output.pop();
    }
    let mut answer = JobAnswer {
        status: status(state),
        job: job.id(),
        state,
        connection: order.key.connection().to_string(),
        tenant: order.tenant.clone(),
        module: order.key.module(),
        session_id: order.key.to_string(),
        format: job.format(),
        output,
        errors: page.errors,
        warnings: page.warnings,
        messages: page.messages,
        error_count: snapshot.errors,
        warning_count: snapshot.warnings,
        cursor: more.then(|| page.next.to_string()),
        remaining_characters: left.map(|characters| characters.saturating_sub(page.next.offset)),
        partial: page.partial,
        output_lost: false,
        error: None,
        code: None,
        rules: Vec::new(),
        confirmation: None,
        authenticated_as: snapshot.signed_in_as.clone(),
        device_code: None,
        auth_url: None,
        message: None,
        expires_in: None,
        expected_account: None,
        asked_by: None,
        reason: None,
        progress: snapshot.progress.clone(),
        created_at: job.created_at(),
        started_at: snapshot.phase.started_at(),
        finished_at: snapshot.phase.finished_at(),
    };
    if let Phase::Finished { ending, .. } = &snapshot.phase {
        add_ending(&mut answer, job, ending);
    }
    answer
}

/// The answer for a job whose output was dropped or cannot be read.
pub(super) fn assemble_without_output(job: &Job, snapshot: &Snapshot) -> JobAnswer {
    let mut answer = assemble(job, snapshot, Page::default(), None);
    answer.output_lost = true;
    answer.message.get_or_insert_with(|| {
        "The command ran, and its output is gone: the pool keeps no more results, or cannot read \
         them. Do not repeat it blindly: look first what it has changed."
            .to_owned()
    });
    answer
}

/// The word that the original's clients read.
pub(super) const fn status(state: JobState) -> AnswerStatus {
    match state {
        JobState::Queued | JobState::Running => AnswerStatus::Running,
        JobState::Succeeded => AnswerStatus::Success,
        JobState::AuthRequired => AnswerStatus::AuthRequired,
        JobState::Blocked => AnswerStatus::Blocked,
        JobState::ConfirmationRequired => AnswerStatus::ConfirmationRequired,
        JobState::Failed | JobState::Cancelled | JobState::TimedOut | JobState::Lost => {
            AnswerStatus::Error
        }
    }
}

fn add_ending(answer: &mut JobAnswer, job: &Job, ending: &Ending) {
    match ending {
        Ending::Succeeded => {}
        Ending::Failed(failure) => {
            answer.error = Some(failure.message.clone());
            answer.code = Some(failure.code.as_str().to_owned());
        }
        Ending::Cancelled { by } => {
            answer.error = Some(format!(
                "cancelled by {by}; what it had put out until then is kept, and what it had changed \
                 stays changed"
            ));
            answer.code = Some("cancelled".to_owned());
        }
        Ending::TimedOut { session_lost } => {
            let seconds = job.order().timeout.as_secs();
            let session = if *session_lost {
                "it did not stop within its grace period, so its PowerShell process was ended, and \
                 the sign-in with it"
            } else {
                "the session and its sign-in live on"
            };
            answer.error = Some(format!(
                "timed out after {seconds} s and was stopped; {session}. Send it again with a \
                 larger timeout_seconds (at most 3600), or ask for less"
            ));
            answer.code = Some("timed_out".to_owned());
        }
        Ending::AuthRequired(pending) => add_sign_in(answer, job, pending),
        Ending::Blocked(verdict) => add_block(answer, verdict),
        Ending::ConfirmationRequired { verdict, request } => {
            add_confirmation(answer, verdict, request);
        }
        Ending::BeforeRestart(state) => add_restart(answer, *state),
    }
}

fn add_block(answer: &mut JobAnswer, verdict: &Verdict) {
    let reasons: Vec<_> = verdict.sentences(Decision::Block).collect();
    answer.error = Some(format!(
        "the policy refuses this command, and nothing was run. {}",
        reasons.join(". ")
    ));
    answer.code = Some("blocked".to_owned());
    answer.rules.clone_from(&verdict.rules);
}

fn add_confirmation(answer: &mut JobAnswer, verdict: &Verdict, request: &ConfirmationRequest) {
    let minutes = request.expires_in.div_ceil(60);
    answer.message = Some(match &request.code {
        Some(code) => format!(
            "Nothing was run. Look at the preview; to go on, send the very same command again with \
             \"confirmation\": \"{code}\" within {minutes} minutes.\n\n{}",
            request.preview
        ),
        None => format!(
            "Nothing was run: this waits for a person. Show them the preview; they say yes with \
             `session-pool confirm {}` within {minutes} minutes. Then send the very same command \
             again.\n\n{}",
            request.id, request.preview
        ),
    });
    answer.code = Some("confirmation_required".to_owned());
    answer.rules.clone_from(&verdict.rules);
    answer.confirmation = Some(request.clone());
}

fn add_restart(answer: &mut JobAnswer, state: JobState) {
    answer.output_lost = true;
    answer.code = Some(state.as_str().to_owned());
    answer.error = match state {
        JobState::Succeeded => None,
        JobState::Lost => Some(
            "the pool ended before this job did, and how far the command came is unknown. Do not \
             repeat it blindly: look first what it has changed"
                .to_owned(),
        ),
        ended => Some(format!(
            "this job ended as {ended} before the pool was restarted; its output is gone. Do not \
             repeat it blindly: look first what it has changed"
        )),
    };
    if state == JobState::Succeeded {
        answer.message = Some(
            "this job succeeded before the pool was restarted, but its output is gone. Do not \
             repeat a command that changes things; one that only reads can be run again"
                .to_owned(),
        );
        answer.code = Some("output_lost".to_owned());
    }
}

fn add_sign_in(answer: &mut JobAnswer, job: &Job, pending: &PendingSignIn) {
    let order = job.order();
    let seconds = pending.seconds_left(jiff::Timestamp::now());
    let asked_by = pending.asked_by.as_ref();
    let then = if job.summary().started_at.is_some() {
        "The command had begun when it met the dead sign-in, and is not run again by itself: see in \
         its output how far it came before you send it again."
    } else {
        "Then send the same command again: it has not been run."
    };
    let who = Who {
        expected: order.expected_account.as_deref(),
        asks: order.caller.as_deref(),
    };
    let what = what_to_do(&order.key, pending, who);
    answer.message = Some(format!("{what} {then}"));
    answer.device_code = Some(pending.code.clone());
    answer.auth_url = Some(pending.url.clone());
    answer.expires_in = Some(seconds);
    answer.expected_account = order.expected_account.clone();
    answer.asked_by = asked_by.cloned();
    answer.reason.clone_from(&pending.after);
    answer.code = Some("auth_required".to_owned());
}

/// Who is to sign in, and who is told that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'a> {
    /// The account that the registry expects.
    pub(super) expected: Option<&'a str>,
    /// The caller, as it names itself.
    pub(super) asks: Option<&'a str>,
}

/// What a person has to do who is shown this code for a session.
pub(super) fn what_to_do(key: &SessionKey, pending: &PendingSignIn, who: Who<'_>) -> String {
    let after = pending.after.as_ref().map_or_else(String::new, |reason| {
        let end = if reason.ends_with('.') { "" } else { "." };
        format!("A sign-in is needed again: {reason}{end} ")
    });
    let account = who
        .expected
        .map_or_else(String::new, |account| format!(" as {account}"));
    let asked_by = pending.asked_by.as_deref();
    let asked = asked_by
        .filter(|by| who.asks != Some(by))
        .map_or_else(String::new, |by| format!(" (asked for by {by})"));
    format!(
        "{after}To sign in to {} ({}), open {} and enter the code {}{account}. The code{asked} is valid \
         for {}.",
        key.connection(),
        key.module(),
        pending.url,
        pending.code,
        time_left(pending.seconds_left(jiff::Timestamp::now())),
    )
}
