//! `mm sign-in` and `mm sign-out`, for the pool's modules.

use crate::Case;
use crate::client::Home;
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[("a_person_signs_in_ahead_of_need", signs_in)];

fn signs_in() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let done = home.shell(&["sign-in", "Contoso", "--modules", "exo"]);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<_> = done.stdout.lines().collect();
    assert_eq!(lines[0], "enter the code ABCD-1234");
    assert!(
        lines[1].starts_with("Contoso (contoso.example), exo: signed in as ada@contoso.example"),
        "{lines:?}"
    );
    assert!(
        done.stderr.contains("waiting for exo, 14 more minutes"),
        "{done:?}"
    );
    let asked = pool.wait_for_request("POST /sign-in").body;
    assert_eq!(asked["caller_id"], "mm sign-in");

    let failed = home.shell(&["sign-in", "Contoso", "--modules", "exo,pnp"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed.stdout.contains("pnp: not signed in: AADSTS53003"),
        "{failed:?}"
    );
    let out = home.shell(&["sign-out", "Contoso", "--modules", "exo,pnp"]);
    assert_eq!(
        (out.code, out.stdout.as_str()),
        (
            0,
            "Contoso: signed out of exo, pnp; nothing is kept of it.\n"
        )
    );
    // What is named has to be there; what is not is left out.
    let nowhere = Home::new("http://127.0.0.1:1");
    let refused = nowhere.shell(&["sign-in", "Contoso", "--modules", "exo"]);
    assert_eq!(refused.code, 69, "{refused:?}");
    let wrong = home.shell(&["sign-in", "Contoso", "--modules", "word"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}
