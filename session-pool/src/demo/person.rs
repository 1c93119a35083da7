//! The person at the demo's sign-in page: a key, a request, or a timer.

use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::cloud::DemoCloud;
use super::entra::{DemoEntra, EntraError, PendingCode};
use super::printer::Printer;

/// How often the demo looks for codes that wait.
const LOOK: Duration = Duration::from_millis(250);

/// Announces codes that wait, and enters them when Enter is pressed or their time has come. Never
/// ends; the end of standard input only means that nobody presses Enter any more.
pub(super) async fn attend(
    entra: DemoEntra,
    cloud: DemoCloud,
    auto_sign_in: Option<Duration>,
    printer: Printer,
) {
    if let Some(after) = auto_sign_in {
        cloud.sign_in_after(after);
    }
    let mut enter = enter_key();
    let mut page = Page {
        entra,
        auto_sign_in,
        printer: printer.clone(),
        announced: BTreeSet::new(),
    };
    let mut announced_in_cloud = BTreeSet::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        let pressed = tokio::select! {
            _ = look.tick() => false,
            Some(()) = enter.recv() => true,
        };
        let in_cloud = attend_cloud(&cloud, pressed, &mut announced_in_cloud, &printer);
        // One press of the key is for everything that waits.
        let only_cloud = pressed && in_cloud;
        // It reads and writes files, which must not hold up the runtime.
        let step = tokio::task::spawn_blocking(move || {
            let stepped = page.step(pressed, only_cloud);
            (page, stepped)
        });
        let stepped;
        (page, stepped) = match step.await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, "the demo's sign-in page is gone: use POST /demo/sign-in");
                return;
            }
        };
        if let Err(error) = stepped {
            tracing::warn!(%error, "the demo's sign-in page");
        }
    }
}

/// The sign-in page of PowerShell's codes.
struct Page {
    entra: DemoEntra,
    auto_sign_in: Option<Duration>,
    printer: Printer,
    announced: BTreeSet<String>,
}

impl Page {
    fn step(&mut self, pressed: bool, was_used: bool) -> Result<(), EntraError> {
        let pending = self.entra.pending()?;
        if pressed && pending.is_empty() && !was_used {
            self.printer.say("Nobody waits for a sign-in just now.");
        }
        for code in &pending {
            if pressed || self.auto_sign_in.is_some_and(|after| age(code) >= after) {
                self.entra.complete(&code.code)?;
                let done = format!("Signed in: {} as {}.", place(code), code.account);
                self.printer.say(done);
            } else if self.announced.insert(code.code.clone()) {
                self.printer.say(format!(
                    "{} waits for the code {}: press Enter to sign in as {}.",
                    place(code),
                    code.code,
                    code.account
                ));
            }
        }
        self.announced
            .retain(|known| pending.iter().any(|code| code.code == *known));
        Ok(())
    }
}

/// The same for the codes of Graph. Says whether the key was of use.
fn attend_cloud(
    cloud: &DemoCloud,
    pressed: bool,
    announced: &mut BTreeSet<String>,
    printer: &Printer,
) -> bool {
    let waiting = cloud.waiting();
    for code in &waiting {
        if pressed && cloud.complete(&code.code) {
            printer.say(format!("Signed in: {}/graph.", code.tenant));
        } else if announced.insert(code.code.clone()) {
            printer.say(format!(
                "{}/graph waits for the code {}: press Enter to sign in.",
                code.tenant, code.code
            ));
        }
    }
    announced.retain(|known| waiting.iter().any(|code| code.code == *known));
    !waiting.is_empty()
}

fn place(code: &PendingCode) -> String {
    let home = std::path::Path::new(&code.home);
    let connection = home.file_name().unwrap_or_default().to_string_lossy();
    format!("{connection}/{}", code.module)
}

fn age(code: &PendingCode) -> Duration {
    let age = Timestamp::now().duration_since(code.created);
    Duration::try_from(age).unwrap_or_default()
}

/// Sends for each line of standard input. A thread, because a terminal cannot be read otherwise
/// without holding up the end of the program.
fn enter_key() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    let reader = std::thread::Builder::new().name("enter-key".to_owned());
    let spawned = reader.spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                return;
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "the Enter key cannot be read: use POST /demo/sign-in");
    }
    receiver
}
