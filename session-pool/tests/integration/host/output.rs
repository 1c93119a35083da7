//! What comes out: every stream, in its order, in both formats.

use session_pool::domain::record::Record;

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            every_stream_comes_in_its_true_order,
            a_held_back_object_comes_before_what_follows_it,
            a_table_prints_its_header_once,
            what_passes_the_lines_by_stays_as_it_is,
            strings_are_neither_wrapped_nor_coloured,
            a_hundred_thousand_lines_are_all_there,
            errors_have_category_id_and_place,
            a_terminating_error_is_the_last_record,
            objects_become_json,
            json_that_is_cut_off_says_so,
            a_layout_in_json_becomes_strings,
            console_text_arrives_also_without_a_line_end,
            warnings_of_a_host_are_seen_once,
            what_is_sent_to_the_host_is_shown,
            progress_is_reported,
            shadowed_cmdlets_change_nothing,
            a_text_too_long_for_one_frame_comes_in_pieces,
        ]
    );
}

fn kinds(ran: &Ran) -> Vec<String> {
    ran.records
        .iter()
        .map(|record| match record {
            Record::Output { text } => format!("output {text}"),
            Record::Json { text } => format!("json {text}"),
            Record::Piece { text, .. } => format!("piece {text}"),
            Record::Error(error) => format!("error {}", error.message),
            Record::Warning { text } => format!("warning {text}"),
            Record::Verbose { text } => format!("verbose {text}"),
            Record::Debug { text } => format!("debug {text}"),
            Record::Information { text, shown } => format!("information {shown} {text}"),
            Record::Progress(progress) => format!("progress {}", progress.activity),
            Record::Console { text, .. } => format!("console {text}"),
        })
        .collect()
}

async fn every_stream_comes_in_its_true_order(cx: &Context) {
    let mut host = cx.host().await;
    let script = "'one'; Write-Warning w; Write-Error e; 'two'; Write-Host h; Write-Information i; \
                  Write-Verbose v -Verbose; Write-Debug d -Debug; 3";
    let ran = Ran::text(&mut host, script).await.completed();
    assert_eq!(
        kinds(&ran),
        [
            "output one",
            "warning w",
            "error e",
            "output two",
            "information true h",
            "information false i",
            "verbose v",
            "debug d",
            "output 3"
        ]
    );
    done(host).await;
}

async fn a_held_back_object_comes_before_what_follows_it(cx: &Context) {
    let mut host = cx.host().await;
    for follower in [
        "Write-Warning w",
        "Write-Error w",
        "throw 'w'",
        "Write-Host w",
        "exit",
    ] {
        let ran = Ran::text(
            &mut host,
            &format!("[pscustomobject]@{{ Key = 'value' }}; {follower}"),
        )
        .await;
        let output = ran.output();
        assert!(output.contains(&"value"), "{follower}: {output:?}");
        let value = kinds(&ran)
            .iter()
            .position(|kind| kind.starts_with("output value"));
        let after = kinds(&ran).iter().position(|kind| kind.ends_with(" w"));
        assert!(
            after.is_none() || value < after,
            "{follower}: {:?}",
            kinds(&ran)
        );
    }
    done(host).await;
}

async fn a_table_prints_its_header_once(cx: &Context) {
    let mut host = cx.host().await;
    let script = "1..3 | ForEach-Object { [pscustomobject]@{ Number = $_; Name = \"n$_\" } }";
    let ran = Ran::text(&mut host, script).await.completed();
    let lines: Vec<_> = ran
        .output()
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines[0].contains("Number") && lines[4].contains("n3"));
    let ran = Ran::text(
        &mut host,
        &format!("{script} | Format-Table; 'text'; {script} | Format-List"),
    )
    .await;
    let headers = ran
        .output()
        .iter()
        .filter(|line| line.contains("Number Name"))
        .count();
    assert_eq!(
        (headers, ran.output().contains(&"text")),
        (1, true),
        "{:?}",
        ran.output()
    );
    done(host).await;
}

