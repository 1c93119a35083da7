//! A pool whose sessions sign in to the demo's tenants, and the person at their sign-in page.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use session_pool::demo::entra::{DemoEntra, PendingCode};
use session_pool::demo::registry::registry_json;
use session_pool::demo::settings::{Settings, SignIn};
use session_pool::demo::{DIRECTORY_VARIABLE, modules};
use session_pool::domain::life::Rules;
use session_pool::domain::module::Module;
use session_pool::domain::paging::{Cursor, PageBudget};
use session_pool::domain::policy::SendGuards;
use session_pool::domain::wire::{JobAnswer, RunRequest, SessionStatus};
use session_pool::session::policy_file::PolicyWatcher;
use session_pool::session::registry_watch::RegistryWatcher;
use session_pool::session::{Caller, Guard, GuardParts, Job, Pool};

use crate::support::{Context, stage, until};

pub const CONTOSO: &str = "c0000001-7e57-4000-8000-00000c047050";
pub const ADMIN: &str = "admin@contoso.example";

pub struct Stage {
    pub pool: Pool,
    pub entra: DemoEntra,
    pub directory: PathBuf,
}

impl Stage {
    pub fn new(cx: &Context) -> Self {
        Self::with_rules(cx, Rules::default())
    }

    pub fn with_rules(cx: &Context, rules: Rules) -> Self {
        Self::with_registry(cx, rules, &registry_json(&Value::Null).unwrap())
    }

    /// With a real checker, and this policy on top of the default one.
    pub fn with_policy(cx: &Context, policy: &str) -> Self {
        let file = cx.path().join("own-policy.toml");
        std::fs::write(&file, policy).unwrap();
        let guard = Guard::start(GuardParts {
            spec: cx.spec(),
            reaper: cx.reaper.clone(),
            policy: PolicyWatcher::open(file).unwrap().1,
            sends: SendGuards::On,
        });
        let registry = registry_json(&Value::Null).unwrap();
        Self::with_parts(cx, Rules::default(), &registry, Some(guard))
    }

    pub fn with_registry(cx: &Context, rules: Rules, registry_text: &str) -> Self {
        Self::with_parts(cx, rules, registry_text, None)
    }

    fn with_parts(cx: &Context, rules: Rules, registry_text: &str, guard: Option<Guard>) -> Self {
        let directory = cx.path().join("demo");
        let module_path = modules::unpack(&directory).unwrap();
        let registry = cx.path().join("demo-registry.json");
        std::fs::write(&registry, registry_text).unwrap();
        let mut spec = cx.spec();
        spec.environment = spec
            .environment
            .with(DIRECTORY_VARIABLE, &directory)
            .with("PSModulePath", module_path);
        let mut parts = stage::parts(cx, spec);
        parts.registry = RegistryWatcher::open(registry).1;
        parts.limits.queue_length = 32;
        parts.limits.max_processes = 8;
        parts.limits.command_timeout = Duration::from_secs(50);
        parts.limits.rules = rules;
        if let Some(guard) = guard {
            parts.guard = guard;
        }
        let pool = Pool::new(parts);
        let stage = Self {
            pool,
            entra: DemoEntra::new(&directory),
            directory,
        };
        stage.settings(Settings::default());
        stage
    }

    /// How the tenants behave from now on. Slow cmdlets are quick in these tests.
    pub fn settings(&self, settings: Settings) {
        let quick = Settings {
            slow_seconds: 0.1,
            ..settings
        };
        quick.save(&self.directory).unwrap();
    }

    /// What sign-ins of all modules do from now on.
    pub fn sign_ins(&self, how: SignIn) {
        let sign_in = Module::ALL.map(|module| (module, how)).into();
        self.settings(Settings {
            sign_in,
            ..Settings::default()
        });
    }

    pub async fn submit(&self, module: Module, command: &str) -> Arc<Job> {
        self.submit_as(module, command, "tests").await
    }

    pub async fn submit_as(&self, module: Module, command: &str, caller: &str) -> Arc<Job> {
        let request = RunRequest {
            connection: Some("contoso".to_owned()),
            module: Some(module.to_string()),
            command: Some(command.to_owned()),
            caller_id: Some(caller.to_owned()),
            ..RunRequest::default()
        };
        self.pool.submit(request, Caller::default()).await.unwrap()
    }

    pub async fn run(&self, module: Module, command: &str) -> JobAnswer {
        answer(&self.submit(module, command).await).await
    }

    /// Signs a module in, with its code.
    pub async fn sign_in(&self, module: Module) {
        let asked = self.run(module, "'hello'").await;
        let code = asked
            .device_code
            .clone()
            .unwrap_or_else(|| panic!("{asked:?}"));
        self.complete(&code).await;
        self.until(module, "authenticated").await;
    }

    /// Enters a code as the person whom the registry expects.
    pub async fn complete(&self, code: &str) -> PendingCode {
        self.entra.complete(code).unwrap()
    }

    pub fn status(&self, module: Module) -> SessionStatus {
        let id = format!("contoso/{module}");
        let sessions = self.pool.status();
        let found = sessions.into_iter().find(|it| it.session_id == id);
        found.unwrap_or_else(|| panic!("there is no session {id}"))
    }

    /// Waits for a session's state.
    pub async fn until(&self, module: Module, state: &str) -> SessionStatus {
        until(&format!("{module} is {state}"), || {
            self.status(module).state == state
        })
        .await;
        self.status(module)
    }

    pub async fn end(self) {
        self.pool.drain(Duration::from_secs(5)).await;
    }
}

pub async fn answer(job: &Arc<Job>) -> JobAnswer {
    job.finished().await;
    job.answer(Cursor::default(), PageBudget::default())
        .await
        .unwrap()
}

/// Kills a process from outside.
pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
