//! What a command that waits for a yes says it would do: its own `-WhatIf`, in the session.
//!
//! Only where the checker has found one command with constant arguments, and somebody is signed in
//! already: nothing else of the text is run, and nobody signs in for it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::connect::quote;
use crate::domain::life::Event;
use crate::domain::policy::WhatIf;
use crate::domain::record::Record;

use super::ending::Ending;
use super::job::Job;
use super::process::OwnError;
use super::telemetry::ProcessEnd;
use super::worker::Worker;

/// Looks for the command, and runs it with a host that keeps what it shows.
const SCRIPT: &str = include_str!("what_if.ps1");

/// How long the command has to say what it would do.
const WITHIN: Duration = Duration::from_secs(30);

/// Most characters of what it says that are shown.
const LONGEST: usize = 4_000;

/// A command that is to be tried out before somebody is asked.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) what_if: WhatIf,
    /// How its job ends: with the question.
    pub(super) ending: Ending,
}

impl Worker {
    /// Asks the command what it would do, adds that to the preview, and ends the job.
    pub(super) async fn try_out(&mut self, job: &Arc<Job>, trial: Trial) {
        self.view.send_modify(|view| view.busy = true);
        let said = self.what_if(job, &trial.what_if).await;
        let ending = match (trial.ending, said) {
            (Ending::ConfirmationRequired { verdict, request }, Some(said)) => {
                let request = self.shared.guard.add_to_preview(request, &said);
                Ending::ConfirmationRequired { verdict, request }
            }
            (ending, _) => ending,
        };
        self.view.send_modify(|view| view.busy = false);
        self.publish();
        self.conclude(job, ending);
    }

    /// What the command says; nothing where it cannot be asked.
    async fn what_if(&mut self, job: &Arc<Job>, what_if: &WhatIf) -> Option<String> {
        self.life.state().signed_in()?;
        let interruption = self.interruption_of(job);
        let grace = self.shared.grace;
        let process = self.process.as_mut()?;
        let asked = process.ask(script(what_if), WITHIN, grace, interruption);
        match asked.await {
            Ok(answer) => Some(text(&answer.records)).filter(|text| !text.is_empty()),
            Err(OwnError::Interrupted { stuck: false, .. }) => None,
            Err(error) => {
                tracing::warn!(session = %self.key, %error, "a command did not say what it would do");
                self.end_process(ProcessEnd::Killed).await;
                self.advance(Event::ProcessGone(error.to_string())).await;
                None
            }
        }
    }
}

fn script(what_if: &WhatIf) -> String {
    let call = format!("& $args[0] -WhatIf:$true {}", what_if.rest);
    // In one pass: what is put in may hold the other's mark.
    let (front, behind) = SCRIPT.split_once("__NAME__").unwrap_or((SCRIPT, ""));
    let (middle, end) = behind.split_once("__SCRIPT__").unwrap_or((behind, ""));
    format!(
        "{front}{}{middle}{}{end}",
        quote(&what_if.name),
        quote(&call)
    )
}

fn text(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let Record::Json { text: line } = record else {
            continue;
        };
        let line: String = serde_json::from_str(line).unwrap_or_default();
        text.push_str(line.trim());
        text.push('\n');
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            text.truncate(end);
            text.push('…');
            text
        }
        None => text.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_wrote_stays_text_in_the_script() {
        let what_if = WhatIf {
            name: "Remove-It__SCRIPT__".to_owned(),
            rest: "-Name 'a\u{2019}b' __NAME__".to_owned(),
        };
        let script = script(&what_if);
        assert!(script.contains("-Name 'Remove-It__SCRIPT__' -CommandType"));
        let call =
            "AddScript('& $args[0] -WhatIf:$true -Name ''a\u{2019}\u{2019}b'' __NAME__', $true)";
        assert!(script.contains(call), "{script}");
    }
}
