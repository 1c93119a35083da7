//! Whether hosts can be reached, and what they say the time is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::task::JoinSet;

use crate::domain::cause::deepest;
use crate::domain::doctor::{Caller, Finding, hosts};
use crate::domain::registry::Registry;

/// What a host may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Entra takes tokens and assertions of clocks that differ by five minutes at most.
const TOO_WRONG: SignedDuration = SignedDuration::from_mins(5);

/// From here on something is wrong with the clock.
const WRONG: SignedDuration = SignedDuration::from_secs(60);

/// Asks every host that the connections need; any answer will do. The first finding is the clock's.
pub async fn reach(registry: &Registry, caller: Caller) -> Vec<Finding> {
    let hosts = hosts(registry, caller);
    let mut probes = JoinSet::new();
    for (url, users) in hosts {
        let users: Vec<_> = users.into_iter().collect();
        probes.spawn(async move { (probe(&url).await, url, users.join(", ")) });
    }
    let mut findings = Vec::new();
    let mut skews = Vec::new();
    for (result, url, users) in probes.join_all().await {
        let check = format!("host {url}");
        findings.push(match result {
            Ok(skew) => {
                skews.extend(skew);
                Finding::ok(check, format!("answers (for {users})"))
            }
            Err(reason) => Finding::failed(
                check,
                format!("cannot be reached (for {users}): {reason}"),
                "check DNS, firewall and proxy (HTTPS_PROXY, NO_PROXY)",
            ),
        });
    }
    findings.sort_by(|a, b| a.check.cmp(&b.check));
    findings.insert(0, clock(skews));
    findings
}

/// How far this clock is ahead of the host's, where it says.
async fn probe(url: &str) -> Result<Option<SignedDuration>, String> {
    let loopback = url.starts_with("http://");
    let client = Client::builder().timeout(WITHIN).redirect(Policy::none());
    // Plain HTTP is spoken with this machine only.
    let client = if loopback { client.no_proxy() } else { client };
    let answer = client.build().map_err(|error| deepest(&error))?;
    let response = answer.get(url).send().await;
    let response = response.map_err(|error| match error.is_timeout() {
        true => format!("no answer within {} s", WITHIN.as_secs()),
        false => deepest(&error),
    })?;
    Ok(skew(&response))
}

fn skew(response: &Response) -> Option<SignedDuration> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .ok()?;
    Some(Timestamp::now().duration_since(theirs))
}

/// Hosts may be wrong too, so the one in the middle counts.
fn clock(mut skews: Vec<SignedDuration>) -> Finding {
    const CHECK: &str = "clock";
    skews.sort();
    let Some(skew) = skews.get(skews.len() / 2).copied() else {
        return Finding::skipped(CHECK, "no host said what time it is");
    };
    let side = if skew.is_negative() {
        "behind"
    } else {
        "ahead"
    };
    let what = format!("{} s {side}", skew.abs().as_secs());
    let remedy = "set the clock, and keep it right (timedatectl set-ntp true)";
    if skew.abs() > TOO_WRONG {
        Finding::failed(CHECK, format!("{what}: Entra refuses sign-ins"), remedy)
    } else if skew.abs() > WRONG {
        Finding::warning(CHECK, what, remedy)
    } else {
        Finding::ok(CHECK, "right within a minute")
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::domain::doctor::Verdict;

    #[test]
    fn a_clock_is_judged_by_most_hosts() {
        let seconds = |all: &[i64]| all.iter().map(|s| SignedDuration::from_secs(*s)).collect();
        for (skews, verdict) in [
            (seconds(&[]), Verdict::Skipped),
            (seconds(&[0, 1, -1]), Verdict::Ok),
            (seconds(&[0, 1, 4000]), Verdict::Ok),
            (seconds(&[-90]), Verdict::Warning),
            (seconds(&[400, 401, 0]), Verdict::Failed),
        ] {
            assert_eq!(clock(skews).result, verdict);
        }
    }
}
