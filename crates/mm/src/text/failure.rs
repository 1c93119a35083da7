//! Why a call has no answer, and what this reader can do: in sentences.

use std::fmt::Write;

use session_pool::domain::visible::visible_line;

use super::Reader;
use crate::pool::PoolError;
use crate::tools::{Doing, Failure, Place, Unread};

/// Connection and tenant first, here too.
pub(crate) fn failure(place: &Place, failure: &Failure, reader: Reader) -> String {
    // Names that nobody has checked: a line feed in one would write a line of its own.
    let mut text = format!(
        "Connection: {} | tenant: {}",
        visible_line(place.connection.as_deref().unwrap_or("not named")),
        place.tenant.as_deref().unwrap_or("not known")
    );
    if let Some(module) = &place.module {
        let _ = write!(text, " | module: {}", visible_line(module));
    }
    let _ = writeln!(text, "\nError: {}", reason(failure, reader));
    text
}

/// What happened and what to do.
pub(crate) fn reason(failure: &Failure, reader: Reader) -> String {
    let mut sentences = match failure {
        Failure::Pool(error) => of_a_command(error, reader),
        Failure::Unread(unread) => of_a_look(unread, reader),
        _ => vec![failure.to_string()],
    };
    sentences.extend(reader.advice(failure));
    let sentences: Vec<String> = sentences.into_iter().map(sentence).collect();
    sentences.join(" ")
}

/// The pool was asked to run something.
fn of_a_command(error: &PoolError, reader: Reader) -> Vec<String> {
    let what = match error {
        PoolError::Refused { .. } => error.to_string(),
        _ if error.may_have_acted() => {
            format!("{error}. Whether a command was run is not known")
        }
        _ => format!("{error}, so nothing was run"),
    };
    let mut sentences = vec![what];
    sentences.extend(match error {
        PoolError::Unreachable { .. } => error.remedy().map(|remedy| remedy + "; then try again"),
        _ => error.remedy(),
    });
    if matches!(
        error,
        PoolError::Silent { .. } | PoolError::BrokenOff { .. }
    ) {
        sentences.push(reader.look_first().to_owned());
    }
    sentences
}

/// The pool was asked about something that is there.
fn of_a_look(unread: &Unread, reader: Reader) -> Vec<String> {
    let Unread { doing, error } = unread;
    let what = match doing {
        Doing::Listing => format!("the list could not be read: {error}"),
        Doing::Started(answer) => format!(
            "job {} was started, and its state could not be read: {error}",
            answer.job
        ),
        Doing::Looking(job) => format!("the state of job {job} could not be read: {error}"),
        Doing::Cancelling(job) if error.may_have_acted() => {
            format!("whether job {job} was cancelled is not known: {error}")
        }
        Doing::Cancelling(job) => format!("job {job} was not cancelled: {error}"),
    };
    let mut sentences = vec![what];
    sentences.extend(error.remedy());
    sentences.extend(match doing {
        Doing::Listing => None,
        Doing::Started(answer) => Some(reader.started(answer.job)),
        Doing::Looking(job) => Some(reader.look_again(*job)),
        Doing::Cancelling(job) => Some(reader.cancel_again(*job)),
    });
    sentences
}

/// The text with a mark at its end, but not with two.
pub(super) fn sentence(mut text: String) -> String {
    if !text.ends_with(['.', '?', '!', '…']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        for (text, ended) in [
            ("it broke", "it broke."),
            ("it broke.", "it broke."),
            ("did you mean \"x\"?", "did you mean \"x\"?"),
            ("see (there)", "see (there)."),
        ] {
            assert_eq!(sentence(text.to_owned()), ended);
        }
    }
}
