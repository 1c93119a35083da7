//! How a request becomes an order that a session can carry out.

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use crate::domain::format::{FormatName, OutputFormat};
use crate::domain::module::Module;
use crate::domain::registry::Connection;
use crate::domain::session_key::{Scope, SessionKey};
use crate::domain::site::Site;
use crate::domain::trace::TraceParent;
use crate::domain::wire::RunRequest;

use super::limits::Limits;
use super::refused::Refused;

/// Characters of the name that a caller gives itself; it is kept with every job.
const LONGEST_CALLER: u64 = 256;

/// What a caller asked for, after it was checked.
#[derive(Clone, Debug)]
pub struct Order {
    /// The session that is to run it.
    pub key: SessionKey,
    /// The tenant as the registry names it.
    pub tenant: Option<String>,
    /// The account that is expected to be signed in.
    pub expected_account: Option<String>,
    /// Form of the output.
    pub format: OutputFormat,
    /// How long the command may run.
    pub timeout: Duration,
    /// Who asks, as the caller names itself.
    pub caller: Option<String>,
    /// The caller's trace.
    pub trace: Option<TraceParent>,
}

/// Who sends a request, as far as the request's head tells.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The caller's trace.
    pub trace: Option<TraceParent>,
    /// The program, as it names itself.
    pub client: Option<String>,
}

impl Order {
    /// The order that a request for this connection means, and its command.
    ///
    /// # Errors
    /// [`Refused`]: what is missing, unknown or out of range.
    pub(super) fn of(
        request: RunRequest,
        trace: Option<TraceParent>,
        connection: &Connection,
        limits: &Limits,
    ) -> Result<(Self, String), Refused> {
        let module = request
            .module
            .as_deref()
            .filter(|module| !module.is_empty())
            .ok_or(Refused::MissingField("module"))?
            .parse::<Module>()?;
        let key = session_key(connection, module, request.site.as_deref())?;
        let command = request
            .command
            .filter(|command| !command.trim().is_empty())
            .ok_or(Refused::MissingField("command"))?;
        check_caller(request.caller_id.as_deref())?;
        let order = Self {
            tenant: connection.tenant.clone(),
            expected_account: connection.expected_email.clone(),
            format: format(request.format, request.width, request.depth, limits)?,
            timeout: timeout(request.timeout_seconds, limits)?,
            caller: request.caller_id,
            trace,
            key,
        };
        Ok((order, command))
    }
}

/// Whether a caller's name can be kept.
///
/// # Errors
/// [`Refused::OutOfRange`].
pub(super) fn check_caller(caller: Option<&str>) -> Result<(), Refused> {
    let characters = caller.map(|caller| caller.chars().count() as u64);
    in_range("characters of caller_id", characters, 0, LONGEST_CALLER).map(drop)
}

fn format(
    name: Option<FormatName>,
    width: Option<u16>,
    depth: Option<u8>,
    limits: &Limits,
) -> Result<OutputFormat, Refused> {
    let width = in_range("width", width.map(u64::from), 20, 4_096)?
        .and_then(|width| u16::try_from(width).ok())
        .and_then(NonZeroU16::new);
    let depth = in_range("depth", depth.map(u64::from), 1, 100)?
        .and_then(|depth| u8::try_from(depth).ok())
        .and_then(NonZeroU8::new);
    Ok(match name.unwrap_or_default() {
        FormatName::Text => OutputFormat::Text {
            width: width.unwrap_or(limits.width),
        },
        FormatName::Json => OutputFormat::Json {
            depth: depth.unwrap_or(limits.depth),
        },
    })
}

fn timeout(seconds: Option<u32>, limits: &Limits) -> Result<Duration, Refused> {
    let seconds = in_range("timeout_seconds", seconds.map(u64::from), 1, 3_600)?;
    Ok(seconds.map_or(limits.command_timeout, Duration::from_secs))
}

/// The session that serves a module, for pnp at a site.
///
/// # Errors
/// [`Refused`], where the registry does not say enough or the site is no site of it.
pub(super) fn session_key(
    connection: &Connection,
    module: Module,
    site: Option<&str>,
) -> Result<SessionKey, Refused> {
    connection.check(module)?;
    let site = site.filter(|site| !site.is_empty());
    let scope = match (module, site) {
        (Module::Pnp, site) => Scope::Pnp(Site::parse(site, connection)?),
        (_, Some(_)) => return Err(Refused::SiteWithoutPnp),
        (Module::Exo, None) => Scope::Exo,
        (Module::Azure, None) => Scope::Azure,
        (Module::Teams, None) => Scope::Teams,
    };
    Ok(SessionKey::new(connection.name.clone(), scope))
}

fn in_range(
    field: &'static str,
    value: Option<u64>,
    min: u64,
    max: u64,
) -> Result<Option<u64>, Refused> {
    match value {
        Some(value) if !(min..=max).contains(&value) => Err(Refused::OutOfRange {
            field,
            value,
            min,
            max,
        }),
        value => Ok(value),
    }
}
