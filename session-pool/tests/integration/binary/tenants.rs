//! Two tenants side by side: no answer comes from the other, and with user ids no session reads
//! what is the other's or the pool's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use session_pool::demo::settings::SignIn;

use crate::support::{Context, LONG, Needs, Server, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            no_answer_comes_from_the_other_tenant,
            no_answer_comes_from_the_other_user_id,
            a_user_id_reads_nothing_of_the_others_and_of_the_pools,
            what_root_writes_is_the_directorys_owners,
        ]
    );
}

const TENANTS: [&str; 2] = ["contoso", "fabrikam"];

/// A command a module that tells whose data it sees: every line names the tenant.
const COMMANDS: [(&str, &str); 4] = [
    (
        "exo",
        "Get-Mailbox | Select-Object -First 3 | % PrimarySmtpAddress",
    ),
    (
        "azure",
        "Get-AzSubscription | % Name; (Get-AzContext).Account.Id",
    ),
    (
        "teams",
        "Get-CsOnlineUser | Select-Object -First 3 | % SipAddress",
    ),
    ("pnp", "Get-PnPUser | Select-Object -First 3 | % LoginName"),
];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// So many commands in all, each to the other tenant than the one before, through all modules.
async fn interleave(server: &Server, commands: usize) {
    for round in 0..commands.div_ceil(8) {
        let asked = COMMANDS.iter().flat_map(|(module, command)| {
            TENANTS.map(|tenant| async move {
                let body = json!({"connection": tenant, "module": module, "command": command});
                (tenant, server.send("POST", "/run", Some(&body)).await.2)
            })
        });
        // Side by side and in turn: the second tenant's command is sent while the first's runs.
        let answers = futures_util::future::join_all(asked).await;
        for (tenant, answer) in answers {
            let other = if tenant == TENANTS[0] {
                TENANTS[1]
            } else {
                TENANTS[0]
            };
            assert_eq!(answer["status"], "success", "round {round}: {answer}");
            let output = answer["output"].as_str().unwrap().to_lowercase();
            let lines: Vec<_> = output.lines().collect();
            assert!(lines.len() >= 2, "{answer}");
            assert!(lines.iter().all(|line| line.contains(tenant)), "{answer}");
            assert!(!output.contains(other), "round {round}: {answer}");
        }
    }
}

/// In the long form as many as the promise names.
fn how_many() -> usize {
    if std::env::var_os(LONG).is_some() {
        1000
    } else {
        24
    }
}

async fn no_answer_comes_from_the_other_tenant(cx: &Context) {
    let server = Server::with(cx, SignIn::Instant, &["--max-processes", "8"]).await;
    interleave(&server, how_many()).await;
    server.stop().await;
}

/// What sessions under ids of their own must get to, and no more.
fn open_to_user_ids(cx: &Context) -> PathBuf {
    cx.open_to_other_users();
    let homes = cx.path().join("h");
    fs::create_dir(&homes).unwrap();
    homes
}

async fn with_user_ids(cx: &Context, more: &[&str]) -> Server {
    let homes = cx.path().join("h");
    let own = ["--max-processes", "8", "--user-ids", "--homes-dir"];
    let arguments = [&own, [homes.to_str().unwrap()].as_slice(), more].concat();
    let server = Server::with(cx, SignIn::Instant, &arguments).await;
    // The demo's own files are the tester's; before the first session starts they are everybody's.
    open_for_reading(&cx.path().join("settings.json"));
    open_for_reading(&cx.path().join("modules"));
    server
}

fn open_for_reading(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open_for_reading(&entry.unwrap().path());
        }
    }
}

async fn no_answer_comes_from_the_other_user_id(cx: &Context) {
    // Nobody else can give user ids.
    if !is_root() {
        return;
    }
    open_to_user_ids(cx);
    let server = with_user_ids(cx, &[]).await;
    interleave(&server, how_many()).await;
    let status = server.get("/status").await;
    let mut ids = Vec::new();
    for session in status["sessions"].as_array().unwrap() {
        let process = format!("/proc/{}", session["pid"]);
        let owner = fs::metadata(process).unwrap().uid();
        ids.push((session["connection"].as_str().unwrap().to_owned(), owner));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2, "one id a connection: {ids:?}");
    assert!(
        ids[0].1 != ids[1].1 && ids.iter().all(|(_, id)| *id != 0),
        "{ids:?}"
    );
    server.stop().await;
}

