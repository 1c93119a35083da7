//! Answers to writing calls, which cannot be asked for again.

use reqwest::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Content, Shown};
use super::body::{self, Kind};
use super::error::GraphError;
use super::noise::Clean;
use super::read;
use super::target::Written;

/// What a writing call is answered.
///
/// # Errors
/// Where it breaks off, cannot be read, or the disk does not take it.
pub(crate) async fn answered(
    response: Response,
    written_to: Option<Written>,
) -> Result<Content, GraphError> {
    let status = response.status();
    let code = status.as_u16();
    if status == StatusCode::NO_CONTENT {
        return Ok(Content::Nothing(code));
    }
    if let Some(written) = written_to {
        return read::saved(response, written).await;
    }
    match body::kind(&response) {
        Kind::Json => {
            let text = body::json_text(response).await?;
            match serde_json::from_str::<&RawValue>(&text)? {
                nothing if nothing.get() == "null" => Ok(Content::Nothing(code)),
                value => whole(code, &Clean::entity(value, &[])),
            }
        }
        kind @ (Kind::Text | Kind::Csv | Kind::Html) => Ok(Content::Shown(Shown {
            status: code,
            output: Some(body::text(response).await?),
            format: kind.format(),
            ..Shown::default()
        })),
        Kind::Binary => {
            let blob = body::blob(response).await?;
            if blob.bytes == 0 {
                Ok(Content::Nothing(code))
            } else {
                Ok(Content::Blob(code, blob))
            }
        }
    }
}

/// An answer that cannot be asked for again, so that no part of it is left out.
///
/// # Errors
/// Where it is no JSON.
pub(crate) fn whole(status: u16, value: &impl Serialize) -> Result<Content, GraphError> {
    Ok(Content::Shown(Shown {
        status,
        output: Some(serde_json::to_string_pretty(value)?),
        format: "json",
        ..Shown::default()
    }))
}
