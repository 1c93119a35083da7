//! What a session does as time goes by, with a stand-in for PowerShell and time that passes only
//! when everything waits for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod checks;
mod idle;
mod recycling;
mod registry;
mod silence;
mod soak;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::domain::format::OutputFormat;
use crate::domain::module::Module;
use crate::domain::paging::{Cursor, PageBudget};
use crate::domain::record::ErrorRecord;
use crate::domain::registry::Registry;
use crate::domain::session_key::Scope;
use crate::domain::site::Site;
use crate::domain::wire::{JobAnswer, SessionStatus};
use crate::host::fake::{Answer as Play, Scenario};
use crate::session::budget::{ResultBudget, ResultLimits};
use crate::session::handle::SessionHandle;
use crate::session::order::Order;
use crate::session::policy_file::PolicyWatcher;
use crate::session::registry_watch::RegistrySnapshot;
use crate::session::stand_in::World;
use crate::session::testing::{HOUR, audit, journal, launcher};

/// Sessions whose PowerShell is a stand-in.
struct Stage {
    world: Arc<World>,
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    registry: watch::Sender<RegistrySnapshot>,
    _directory: TempDir,
}

/// Somebody is signed in in every module; services answer at once; commands end at once.
fn everybody_is_signed_in() -> Scenario {
    let identity = json!({"type": "json", "text": r#"{"account":"a","tenant_id":"t"}"#});
    let signed_in = json!([{"record": {"record": identity}}]);
    serde_json::from_value(json!({
        "commands": [
            {"for": {"contains": "Get-ConnectionInformation"}, "steps": signed_in},
            {"for": {"contains": "Get-AzContext"}, "steps": signed_in},
            {"for": {"contains": "Connect-PnPOnline"}, "steps": signed_in},
            {"for": {"contains": "Connect-MicrosoftTeams"}, "steps": signed_in},
            {"for": {"exact": "variables"}, "steps": [
                {"finish": {"outcome": "completed", "stateful": true}}
            ]},
        ],
        "otherwise": [{"finish": {"outcome": "completed"}}],
    }))
    .unwrap()
}

fn play(part: &str, steps: serde_json::Value) -> Play {
    serde_json::from_value(json!({"for": {"contains": part}, "steps": steps})).unwrap()
}

/// What each module's check has in it.
const fn ping(module: Module) -> &'static str {
    match module {
        Module::Exo => "Get-EXOMailbox -ResultSize 1",
        Module::Azure => "Invoke-AzRestMethod",
        Module::Teams => "Get-Team -GroupId",
        Module::Pnp => "Get-PnPWeb",
    }
}

/// A connect command that shows a code and waits.
fn prompt() -> serde_json::Value {
    let text = "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and \
                enter the code ABCDEFGHJ to authenticate.";
    json!([{"record": {"record": {"type": "warning", "text": text}}}, "hang"])
}

/// An error that ends what meets it.
fn failure(exception: &str, message: &str) -> serde_json::Value {
    let error = Record::Error(ErrorRecord {
        exception: exception.to_owned(),
        message: message.to_owned(),
        terminating: true,
        ..ErrorRecord::default()
    });
    json!([
        {"record": {"record": error}},
        {"finish": {"outcome": "failed"}},
    ])
}

fn dead() -> serde_json::Value {
    failure(
        "Microsoft.Identity.Client.MsalUiRequiredException",
        "AADSTS70043: it is over",
    )
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One connection, with a tenant.
fn registry(tenant: &str) -> Registry {
    let registry = json!({"connections": {"contoso": {
        "appId": "11111111-1111-4111-8111-111111111111", "tenant": tenant,
    }}});
    Registry::parse(&registry.to_string()).unwrap()
}

impl Stage {
    fn new(rules: Rules) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let world = World::new(everybody_is_signed_in());
        let journal = Arc::new(journal(path));
        let budget = Arc::new(ResultBudget::new(ResultLimits {
            job_bytes: 1 << 20,
            memory_bytes: 1 << 20,
            total_bytes: 1 << 20,
            spool: path.to_owned(),
        }));
        let registry = registry("contoso.example");
        let connection = Arc::clone(registry.get("contoso").unwrap());
        let (sender, handle) = RegistryHandle::without_file(registry);
        let policy = PolicyWatcher::open(path.join("policy.toml")).unwrap().1;
        Self {
            shared: Arc::new(Shared {
                registry: handle,
                guard: Guard::without_checker(policy),
                launcher: launcher(path),
                engines: Engines::StandIns(Arc::clone(&world)),
                credentials: Arc::new(Credentials::new(path.join("secrets"))),
                catalog: Catalog::new(HOUR, budget, Arc::clone(&journal), audit(path)),
                journal,
                remembered: Remembered::open(path, "unified"),
                processes: Arc::new(Semaphore::new(1_000)),
                max_processes: 1_000,
                grace: seconds(5),
                rules,
            }),
            world,
            connection,
            registry: sender,
            _directory: directory,
        }
    }

    fn session(&self, key: SessionKey) -> SessionHandle {
        SessionHandle::start(key, Arc::clone(&self.shared), 32, None)
    }

    /// A session of this module that is signed in.
    async fn signed_in(&self, module: Module) -> SessionHandle {
        let session = self.session(key(module));
        let answer = self.run(&session, "'hello'").await;
        assert_eq!(answer.error, None);
        assert_eq!(session.status().state, "authenticated");
        session
    }

    fn submit(&self, session: &SessionHandle, command: &str) -> Arc<Job> {
        let order = Order {
            key: session.key().clone(),
            tenant: None,
            expected_account: None,
            format: OutputFormat::default(),
            timeout: HOUR,
            caller: Some("tests".to_owned()),
            trace: None,
        };
        let catalog = &self.shared.catalog;
        let job = Arc::new(Job::new(order, Arc::clone(catalog.budget())));
        let work = Work {
            job: Arc::clone(&job),
            connection: Arc::clone(&self.connection),
            command: command.to_owned(),
            passage: Passage::default(),
            asked: Default::default(),
            trial: None,
        };
        session.submit(|| (work, ())).unwrap();
        job
    }

    async fn run(&self, session: &SessionHandle, command: &str) -> JobAnswer {
        let job = self.submit(session, command);
        job.finished().await;
        answer(&job).await
    }
}

async fn answer(job: &Arc<Job>) -> JobAnswer {
    job.answer(Cursor::default(), PageBudget::default())
        .await
        .unwrap()
}

fn key(module: Module) -> SessionKey {
    key_of("contoso", module)
}

fn key_of(connection: &str, module: Module) -> SessionKey {
    let scope = match module {
        Module::Exo => Scope::Exo,
        Module::Azure => Scope::Azure,
        Module::Teams => Scope::Teams,
        Module::Pnp => Scope::Pnp(Site::Root),
    };
    SessionKey::new(connection.parse().unwrap(), scope)
}

/// Lets time pass until the session is like this.
async fn until(session: &SessionHandle, what: impl Fn(&SessionStatus) -> bool) -> SessionStatus {
    let began = tokio::time::Instant::now();
    loop {
        let status = session.status();
        if what(&status) {
            return status;
        }
        assert!(began.elapsed() < seconds(100_000), "{status:?}");
        tokio::time::sleep(seconds(1)).await;
    }
}
