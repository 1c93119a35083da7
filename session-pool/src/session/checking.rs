//! The task that gives texts to checkers. One is enough as a rule; while it is at a long text, up to two
//! others take the next ones, so that up to three long texts keep no session waiting for another's. A
//! text that nobody waits for any more is left.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _, select_all};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::domain::backoff::Backoff;
use crate::domain::policy::Facts;
use crate::host::checker::{CheckError, Checker};
use crate::host::{HostError, Reaper, SpawnSpec};

/// How long the checker has for one text, and on top for each byte of it. A script of 1 MB takes it
/// half a minute of processor time, and a busy machine several times as long.
const ANSWER: Duration = Duration::from_secs(10);
const BYTE: Duration = Duration::from_micros(200);

/// Texts that may wait for a checker.
pub(super) const WAITING: usize = 64;

/// Checkers at a time; each takes 40 MB.
const MOST: usize = 3;

/// How long a text waits for a checker that is busy before another one is started, and a checker has for a
/// text that nobody wants any more.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long one beside the first is kept without work.
const IDLE: Duration = Duration::from_secs(60);

/// A text of which facts are wanted.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) answer: oneshot::Sender<Result<Facts, CheckError>>,
}

/// How the processes are started, and until when.
#[derive(Debug)]
pub(super) struct Checking {
    pub(super) spec: SpawnSpec,
    pub(super) reaper: Reaper,
    pub(super) stop: CancellationToken,
}

/// A place for one checker.
#[derive(Debug)]
struct Place {
    /// The first is kept ready; others end when they have nothing to do.
    is_first: bool,
    checker: Option<Checker>,
    /// When the checker started, or had work last.
    since: Instant,
    began: Instant,
    backoff: Backoff,
    /// Until then no start is tried that nobody asks for.
    not_before: Instant,
}

impl Checking {
    /// Answers questions until it is told to stop; then ends the processes.
    pub(super) async fn run(self, mut questions: mpsc::Receiver<Question>) {
        let mut places = Places {
            by: &self,
            idle: Vec::new(),
            at_work: FuturesUnordered::new(),
            made_ready: 0,
        };
        // The first question shall not wait for the start.
        places.make_ready(Place::new(true));
        loop {
            let has_room = places.have_room();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(done) = places.at_work.next() => places.put_back(done),
                number = wants_a_look(&mut places.idle) => {
                    let place = places.idle.swap_remove(number);
                    places.make_ready(place);
                }
                question = questions.recv(), if has_room => match question {
                    Some(question) => places.give(question).await,
                    None => break,
                },
            }
        }
        places.end().await;
    }

    async fn start(&self) -> Result<Checker, CheckError> {
        let called_off = self.stop.cancelled();
        match Checker::start_unless(&self.spec, &self.reaper, called_off).await {
            Ok(checker) => {
                tracing::info!(
                    pid = checker.pid(),
                    "the process that checks commands started"
                );
                Ok(checker)
            }
            Err(error) => {
                if !matches!(error, HostError::CalledOff) {
                    tracing::error!(%error, "the process that checks commands did not start");
                }
                Err(error.into())
            }
        }
    }
}

/// All places: those without work, and those at a text or on the way to a checker.
struct Places<'a> {
    by: &'a Checking,
    idle: Vec<Place>,
    at_work: FuturesUnordered<BoxFuture<'a, Done>>,
    /// How many of those have no text.
    made_ready: usize,
}

/// A place that has ended its work.
enum Done {
    Answered(Place),
    MadeReady(Place),
}

impl Places<'_> {
    /// Whether a text has, or can be given, a place.
    fn have_room(&self) -> bool {
        !self.idle.is_empty() || self.at_work.len() < MOST
    }

    fn make_ready(&mut self, place: Place) {
        let by = self.by;
        self.made_ready += 1;
        self.at_work
            .push(async move { Done::MadeReady(place.tended(by).await) }.boxed());
    }

    /// Gives a text to a checker. Only where all are at long texts it is another one.
    async fn give(&mut self, question: Question) {
        while self.idle.is_empty() {
            let done = if self.made_ready > 0 {
                self.at_work.next().await
            } else {
                let soon = timeout(PATIENCE, self.at_work.next()).await;
                soon.ok().flatten()
            };
            match done {
                Some(done) => self.put_back(done),
                None => break,
            }
        }
        let first = self.idle.iter().position(|place| place.is_first);
        let place = match first {
            Some(number) => self.idle.swap_remove(number),
            None => self.idle.pop().unwrap_or_else(|| Place::new(false)),
        };
        let by = self.by;
        self.at_work
            .push(async move { Done::Answered(place.answered(by, question).await) }.boxed());
    }

    /// One beside the first that has no checker is no place any more.
    fn put_back(&mut self, done: Done) {
        let place = match done {
            Done::Answered(place) => place,
            Done::MadeReady(place) => {
                self.made_ready -= 1;
                place
            }
        };
        if place.is_first || place.checker.is_some() {
            self.idle.push(place);
        }
    }

    async fn end(mut self) {
        while let Some(done) = self.at_work.next().await {
            self.put_back(done);
        }
        for mut place in self.idle {
            place.end_checker().await;
        }
    }
}

