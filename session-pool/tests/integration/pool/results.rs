//! What a job puts out, on its way from the process to the pages.

use std::time::Duration;

use serde_json::json;
use session_pool::domain::job::JobState;
use session_pool::domain::paging::PageBudget;
use session_pool::session::{Job, Pool};

use crate::support::stage::{finished, parts, submit};
use crate::support::{Context, Needs, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_line_in_pieces_is_paged_whole,
            pieces_past_the_limit_of_a_job_end_it,
        ]
    );
}

/// A fake PowerShell that says a line of so many pieces to the command `long`.
fn scenario(pieces: usize) -> String {
    let record = |record| json!({"record": {"record": record}});
    let piece = |number| {
        let text = "ä".repeat(100_000);
        record(json!({"type": "piece", "text": text, "last": number + 1 == pieces}))
    };
    let mut steps = vec![record(json!({"type": "output", "text": "before"}))];
    steps.extend((0..pieces).map(piece));
    steps.push(record(json!({"type": "output", "text": "behind"})));
    json!({
        "commands": [
            {"for": {"contains": "Get-ConnectionInformation"}, "steps": [
                record(json!({"type": "json", "text": r#"{"account":null,"tenant_id":null}"#}))
            ]},
            {"for": {"exact": "long"}, "steps": steps}
        ],
        "otherwise": [{"finish": {"outcome": "completed"}}]
    })
    .to_string()
}

/// All pages of a job, one behind the other.
async fn output(job: &Job) -> String {
    let mut whole = String::new();
    let mut cursor = String::from("r0");
    loop {
        let from = cursor.parse().unwrap();
        let answer = job.answer(from, PageBudget::default()).await.unwrap();
        whole.push_str(&answer.output);
        match answer.cursor {
            Some(next) => cursor = next,
            None => return whole,
        }
    }
}

async fn a_line_in_pieces_is_paged_whole(cx: &Context) {
    let pool = Pool::new(parts(cx, cx.fake(&scenario(4))));
    let job = submit(&pool, "long");
    assert_eq!(finished(&job).await.state, JobState::Succeeded);
    let line = "ä".repeat(400_000);
    assert!(output(&job).await == format!("before\n{line}\nbehind"));
    pool.drain(Duration::from_secs(5)).await;
}

async fn pieces_past_the_limit_of_a_job_end_it(cx: &Context) {
    // 4 MB, and a job may have one.
    let pool = Pool::new(parts(cx, cx.fake(&scenario(20))));
    let job = submit(&pool, "long");
    let answer = finished(&job).await;
    assert_eq!(
        answer.code.as_deref(),
        Some("output_limit"),
        "{:?}",
        answer.error
    );
    // What came before is kept.
    assert!(output(&job).await.chars().count() > 400_000);
    pool.drain(Duration::from_secs(5)).await;
}