/// Lines take a short cut around the formatter; nothing else may change on its way to it.
async fn what_passes_the_lines_by_stays_as_it_is(cx: &Context) {
    let mut host = cx.host().await;
    let script = "Set-StrictMode -Version Latest; $ErrorActionPreference = 'Stop'; 'line'; $null; \
                  '' | Add-Member note 1 -PassThru; \
                  Write-Output -NoEnumerate @([pscustomobject]@{ a = 1 }, [pscustomobject]@{ a = 2 }) | \
                  ForEach-Object { $_.Count }; , @('in', 'an array') | ForEach-Object { , $_ }; \
                  Write-Output -NoEnumerate ([Collections.Generic.List[int]] (7, 8)); \
                  \"two`nlines\"; 'x' * 70000; 'last'";
    let ran = Ran::text(&mut host, script).await.completed();
    let long = "x".repeat(70_000);
    assert_eq!(
        ran.output(),
        [
            "line", "", "2", "in", "an array", "7", "8", "two", "lines", &long, "last"
        ]
    );
}

async fn strings_are_neither_wrapped_nor_coloured(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(
        &mut host,
        "'x' * 500; \"`e[31mred`e[0m\"; \"a`tb\"; \"one`ntwo`r`n\"; ''",
    )
    .await;
    let ran = ran.completed();
    assert_eq!(
        ran.output(),
        [&"x".repeat(500), "red", "a\tb", "one", "two", "", ""]
    );
    done(host).await;
}

async fn a_hundred_thousand_lines_are_all_there(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "1..100000 | ForEach-Object { \"line $_\" }")
        .await
        .completed();
    let output = ran.output();
    assert_eq!(output.len(), 100_000);
    assert!(
        output
            .iter()
            .enumerate()
            .all(|(i, line)| *line == format!("line {}", i + 1))
    );
    done(host).await;
}

async fn errors_have_category_id_and_place(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "'on'\n  Get-NoSuchThing").await;
    let errors = ran.errors();
    let error = errors[0];
    assert_eq!(error.category, "ObjectNotFound");
    assert_eq!(error.id, "CommandNotFoundException");
    assert_eq!(
        error.exception,
        "System.Management.Automation.CommandNotFoundException"
    );
    assert_eq!((error.line, error.column), (Some(2), Some(3)));
    assert!(error.rendered.contains("Get-NoSuchThing") && !error.rendered.contains('\u{1b}'));
    assert!(!error.terminating);
    done(host).await;
}

async fn a_terminating_error_is_the_last_record(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "'before'\nthrow 'broken'\n'after'").await;
    assert_eq!(kinds(&ran), ["output before", "error broken"]);
    let failure = ran.failure();
    assert!(
        failure.terminating && failure.line == Some(2),
        "{failure:?}"
    );
    let ran = Ran::text(&mut host, "Get-Item /nonexistent -ErrorAction Stop").await;
    assert_eq!(ran.failure().category, "ObjectNotFound");
    assert_eq!(ran.errors().len(), 1);
    done(host).await;
}

async fn objects_become_json(cx: &Context) {
    let mut host = cx.host().await;
    let script = "[pscustomobject]@{ Name = 'Ä'; Day = [DayOfWeek]::Monday; Since = [datetime]::Parse('2026-01-02T03:04:05Z').ToUniversalTime() }; \
                  [datetime]::Parse('2026-01-02T03:04:05Z').ToUniversalTime(); \"two`nlines\"; 5; $true; @(1, 2); , @(3, 4); [double]::NaN; $null; \
                  Write-Warning w; Get-NoSuchThing";
    let ran = Ran::json(&mut host, script).await.completed();
    assert_eq!(
        ran.elements(),
        [
            r#"{"Name":"Ä","Day":"Monday","Since":"2026-01-02T03:04:05Z"}"#,
            r#""2026-01-02T03:04:05.0000000Z""#,
            r#""two\nlines""#,
            "5",
            "true",
            "1",
            "2",
            "[3,4]",
            r#""NaN""#,
            "null"
        ]
    );
    assert_eq!((ran.warnings(), ran.errors().len()), (vec!["w"], 1));
    done(host).await;
}

