//! The host against a real PowerShell.

use session_pool::host::Host;

use crate::support::{Context, Needs, Ran, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [one_and_one_are_two, a_session_keeps_its_variables]
    );
}

async fn done(host: Host) {
    let pid = host.pid();
    host.shut_down().await;
    assert!(crate::support::group_is_gone(pid));
}

async fn one_and_one_are_two(cx: &Context) {
    let mut host = cx.host().await;
    let ran = Ran::text(&mut host, "1+1").await.completed();
    assert_eq!(ran.output(), ["2"]);
    done(host).await;
}

async fn a_session_keeps_its_variables(cx: &Context) {
    let mut host = cx.host().await;
    assert!(
        Ran::text(&mut host, "$a = 41")
            .await
            .completed()
            .finished
            .stateful
    );
    assert_eq!(
        Ran::text(&mut host, "$a + 1").await.completed().output(),
        ["42"]
    );
    assert!(
        !Ran::text(&mut host, "Remove-Variable a")
            .await
            .completed()
            .finished
            .stateful
    );
    done(host).await;
}
