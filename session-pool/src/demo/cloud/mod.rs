//! Stand-ins for Entra, Graph and Power Automate on loopback, for the demo and for tests.
//!
//! [`DemoCloud::router`] serves all three below one path; [`DemoCloud::registry_value`] is the
//! `cloud` object that points a connection at them. Nothing leaves this machine, and nothing is
//! kept when it ends but what its tokens say themselves.

mod batch;
mod entra;
mod faults;
mod files;
mod flow;
mod graph;
mod mail;
mod oddities;
mod paging;
mod people;
mod reply;
mod server;
mod sign_ins;
mod tokens;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde_json::{Value, json};

pub use self::faults::Faults;
use self::people::Tenant;
pub use self::server::{CloudError, CloudServer};
use self::sign_ins::SignIns;
pub use self::sign_ins::WaitingCode;
use self::tokens::Tokens;

/// Largest body that is taken; a chunk of an upload session is the largest.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The stand-ins, shared by everything that serves or steers them.
#[derive(Clone, Debug)]
pub struct DemoCloud(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where the router is mounted, without a slash at the end.
    base: String,
    tenants: Vec<Tenant>,
    tokens: Tokens,
    sign_ins: Mutex<SignIns>,
    faults: Mutex<Faults>,
    store: Mutex<files::Store>,
    counts: Counts,
}

/// What was asked of the stand-ins so far.
#[derive(Debug, Default)]
pub struct Counts {
    device_codes: AtomicU64,
    refreshes: AtomicU64,
    app_tokens: AtomicU64,
    calls: AtomicU64,
    throttled: AtomicU64,
    early: AtomicU64,
    sent: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Device codes made.
    pub device_codes: u64,
    /// Tokens given for refresh tokens.
    pub refreshes: u64,
    /// Tokens given to apps.
    pub app_tokens: u64,
    /// Calls of Graph and Power Automate.
    pub calls: u64,
    /// Calls that were answered with 429.
    pub throttled: u64,
    /// Calls that came before the `Retry-After` of the answer before them was over.
    pub early: u64,
    /// Mails sent.
    pub sent: u64,
}

impl DemoCloud {
    /// Stand-ins for the demo's tenants, whose router will be mounted at `base`, such as
    /// `http://127.0.0.1:5200/demo/cloud`.
    ///
    /// # Errors
    /// Only if the embedded tenants are broken, which a test rules out.
    pub fn new(base: &str) -> Result<Self, serde_json::Error> {
        Self::with_people(base, None)
    }

    /// As [`Self::new`], with this many people in every tenant.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_people(base: &str, people: Option<usize>) -> Result<Self, serde_json::Error> {
        Ok(Self(Arc::new(Inner {
            base: base.trim_end_matches('/').to_owned(),
            tenants: people::tenants(people)?,
            tokens: Tokens::default(),
            sign_ins: Mutex::default(),
            faults: Mutex::default(),
            store: Mutex::default(),
            counts: Counts::default(),
        })))
    }

    /// Entra below `/login`, Graph below `/graph`, Power Automate below `/flow`, and what stands in
    /// for other hosts below `/elsewhere`.
    pub fn router(&self) -> Router {
        Router::new()
            .nest("/login", entra::router())
            .nest("/graph", graph::router())
            .nest("/flow", flow::router())
            .nest("/elsewhere", files::router())
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self.clone())
    }

    /// The `cloud` of a connection in the registry.
    pub fn registry_value(&self) -> Value {
        let base = &self.0.base;
        json!({
            "login": format!("{base}/login"),
            "graph": format!("{base}/graph"),
            "flow": format!("{base}/flow"),
        })
    }

    /// The codes that wait for a person, oldest first.
    pub fn waiting(&self) -> Vec<WaitingCode> {
        self.sign_ins().waiting()
    }

    /// Signs a waiting code in as the account of its tenant. Says whether it waited.
    pub fn complete(&self, code: &str) -> bool {
        self.sign_ins().complete(code, None)
    }

    /// Signs a waiting code in as another account.
    pub fn complete_as(&self, code: &str, account: &str) -> bool {
        self.sign_ins().complete(code, Some(account))
    }

    /// Signs in everything that waits; says how many.
    pub fn complete_all(&self) -> usize {
        let mut sign_ins = self.sign_ins();
        let codes = sign_ins.waiting();
        codes
            .iter()
            .filter(|waiting| sign_ins.complete(&waiting.code, None))
            .count()
    }

    /// Refuses a waiting code.
    pub fn decline(&self, code: &str) -> bool {
        self.sign_ins().decline(code)
    }

    /// Codes are answered by themselves after this time.
    pub fn sign_in_after(&self, delay: Duration) {
        self.sign_ins().answer_after = Some(delay);
    }

    /// Ends every token and sign-in made before now.
    pub fn revoke(&self) {
        self.0.tokens.revoke();
    }

    /// Changes what goes wrong.
    pub fn set_faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults());
    }

    /// What was asked so far.
    pub fn counted(&self) -> Counted {
        let counts = &self.0.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            device_codes: read(&counts.device_codes),
            refreshes: read(&counts.refreshes),
            app_tokens: read(&counts.app_tokens),
            calls: read(&counts.calls),
            throttled: read(&counts.throttled),
            early: read(&counts.early),
            sent: read(&counts.sent),
        }
    }

    /// The bodies of what was sent to people, as they came.
    pub fn sent(&self) -> Vec<String> {
        self.store().sent()
    }

    fn sign_ins(&self) -> std::sync::MutexGuard<'_, SignIns> {
        self.0
            .sign_ins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> std::sync::MutexGuard<'_, files::Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant of a name, a domain or an id.
    fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.0.tenants.iter().find(|tenant| {
            [&tenant.name, &tenant.domain, &tenant.id]
                .into_iter()
                .any(|own| own.eq_ignore_ascii_case(name))
        })
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