async fn json_that_is_cut_off_says_so(cx: &Context) {
    let mut host = cx.host().await;
    let script = "1..3 | ForEach-Object { @{ a = @{ b = @{ c = @{ d = 1 } } } } }";
    let ran = Ran::json(&mut host, script).await.completed();
    assert_eq!(
        (ran.elements().len(), ran.warnings().len()),
        (3, 1),
        "{:?}",
        ran.records
    );
    done(host).await;
}

async fn a_layout_in_json_becomes_strings(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::json(
        &mut host,
        "[pscustomobject]@{ Key = 'value' } | Format-Table",
    )
    .await;
    assert!(
        ran.elements().contains(&"\"value\""),
        "{:?}",
        ran.elements()
    );
    done(host).await;
}

async fn console_text_arrives_also_without_a_line_end(cx: &Context) {
    let mut host = cx.host().await;
    let script = "[Console]::WriteLine('line'); [Console]::Error.Write('no end'); 'done'";
    let ran = Ran::text(&mut host, script).await.completed();
    let mut console = ran.console();
    console.sort_unstable();
    assert_eq!(
        (console, ran.output()),
        (vec!["line", "no end"], vec!["done"])
    );

    // A prompt comes out while the command goes on.
    let go = cx.path().join("go");
    let script = format!(
        "[Console]::Write('Code: '); while (-not (Test-Path '{}')) {{ Start-Sleep -Milliseconds 5 }}",
        go.display()
    );
    let records = Ran::begin(&mut host, &script, |record| {
        matches!(record, Record::Console { .. })
    })
    .await;
    std::fs::write(&go, "").unwrap();
    let ran = Ran::rest(&mut host, records).await.unwrap();
    assert_eq!(ran.console(), ["Code: "]);
    done(host).await;
}

async fn warnings_of_a_host_are_seen_once(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(
        &mut host,
        "$Host.UI.WriteWarningLine('by host'); Write-Warning 'by cmdlet'",
    )
    .await;
    let mut warnings = ran.warnings();
    warnings.sort_unstable();
    assert_eq!(warnings, ["by cmdlet", "by host"]);
    done(host).await;
}

async fn what_is_sent_to_the_host_is_shown(cx: &Context) {
    let mut host = cx.host().await;
    let script = "'a'; 1, 2 | Out-Host; [pscustomobject]@{ name = 'x' } | Format-Table | oh; 'b'; \
                  Out-Host -InputObject 3; 4 | Out-Default; Write-Host 5";
    let ran = Ran::text(&mut host, script).await.completed();
    let shown: Vec<_> = kinds(&ran)
        .into_iter()
        .filter(|kind| kind != "information true ")
        .collect();
    let header = "information true name";
    assert_eq!(
        shown,
        [
            "output a",
            "information true 1",
            "information true 2",
            header,
            "information true ----",
            "information true x",
            "output b",
            "information true 3",
            "information true 4",
            "information true 5"
        ]
    );
    assert!(!ran.finished.stateful);
    // As wide as the command's output, which a later command may want otherwise.
    let wide = "'y' * 100 | Select-Object @{ n = 'long'; e = { $_ } } | Format-Table | Out-Host";
    let ran = Ran::text(&mut host, wide).await.completed();
    assert!(kinds(&ran).contains(&format!("information true {}", "y".repeat(100))));
}

async fn progress_is_reported(cx: &Context) {
    let mut host = cx.host().await;
    let script = "Write-Progress -Activity Moving -Status 'half' -PercentComplete 50; Start-Sleep -Milliseconds 100; \
                  Write-Progress -Activity Moving -Completed";
    let ran = Ran::text(&mut host, script).await.completed();
    let progress: Vec<_> = ran
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Progress(progress) => Some((progress.percent, progress.completed)),
            _ => None,
        })
        .collect();
    assert!(progress.contains(&(Some(50), false)), "{progress:?}");
    assert!(
        progress.iter().any(|(_, completed)| *completed),
        "{progress:?}"
    );
    done(host).await;
}

