//! Calls of Microsoft Graph and Power Automate, as far as they are only text: endpoints, queries,
//! headers, retries, redirects, and which of them reach people. No I/O.

mod encode;
mod endpoint;
#[cfg(test)]
mod endpoint_tests;
mod headers;
mod method;
mod query;
mod redirect;
mod retry;
mod sending;

pub use encode::fully_decoded;
pub use endpoint::{Endpoint, EndpointError, Service};
pub use headers::{Header, HeaderError};
pub use method::{Method, UnknownMethod};
pub use query::{Query, QueryError};
pub use redirect::{RedirectError, is_private, location, next_link, redirect};
pub use retry::{Attempt, Failed, retry_after};
pub use sending::{Course, Proposal, Sends, Yes};