/// Looked at from the sessions' own processes, before PowerShell: no policy stands between.
async fn a_user_id_reads_nothing_of_the_others_and_of_the_pools(cx: &Context) {
    if !is_root() {
        return;
    }
    let homes = open_to_user_ids(cx);
    let state = cx.path().join(".m365-state");
    fs::create_dir(&state).unwrap();
    let token = state.join("pool.token");
    fs::write(&token, "sesame").unwrap();
    fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    let programs = cx.path().join("bin");
    fs::create_dir(&programs).unwrap();
    let pwsh = programs.join("pwsh");
    let script = format!(
        "#!/bin/sh\nfor f in {state}/pool.token {state}/user-ids.json {homes}/contoso {homes}/fabrikam {homes}; do\n\
         if [ -r $f ]; then echo ${{f##*/}} >>$HOME/reads; fi; done\nexec {pwsh} \"$@\"\n",
        state = state.display(),
        homes = homes.display(),
        pwsh = cx.pwsh().display()
    );
    fs::write(&pwsh, script).unwrap();
    fs::set_permissions(&pwsh, Permissions::from_mode(0o755)).unwrap();
    let server = with_user_ids(cx, &["--pwsh", pwsh.to_str().unwrap()]).await;
    for tenant in TENANTS {
        let ran = server.run_with("1", json!({"connection": tenant})).await;
        assert_eq!(ran["output"], "1", "{ran}");
    }
    for tenant in TENANTS {
        let reads = fs::read_to_string(homes.join(tenant).join("reads")).unwrap();
        assert_eq!(reads.lines().collect::<Vec<_>>(), [tenant]);
    }
    // The ids are the connections' also after a restart, where they come in another order.
    let owner = |tenant: &str| fs::metadata(homes.join(tenant)).unwrap().uid();
    let before = TENANTS.map(owner);
    server.stop().await;
    let server = with_user_ids(cx, &["--pwsh", pwsh.to_str().unwrap()]).await;
    for tenant in ["fabrikam", "contoso"] {
        let ran = server.run_with("2", json!({"connection": tenant})).await;
        assert_eq!(ran["output"], "2", "{ran}");
    }
    assert_eq!(TENANTS.map(owner), before);
    server.stop().await;
}

/// Every file right in these directories, with its owner and mode.
fn files(directories: &[PathBuf]) -> Vec<(PathBuf, u32, u32)> {
    let entries = directories
        .iter()
        .flat_map(|directory| fs::read_dir(directory).unwrap());
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let about = fs::metadata(&path).unwrap();
            (path, about.uid(), about.mode() & 0o777)
        })
        .collect()
}

async fn what_root_writes_is_the_directorys_owners(cx: &Context) {
    const PERSON: u32 = 54_321;
    if !is_root() {
        return;
    }
    open_to_user_ids(cx);
    let own = [".m365-state", ".m365-logs"].map(|name| cx.path().join(name));
    for directory in &own {
        fs::create_dir(directory).unwrap();
        chown(directory, Some(PERSON), Some(PERSON)).unwrap();
    }
    let server = with_user_ids(cx, &["--max-memory-bytes", "1"]).await;
    let ran: Value = server.run("1..100000").await;
    assert_eq!(ran["status"], "success", "{ran}");
    server.stop().await;
    let files = files(&own);
    for name in [
        "jobs-unified.jsonl",
        "jobs-unified.lock",
        "user-ids.json",
        "session-pool-unified.log",
    ] {
        assert!(
            files
                .iter()
                .any(|(path, ..)| path.file_name() == Some(Path::new(name).as_os_str())),
            "{name}: {files:?}"
        );
    }
    for (path, owner, mode) in files {
        assert_eq!((owner, mode), (PERSON, 0o600), "{path:?}");
    }
}