async fn shadowed_cmdlets_change_nothing(cx: &Context) {
    let mut host = cx.host().await;
    let script = "function Out-String { 'mine' }; function ConvertTo-Json { 'mine' }; Set-StrictMode -Version Latest; \
                  $PSDefaultParameterValues['*:Verbose'] = $true; $ErrorActionPreference = 'Stop'; $WarningPreference = 'Stop'";
    Ran::text(&mut host, script).await.completed();
    let ran = Ran::text(&mut host, "[pscustomobject]@{ Key = 'value' }")
        .await
        .completed();
    assert!(ran.output().contains(&"value"), "{:?}", ran.records);
    let ran = Ran::json(&mut host, "@{ Key = 'value' }").await.completed();
    assert_eq!(ran.elements(), [r#"{"Key":"value"}"#]);
    done(host).await;
}

async fn a_text_too_long_for_one_frame_comes_in_pieces(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "'x' * 10MB").await.completed();
    assert_eq!(ran.output()[0].len(), 10 * 1024 * 1024);

    // Emoji are two halves each, so that some piece would begin inside one.
    let emoji = "'before'; 'a' + [char]::ConvertFromUtf32(0x1F600) * 6MB; 'behind'";
    let ran = Ran::text(&mut host, emoji).await.completed();
    assert_eq!(ran.output(), ["before", "behind"]);
    let whole = whole(&ran);
    assert!(whole.starts_with('a') && whole[1..].chars().all(|it| it == '😀'));
    assert_eq!(whole.chars().count(), 1 + 6 * 1024 * 1024);

    // As JSON, a string and an object.
    let ran = Ran::json(&mut host, "('\"' * 11MB)").await.completed();
    let text: String = serde_json::from_str(&self::whole(&ran)).unwrap();
    assert_eq!(text, "\"".repeat(11 * 1024 * 1024));
    let ran = Ran::json(&mut host, "@{ a = 'x' * 11MB }")
        .await
        .completed();
    let value: serde_json::Value = serde_json::from_str(&self::whole(&ran)).unwrap();
    assert_eq!(value["a"].as_str().unwrap().len(), 11 * 1024 * 1024);

    // A long text of short lines has no pieces; a long message is several.
    let ran = Ran::text(&mut host, "(('x' * 999) + \"`n\") * 11kb")
        .await
        .completed();
    assert_eq!(ran.output().len(), 11 * 1024 + 1);
    let ran = Ran::text(&mut host, "Write-Warning ('w' * 11MB)")
        .await
        .completed();
    let warned: usize = ran.warnings().iter().map(|text| text.len()).sum();
    assert_eq!(warned, 11 * 1024 * 1024);
    let ran = Ran::text(&mut host, "Write-Error ('e' * 11MB); 'on'")
        .await
        .completed();
    assert_eq!((ran.errors().len(), ran.output()), (1, vec!["on"]));
    let said: usize = ran
        .records
        .iter()
        .map(|record| match record {
            Record::Information { text, shown: true } => text.matches('e').count(),
            _ => 0,
        })
        .sum();
    assert!(said >= 11 * 1024 * 1024, "{said}");
    assert_eq!(Ran::text(&mut host, "1").await.completed().output(), ["1"]);
    done(host).await;
}

/// What the pieces of one long text add up to; the last one says that it is.
fn whole(ran: &Ran) -> String {
    let pieces = ran.records.iter().filter_map(|record| match record {
        Record::Piece { text, last } => Some((text.as_str(), *last)),
        _ => None,
    });
    let (texts, lasts): (Vec<_>, Vec<_>) = pieces.unzip();
    let (last, before) = lasts.split_last().expect("pieces");
    assert!(*last && before.iter().all(|last| !last));
    texts.concat()
}
