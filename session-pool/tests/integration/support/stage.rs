//! A pool of a test's own.

use std::ffi::OsString;
use std::num::{NonZeroU8, NonZeroU16};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use session_pool::audit::AuditFile;
use session_pool::domain::life::Rules;
use session_pool::domain::paging::{Cursor, PageBudget};
use session_pool::domain::policy::SendGuards;
use session_pool::domain::wire::{JobAnswer, RunRequest};
use session_pool::host::{Program, SpawnSpec};
use session_pool::session::policy_file::PolicyWatcher;
use session_pool::session::registry_watch::RegistryWatcher;
use session_pool::session::{
    Audit, Caller, Credentials, Guard, GuardParts, Job, Journal, Launcher, Limits, Pool, PoolParts,
    Remembered, ResultLimits,
};

use super::Context;
use super::context::SESSION_POOL;

/// Two connections, and in one of them keys that are nobody's business.
const REGISTRY: &str = r#"{"connections": {
    "Contoso": {"appId": "11111111-1111-4111-8111-111111111111", "tenant": "contoso.example",
                "description": "Tests", "ticket": "hidden"},
    "Fabrikam": {"appId": "22222222-2222-4222-8222-222222222222", "tenant": "fabrikam.example"}
}}"#;

/// What a pool in this test's directory is made of; its sessions start as this says.
pub fn parts(cx: &Context, spec: SpawnSpec) -> PoolParts {
    parts_of(cx, spec, "unified")
}

/// The same for one of several pools, which tells its journal from theirs by this.
pub fn parts_of(cx: &Context, spec: SpawnSpec, scope: &str) -> PoolParts {
    let registry = cx.path().join("registry.json");
    std::fs::write(&registry, REGISTRY).unwrap();
    PoolParts {
        launcher: Launcher {
            program: spec.program,
            homes: cx.path().join("homes"),
            environment: spec.environment,
            sockets: spec.socket_root,
            users: None,
            ready_within: Duration::from_secs(600),
            reaper: cx.reaper.clone(),
        },
        registry: RegistryWatcher::open(registry).1,
        credentials: Credentials::new(cx.path().join("secrets")),
        guard: Guard::start(GuardParts {
            spec: cx.fake_spec(),
            reaper: cx.reaper.clone(),
            policy: PolicyWatcher::open(cx.path().join("policy.toml"))
                .unwrap()
                .1,
            sends: SendGuards::On,
        }),
        audit: Audit::new(AuditFile::new(&cx.path().join("logs"), scope), false),
        journal: Journal::open(cx.path(), scope, Duration::from_secs(3600)).unwrap(),
        remembered: Remembered::open(cx.path(), scope),
        limits: Limits {
            results: ResultLimits {
                job_bytes: 1 << 20,
                memory_bytes: 1 << 20,
                total_bytes: 1 << 22,
                spool: cx.path().to_owned(),
            },
            keep_results: Duration::from_secs(3600),
            queue_length: 2,
            max_processes: 4,
            command_timeout: Duration::from_secs(300),
            cancel_grace: Duration::from_secs(5),
            rules: Rules::default(),
            width: NonZeroU16::new(120).unwrap(),
            depth: NonZeroU8::new(4).unwrap(),
        },
        only: None,
    }
}

/// The scenario of a fake PowerShell in which everybody is signed in, the command `stuck`
/// never ends and hears nothing, `hang` waits to be stopped, `die` ends the process, and
/// any other ends at once.
pub const SIGNED_IN: &str = r#"{
    "commands": [
        {"for": {"contains": "Get-ConnectionInformation"}, "steps": [
            {"record": {"record": {"type": "json", "text": "{\"account\":null,\"tenant_id\":null}"}}}
        ]},
        {"for": {"exact": "stuck"}, "steps": ["stuck"]},
        {"for": {"exact": "hang"}, "steps": ["hang"]},
        {"for": {"exact": "die"}, "steps": [{"die": {"code": 3}}]}
    ],
    "otherwise": [{"finish": {"outcome": "completed"}}]
}"#;

/// The fake PowerShell behind a shell script that does something first. In the script, `FAKE`
/// begins the fake.
pub fn fake_behind(cx: &Context, scenario: &str, script: &str) -> SpawnSpec {
    let mut spec = cx.fake(scenario);
    let script = script.replace("FAKE", r#""$0" "$@""#);
    spec.program = Program {
        path: "/bin/sh".into(),
        args: [
            "-c",
            &script,
            SESSION_POOL,
            session_pool::host::fake::COMMAND,
        ]
        .map(OsString::from)
        .into(),
    };
    spec
}

/// Makes a job of a command on Contoso's exo session.
pub fn submit(pool: &Pool, command: &str) -> Arc<Job> {
    let request = RunRequest {
        connection: Some("Contoso".to_owned()),
        module: Some("exo".to_owned()),
        command: Some(command.to_owned()),
        ..RunRequest::default()
    };
    // Its only wait is for the policy.
    tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(pool.submit(request, Caller::default()))
    })
    .unwrap()
}

/// Waits for a job's end.
pub async fn finished(job: &Job) -> JobAnswer {
    job.finished().await;
    answer(job).await
}

/// A job as it is.
pub async fn answer(job: &Job) -> JobAnswer {
    job.answer(Cursor::default(), PageBudget::default())
        .await
        .unwrap()
}

/// The process of the only session.
pub fn pid(pool: &Pool) -> u32 {
    pool.status()[0].pid.expect("the session has a process")
}

/// All lines of a file; none where there is no file.
pub fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
