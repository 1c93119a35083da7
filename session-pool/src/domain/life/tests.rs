#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod sequences;
mod table;
mod times;

use jiff::Timestamp;

use super::*;
use crate::domain::connect::WrongIdentity;
use crate::domain::state::{PendingSignIn, SignedIn};

fn who() -> SignedIn {
    SignedIn {
        account: Some("admin@contoso.example".to_owned()),
        tenant_id: None,
        since: Timestamp::UNIX_EPOCH,
    }
}

fn wrong() -> WrongIdentity {
    WrongIdentity::Account("admin@contoso.example".to_owned())
}

fn prompt(code: &str) -> Prompt {
    Prompt {
        code: code.to_owned(),
        url: "https://microsoft.com/devicelogin".to_owned(),
        expires_at: Timestamp::UNIX_EPOCH,
    }
}

fn shown() -> PendingSignIn {
    let Prompt {
        code,
        url,
        expires_at,
    } = prompt("CODE");
    PendingSignIn {
        code,
        url,
        expires_at,
        asked_by: None,
        after: None,
    }
}

fn request(wants: Wants) -> Request {
    Request { by: None, wants }
}

fn serving(wants: Wants) -> Serving {
    Serving {
        request: request(wants),
        after: None,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
