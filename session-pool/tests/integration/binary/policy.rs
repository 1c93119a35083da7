//! Policies on the command line, a broken one at the start, and a person's yes.

use crate::support::{Context, Needs, Server, Suite, add, outcome, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [the_default_policy_and_the_file_are_shown]
    );
    add!(
        suite,
        Needs::Pwsh,
        [
            a_broken_policy_stops_the_start_with_its_place,
            a_command_is_explained_without_a_pool,
            a_policys_own_tests_are_run,
            a_person_confirms_on_the_command_line,
        ]
    );
}

fn policy_file(cx: &Context, text: &str) -> String {
    let path = cx.path().join("policy.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What it prints, where it ends well.
async fn printed(mut command: tokio::process::Command) -> String {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn the_default_policy_and_the_file_are_shown(cx: &Context) {
    let file = policy_file(cx, "read_only = true # mine");
    let text = printed(session_pool(cx, &["policy", "show", "--policy", &file])).await;
    assert!(text.contains("id = \"invoke-expression\"") && text.contains("# mine"));
}

async fn a_broken_policy_stops_the_start_with_its_place(cx: &Context) {
    let file = policy_file(cx, "\n  nonsense = 1");
    let mut command = session_pool(cx, &["serve", "--port", "0", "--policy", &file]);
    command.env("SESSION_POOL_PWSH", cx.pwsh());
    let (code, said) = outcome(command).await;
    assert_eq!(code, 64, "{said}");
    assert!(
        said.contains("line 2, column 3") && said.contains(&file),
        "{said}"
    );
}

async fn a_command_is_explained_without_a_pool(cx: &Context) {
    let explain = ["policy", "check", "--module", "exo", "gci | iex"];
    let mut command = session_pool(cx, &explain);
    command.env("SESSION_POOL_PWSH", cx.pwsh());
    let text = printed(command).await;
    assert!(text.starts_with("block\n"), "{text}");
    assert!(
        text.contains("invoke-expression at line 1, column 7"),
        "{text}"
    );
}

async fn a_policys_own_tests_are_run(cx: &Context) {
    let test = |command: &str, decision: &str| {
        format!("[[test]]\ncommand = '{command}'\ndecision = '{decision}'\n")
    };
    let good = test("Get-Mailbox", "allow") + &test("iex x", "block");
    let file = policy_file(cx, &good);
    let run = |file: &str| {
        let mut command = session_pool(cx, &["policy", "test", "--policy", file]);
        command.env("SESSION_POOL_PWSH", cx.pwsh());
        command
    };
    let text = printed(run(&file)).await;
    assert!(text.ends_with("2 tests, 0 failed\n"), "{text}");
    let file = policy_file(cx, &(good + &test("Get-Mailbox", "block")));
    let (code, said) = outcome(run(&file)).await;
    assert_eq!(code, 70);
    assert!(said.contains("1 of 3 tests failed"), "{said}");
}

async fn a_person_confirms_on_the_command_line(cx: &Context) {
    let server = Server::start(cx).await;
    let secret = "function Get-Secret { 'ran' }; Get-Secret";
    let asked = server.run(secret).await;
    assert_eq!(asked["status"], "confirmation_required", "{asked}");
    let id = asked["confirmation"]["id"].as_str().unwrap();
    let confirm = |more: &[&str]| {
        let mut command = session_pool(cx, &["confirm", id, "--url", server.url()]);
        command.args(more).env("SESSION_POOL_TOKEN", Server::TOKEN);
        command
    };
    // Nobody is there to say yes.
    let (code, said) = outcome(confirm(&[])).await;
    assert!(code == 70 && said.contains("--yes"), "{said}");
    assert_eq!(server.run(secret).await["status"], "confirmation_required");
    let shown = printed(confirm(&["--yes"])).await;
    assert!(shown.contains(secret), "{shown}");
    let ran = server.run(secret).await;
    assert_eq!(ran["output"], "ran", "{ran}");
    assert_eq!(server.run(secret).await["status"], "confirmation_required");
    server.stop().await;
}
