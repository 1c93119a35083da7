//! The person at the demo's sign-in page: a key, a request, or a timer.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::cloud::DemoCloud;
use super::entra::{DemoEntra, EntraError, PendingCode};

/// How often the demo looks for codes that wait.
const LOOK: Duration = Duration::from_millis(250);

/// Announces codes that wait, and enters them when Enter is pressed or their time has come. Never
/// ends; the end of standard input only means that nobody presses Enter any more.
pub(super) async fn attend(entra: DemoEntra, cloud: DemoCloud, auto_sign_in: Option<Duration>) {
    if let Some(after) = auto_sign_in {
        cloud.sign_in_after(after);
    }
    let mut enter = enter_key();
    let mut announced = BTreeSet::new();
    let mut announced_in_cloud = BTreeSet::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        let pressed = tokio::select! {
            _ = look.tick() => false,
            Some(()) = enter.recv() => true,
        };
        let in_cloud = attend_cloud(&cloud, pressed, &mut announced_in_cloud);
        // One press of the key is for everything that waits.
        let only_cloud = pressed && in_cloud;
        if let Err(error) = step(&entra, auto_sign_in, pressed, only_cloud, &mut announced) {
            tracing::warn!(%error, "the demo's sign-in page");
        }
    }
}

fn step(
    entra: &DemoEntra,
    auto_sign_in: Option<Duration>,
    pressed: bool,
    was_used: bool,
    announced: &mut BTreeSet<String>,
) -> Result<(), EntraError> {
    let pending = entra.pending()?;
    if pressed && pending.is_empty() && !was_used {
        say("Nobody waits for a sign-in just now.");
    }
    for code in &pending {
        if pressed || auto_sign_in.is_some_and(|after| age(code) >= after) {
            entra.complete(&code.code)?;
            say(&format!("Signed in: {} as {}.", place(code), code.account));
        } else if announced.insert(code.code.clone()) {
            say(&format!(
                "{} waits for the code {}: press Enter to sign in as {}.",
                place(code),
                code.code,
                code.account
            ));
        }
    }
    announced.retain(|known| pending.iter().any(|code| code.code == *known));
    Ok(())
}

/// The same for the codes of Graph. Says whether the key was of use.
fn attend_cloud(cloud: &DemoCloud, pressed: bool, announced: &mut BTreeSet<String>) -> bool {
    let waiting = cloud.waiting();
    for code in &waiting {
        if pressed && cloud.complete(&code.code) {
            say(&format!("Signed in: {}/graph.", code.tenant));
        } else if announced.insert(code.code.clone()) {
            say(&format!(
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

/// Standard output may be closed or a pipe nobody reads; the demo goes on.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}