impl Place {
    fn new(is_first: bool) -> Self {
        let now = Instant::now();
        Self {
            is_first,
            checker: None,
            since: now,
            began: now,
            backoff: Backoff::default(),
            not_before: now,
        }
    }

    /// Answers one question, with a fresh checker where there is none.
    async fn answered(mut self, by: &Checking, question: Question) -> Self {
        let Question { text, mut answer } = question;
        if answer.is_closed() {
            return self;
        }
        let Some(facts) = self.facts(by, &text, &mut answer).await else {
            self.abandon_text().await;
            return self;
        };
        let usable = match &facts {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "no facts about a command: it is refused");
                error.leaves_it_usable()
            }
        };
        // Who asked may have hung up.
        let _ = answer.send(facts);
        if !usable {
            self.end_checker().await;
        }
        self.since = Instant::now();
        self
    }

    /// Nothing where nobody wants them any more.
    async fn facts(
        &mut self,
        by: &Checking,
        text: &str,
        answer: &mut oneshot::Sender<Result<Facts, CheckError>>,
    ) -> Option<Result<Facts, CheckError>> {
        // At once, whatever became of the starts before: there are no more tries than commands.
        let checker = match self.filled(by).await {
            Ok(checker) => checker,
            Err(error) => return Some(Err(error)),
        };
        let within = time_for(text);
        tokio::select! {
            facts = checker.facts(text, within) => Some(facts),
            () = by.stop.cancelled() => Some(Err(HostError::CalledOff.into())),
            () = given_up(answer) => None,
        }
    }

    /// The checker; a fresh one where there is none.
    async fn filled(&mut self, by: &Checking) -> Result<&mut Checker, CheckError> {
        let checker = match self.checker.take() {
            Some(checker) => checker,
            None => {
                let started = by.start().await;
                self.began = Instant::now();
                match started {
                    Ok(checker) => checker,
                    Err(error) => {
                        self.not_before = self.began + self.backoff.after(Duration::ZERO);
                        return Err(error);
                    }
                }
            }
        };
        Ok(self.checker.insert(checker))
    }

    async fn end_checker(&mut self) {
        if let Some(checker) = self.checker.take() {
            checker.kill().await;
            self.not_before = Instant::now() + self.backoff.after(self.began.elapsed());
        }
    }

    /// Ends the checker under a text that nobody waits for any more: others do. That is no failure of
    /// its own, and the next start waits for nothing.
    async fn abandon_text(&mut self) {
        if let Some(checker) = self.checker.take() {
            checker.kill().await;
        }
        self.not_before = Instant::now();
        self.since = Instant::now();
    }

    /// Resolves when something is to be done with it that nobody asks for.
    async fn wants_a_look(&mut self) {
        match &mut self.checker {
            Some(checker) if self.is_first => checker.ended().await,
            Some(checker) => tokio::select! {
                () = checker.ended() => {}
                () = sleep_until(self.since + IDLE) => {}
            },
            None => sleep_until(self.not_before).await,
        }
    }

    /// After such a look: the first has a checker, if one can be had; another has none.
    async fn tended(mut self, by: &Checking) -> Self {
        if self.is_first && self.checker.is_some() {
            tracing::warn!("the process that checks commands ended; a fresh one takes its place");
        }
        self.end_checker().await;
        if self.is_first && self.not_before <= Instant::now() {
            // Why not is in the log; it is tried again by and by.
            let _ = self.filled(by).await;
        }
        self
    }
}

/// Resolves when who asked has hung up or been cancelled, and a checker that was about to answer has had
/// the time to: a fresh one costs more.
async fn given_up(answer: &mut oneshot::Sender<Result<Facts, CheckError>>) {
    answer.closed().await;
    sleep(PATIENCE).await;
}

/// Resolves with the number of one that wants a look.
async fn wants_a_look(idle: &mut [Place]) -> usize {
    if idle.is_empty() {
        return std::future::pending().await;
    }
    let looks = idle.iter_mut().map(|place| place.wants_a_look().boxed());
    select_all(looks).await.1
}

/// How long a checker has for a text.
fn time_for(text: &str) -> Duration {
    let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
    ANSWER.saturating_add(BYTE.saturating_mul(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_script_has_more_time_than_a_line() {
        assert_eq!(time_for("").as_secs(), 10);
        assert!(time_for(&"x".repeat(1024 * 1024)).as_secs() > 180);
    }
}
