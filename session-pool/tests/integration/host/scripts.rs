//! What can be run: scripts of every shape, and what would hang a lesser host.

use session_pool::host::Outcome;

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            scripts_of_many_lines_run_as_they_are,
            unicode_arrives_unchanged,
            a_script_of_one_megabyte_runs,
            a_parse_error_has_its_place_and_runs_nothing,
            an_inner_parse_error_is_an_ordinary_error,
            exit_ends_the_command_only,
            prompts_and_standard_input_do_not_hang,
            jobs_and_threads_do_no_harm,
        ]
    );
}

async fn scripts_of_many_lines_run_as_they_are(cx: &Context) {
    let mut host = cx.host().await;
    let script = "function Get-Two {\n\n    # a blank line above\n    2\n}\n\n$text = @\"\none\n\n$(Get-Two)\n\"@\n$text\n'three'";
    let ran = Ran::text(&mut host, script).await.completed();
    assert_eq!(ran.output(), ["one", "", "2", "three"]);
    let ran = Ran::text(&mut host, "\n\n'a'\r\n'b'\r\n").await.completed();
    assert_eq!(ran.output(), ["a", "b"]);
    let ran = Ran::text(&mut host, "").await.completed();
    assert!(ran.records.is_empty());
    let ran = Ran::text(&mut host, "# only a comment").await.completed();
    assert!(ran.records.is_empty());
    done(host).await;
}

async fn unicode_arrives_unchanged(cx: &Context) {
    let mut host = cx.host().await;
    let text = "Grüße, 世界 🦀 \u{202e}x\u{202c} \\ \" ' é e\u{301}";
    let script = format!("$t = @'\n{text}\n'@; $t; Write-Warning $t; $t.Length");
    let ran = Ran::text(&mut host, &script).await.completed();
    assert_eq!(
        ran.output(),
        [text, &text.encode_utf16().count().to_string()]
    );
    assert!(ran.warnings().contains(&text));
    let ran = Ran::json(&mut host, &format!("'{}'", text.replace('\'', "''")))
        .await
        .completed();
    assert_eq!(
        serde_json::from_str::<String>(ran.elements()[0]).unwrap(),
        text
    );
    let ran = Ran::text(&mut host, "'a' + [char] 0xd800 + 'b'")
        .await
        .completed();
    assert_eq!(ran.output(), ["a\u{fffd}b"]);
    done(host).await;
}

async fn a_script_of_one_megabyte_runs(cx: &Context) {
    let mut host = cx.host().await;
    let script = format!("$text = '{}'\n$text.Length", "x".repeat(1024 * 1024));
    assert_eq!(
        Ran::text(&mut host, &script).await.completed().output(),
        ["1048576"]
    );
    done(host).await;
}

async fn a_parse_error_has_its_place_and_runs_nothing(cx: &Context) {
    let mut host = cx.host().await;
    let marker = cx.path().join("marker");
    let script = format!("New-Item '{}'\nGet-Date | (\n", marker.display());
    let ran = Ran::text(&mut host, &script).await;
    let Outcome::ParseFailed(errors) = &ran.finished.outcome else {
        panic!("{:?}", ran.finished)
    };
    assert_eq!(
        (errors[0].line, errors[0].column),
        (Some(2), Some(13)),
        "{errors:?}"
    );
    assert!(
        errors[0].rendered.contains("Get-Date | ("),
        "{}",
        errors[0].rendered
    );
    assert!(!marker.exists());
    // Each is a record too, however many there are.
    let many = Ran::text(&mut host, &"$x = (\n}\n".repeat(200)).await;
    assert!(many.errors().len() > 100, "{}", many.errors().len());
    assert!(many.errors().iter().all(|error| error.line.is_some()));
    assert_eq!(
        Ran::text(&mut host, "'next'").await.completed().output(),
        ["next"]
    );
    done(host).await;
}

async fn an_inner_parse_error_is_an_ordinary_error(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "'ran'; Invoke-Expression '1 + ('").await;
    assert_eq!(ran.output(), ["ran"]);
    assert_eq!(ran.errors().len(), 1);
    done(host).await;
}

async fn exit_ends_the_command_only(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "$kept = 5; 'before'; exit 3; 'after'")
        .await
        .completed();
    assert_eq!(ran.output(), ["before"]);
    assert_eq!(
        Ran::text(&mut host, "$kept").await.completed().output(),
        ["5"]
    );
    done(host).await;
}

async fn prompts_and_standard_input_do_not_hang(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "Read-Host 'Name'").await;
    assert!(
        ran.errors()[0].message.contains("user interaction"),
        "{:?}",
        ran.errors()
    );
    let ran = Ran::text(
        &mut host,
        "Get-Item -Path (Get-Location) | Remove-Item -Confirm",
    )
    .await;
    assert!(!ran.errors().is_empty());
    let ran = Ran::text(
        &mut host,
        "/bin/cat; [Console]::In.ReadLine(); [Console]::ReadLine(); 'on'",
    )
    .await;
    assert_eq!(ran.output().last(), Some(&"on"), "{:?}", ran.records);
    let ran = Ran::text(&mut host, "$Host.UI.RawUI.ReadKey()").await;
    assert!(!ran.errors().is_empty());
    done(host).await;
}

async fn jobs_and_threads_do_no_harm(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(
        &mut host,
        "$shell = [powershell]::Create().AddScript('1..3 | ForEach-Object { $_ }'); \
         $waiting = $shell.BeginInvoke(); $shell.EndInvoke($waiting)",
    )
    .await
    .completed();
    assert_eq!(ran.output(), ["1", "2", "3"]);
    let ran = Ran::text(
        &mut host,
        "1..3 | ForEach-Object -Parallel { $_ } | Sort-Object",
    )
    .await;
    assert_eq!(ran.completed().output(), ["1", "2", "3"]);
    done(host).await;
}
