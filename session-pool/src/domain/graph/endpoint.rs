//! Where a call goes: what people and models write as an endpoint, made into one URL on the right
//! host.
//!
//! The URL is put together from the service's own base and an encoded path; nothing a caller
//! writes is ever parsed as a host. That the result is on the base's host is checked all the same.

use url::Url;

use super::encode::{fully_decoded, is_encoded, path_character, query_character};
use super::query::{Query, QueryError, same_option};

/// Longest endpoint in bytes; servers take less.
const LONGEST: usize = 16 * 1024;

/// The version that stands in where none is given.
const DEFAULT_VERSION: &str = "v1.0";

/// Which `api-version` Power Automate is asked for where none is given.
const FLOW_VERSION: &str = "2016-11-01";

/// What is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Service {
    /// Microsoft Graph: a version in front of every path.
    #[default]
    Graph,
    /// Power Automate: an `api-version` in every query.
    Flow,
}

/// A place on a service's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    /// Bytes of the URL that are the service's base.
    base: usize,
}

/// An endpoint that is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// There is none.
    #[error("the endpoint is empty: give a path such as /users or /me/messages")]
    Empty,
    /// It names another host.
    #[error(
        "the endpoint names another host than this connection's ({host}): give a path such as /users, \
         or a full URL on that host"
    )]
    OtherHost {
        /// The right host.
        host: String,
    },
    /// It climbs.
    #[error("the endpoint climbs with \".\" or \"..\": name the whole path")]
    Climbs,
    /// It names another version than the batch that it is in.
    #[error(
        "the URL names the version {0}, and the batch has another: a batch has one version, that of \
         its own endpoint"
    )]
    Version(String),
    /// It has characters that belong into no URL.
    #[error("the endpoint must not contain {0}")]
    Characters(&'static str),
    /// It is too long.
    #[error(
        "the endpoint is longer than {LONGEST} bytes: put a long list of ids into the body, or split it"
    )]
    TooLong,
    /// A query option cannot be used.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Endpoint {
    /// Makes an endpoint of what was written: with or without leading slash and version, or a full
    /// URL on the base's host. `base` is the service's own, from the registry.
    ///
    /// # Errors
    /// [`EndpointError`] where it would lead anywhere else, or cannot be read.
    pub fn new(
        text: &str,
        query: &Query,
        service: Service,
        base: &str,
    ) -> Result<Self, EndpointError> {
        let text = text.trim_matches(' ');
        let base = base.trim_end_matches('/');
        if text.len() > LONGEST {
            return Err(EndpointError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(EndpointError::Characters("control characters or line ends"));
        }
        let local = local(text, base)?;
        let (path, raw_query) = split_query(local);
        if path.contains('\\') {
            return Err(EndpointError::Characters("a backslash in its path"));
        }
        if path.starts_with("//") || path.starts_with("/\\") {
            return Err(other_host(base));
        }
        let path = path.trim_start_matches('/');
        if path.is_empty() && raw_query.is_empty() {
            return Err(EndpointError::Empty);
        }
        climbs_not(path)?;

        let mut url = format!("{base}/");
        if service == Service::Graph {
            let (version, rest) = version(path);
            url.push_str(version);
            if !rest.is_empty() {
                url.push('/');
                encode_path(rest, &mut url);
            }
        } else {
            encode_path(path, &mut url);
        }
        let options = options(raw_query);
        let mut separator = '?';
        for option in &options {
            url.push(separator);
            separator = '&';
            encode_option(option, &mut url);
        }
        for (name, value) in query.pairs() {
            if options
                .iter()
                .any(|option| same_option(name_of(option), name))
            {
                return Err(QueryError::Twice(name.to_owned()).into());
            }
            url.push(separator);
            separator = '&';
            for c in name.chars() {
                query_character(c, &mut url);
            }
            url.push('=');
            url.push_str(value);
        }
        let has_version = query.has("api-version")
            || options
                .iter()
                .any(|option| name_of(option).eq_ignore_ascii_case("api-version"));
        if service == Service::Flow && !has_version {
            url.push(separator);
            url.push_str("api-version=");
            url.push_str(FLOW_VERSION);
        }
        Self::checked(&url, base)
    }

    /// Makes an endpoint of a sub-request's URL in a batch, which has one version for all of them:
    /// relative to it, or with it, or a full URL on the base's host.
    ///
    /// # Errors
    /// As [`Self::new`], or where it names another version.
    pub fn in_batch(text: &str, batch: &str, base: &str) -> Result<Self, EndpointError> {
        let base = base.trim_end_matches('/');
        let local = local(text.trim_matches(' '), base)?;
        if local.starts_with("//") {
            return Err(other_host(base));
        }
        let path = local.trim_start_matches('/');
        let (front, rest) = match path.find(['/', '?']) {
            Some(end) => path.split_at(end),
            None => (path, ""),
        };
        let versions = ["v1.0", "beta"];
        let relative = if front.eq_ignore_ascii_case(batch) {
            rest.trim_start_matches('/')
        } else if versions.iter().any(|own| own.eq_ignore_ascii_case(front)) {
            return Err(EndpointError::Version(front.to_ascii_lowercase()));
        } else {
            path
        };
        if relative.is_empty() {
            return Err(EndpointError::Empty);
        }
        let whole = format!("/{batch}/{relative}");
        Self::new(&whole, &Query::default(), Service::Graph, base)
    }

    /// An address that the service itself gave, such as a next link, which must be on its host.
    ///
    /// # Errors
    /// [`EndpointError::OtherHost`] where it is not.
    pub fn given(link: &str, base: &str) -> Result<Self, EndpointError> {
        Self::checked(link, base.trim_end_matches('/'))
    }

    /// What was put together, if it is what it was meant to be.
    fn checked(text: &str, base: &str) -> Result<Self, EndpointError> {
        let wrong = || other_host(base);
        let url = Url::parse(text).map_err(|_| wrong())?;
        let own = Url::parse(base).map_err(|_| wrong())?;
        let own_path = own.path().trim_end_matches('/');
        let same_place = url.origin() == own.origin()
            && url.origin().is_tuple()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url
                .path()
                .strip_prefix(own_path)
                .is_some_and(|rest| rest.starts_with('/'));
        if !same_place {
            return Err(wrong());
        }
        let origin = url.as_str().len() - url.path().len() - url.query().map_or(0, |q| q.len() + 1);
        Ok(Self {
            base: origin + own_path.len(),
            url,
        })
    }

    /// The whole URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Path and query behind the base, as people name it: `/v1.0/users?$top=5`.
    pub fn path_and_query(&self) -> &str {
        self.url.as_str().get(self.base..).unwrap_or_default()
    }

    /// Path behind the base: `/v1.0/users`.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// Whether the query has this option, with or without `$`.
    pub fn has_option(&self, name: &str) -> bool {
        self.url
            .query_pairs()
            .any(|(own, _)| same_option(&own, name))
    }
}

fn other_host(base: &str) -> EndpointError {
    let host = base.split("://").nth(1).unwrap_or(base);
    EndpointError::OtherHost {
        host: host.split('/').next().unwrap_or_default().to_owned(),
    }
}

/// What stands behind the base, where a full URL or the bare host in front of it was written.
fn local<'a>(text: &'a str, base: &str) -> Result<&'a str, EndpointError> {
    let (scheme, place) = base.split_once("://").ok_or_else(|| other_host(base))?;
    let written = match text.split_once("://") {
        // Only what could be a scheme is one: `$filter=x eq 'https://…'` is not.
        Some((head, rest)) if is_scheme(head) => {
            if !head.eq_ignore_ascii_case(scheme) {
                return Err(other_host(base));
            }
            return behind(rest, place, scheme).ok_or_else(|| other_host(base));
        }
        _ => text,
    };
    if text.starts_with("//") {
        return Err(other_host(base));
    }
    // `graph.microsoft.com/v1.0/users`, as browsers show addresses.
    Ok(behind(written, place, scheme).unwrap_or(written))
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// What stands behind `place`, which is a host, perhaps a port and a path.
fn behind<'a>(text: &'a str, place: &str, scheme: &str) -> Option<&'a str> {
    let (host, path) = match place.split_once('/') {
        Some((host, path)) => (host, path),
        None => (place, ""),
    };
    let rest = text
        .get(..host.len())
        .filter(|own| own.eq_ignore_ascii_case(host))
        .and_then(|_| text.get(host.len()..))?;
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let rest = match rest.strip_prefix(default_port) {
        Some(rest) if !host.contains(':') => rest,
        _ => rest,
    };
    if !rest.is_empty() && !rest.starts_with(['/', '?']) {
        return None;
    }
    if path.is_empty() {
        return Some(rest);
    }
    let rest = rest.strip_prefix('/')?.strip_prefix(path)?;
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

/// Cuts at the `?` that begins the query: not at one in a quoted argument of a function, as in
/// `search(q='what?')`.
fn split_query(text: &str) -> (&str, &str) {
    let mut depth = 0_u32;
    let mut quoted = false;
    let mut found = None;
    for (index, c) in text.char_indices() {
        match c {
            '\'' if depth > 0 => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            '?' if !quoted => {
                found = Some(index);
                break;
            }
            _ => {}
        }
    }
    // Where a quote never ends it was none.
    let found = found.or_else(|| if quoted { text.find('?') } else { None });
    match found.and_then(|index| Some((text.get(..index)?, text.get(index + 1..)?))) {
        Some(parts) => parts,
        None => (text, ""),
    }
}

/// Refuses `.` and `..`, however often they are encoded.
fn climbs_not(path: &str) -> Result<(), EndpointError> {
    let decoded = fully_decoded(path);
    if decoded.chars().any(char::is_control) {
        return Err(EndpointError::Characters("encoded control characters"));
    }
    let mut segments = decoded.split(['/', '\\']);
    if segments.any(|segment| matches!(segment.trim(), "." | "..")) {
        return Err(EndpointError::Climbs);
    }
    Ok(())
}

/// The version, and the path behind it.
fn version(path: &str) -> (&'static str, &str) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if first.eq_ignore_ascii_case("v1.0") {
        ("v1.0", rest)
    } else if first.eq_ignore_ascii_case("beta") {
        ("beta", rest)
    } else {
        (DEFAULT_VERSION, path)
    }
}

/// Encodes a path. A slash in a quoted argument is the argument's, as in `getByPath(path='/a/b')`.
fn encode_path(path: &str, url: &mut String) {
    let balanced = path.matches('\'').count().is_multiple_of(2);
    let mut depth = 0_u32;
    let mut quoted = false;
    for (index, c) in path.char_indices() {
        match c {
            '\'' if depth > 0 && balanced => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match c {
            '/' if quoted => url.push_str("%2F"),
            '/' => url.push('/'),
            '%' if path.get(index..).is_some_and(is_encoded) => url.push('%'),
            c => path_character(c, url),
        }
    }
}

/// The options of a query, cut at each `&` that is not in a quoted text: `$filter=name eq 'A & B'`
/// is one option, and so is `$search="A & B"`.
fn options(query: &str) -> Vec<&str> {
    let mut options = Vec::new();
    let mut rest = query;
    while !rest.is_empty() {
        let quote = if rest.starts_with("$search") || rest.starts_with("search") {
            '"'
        } else {
            '\''
        };
        let (option, behind) = cut_outside(rest, quote)
            .or_else(|| rest.split_once('&'))
            .unwrap_or((rest, ""));
        if !option.is_empty() {
            options.push(option);
        }
        rest = behind;
    }
    options
}

/// Cuts at the first `&` outside of quotes; `None` where there is none or a quote never ends.
fn cut_outside(text: &str, quote: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => quoted = !quoted,
            '&' if !quoted => return Some((text.get(..index)?, text.get(index + 1..)?)),
            _ => {}
        }
    }
    // No such `&`: all of it is one option, if the quotes end.
    (!quoted).then_some((text, ""))
}

fn name_of(option: &str) -> &str {
    option.split('=').next().unwrap_or_default()
}

/// Encodes an option as it was written: what is encoded already stays, `+` between words is a
/// space, and `+` in a quoted text or in front of a time zone's offset is a plus.
fn encode_option(option: &str, url: &mut String) {
    let mut quoted = false;
    for (index, c) in option.char_indices() {
        let from_here = option.get(index..).unwrap_or_default();
        match c {
            '\'' | '"' => {
                quoted = !quoted;
                query_character(c, url);
            }
            '%' if is_encoded(from_here) => url.push('%'),
            '+' if quoted || is_offset(from_here) => url.push_str("%2B"),
            '+' => url.push('+'),
            c => query_character(c, url),
        }
    }
}

/// `+02:00`, as at the end of a time.
fn is_offset(text: &str) -> bool {
    let mut bytes = text.bytes().skip(1);
    let mut next = || bytes.next();
    let digit = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_digit());
    digit(next()) && digit(next()) && next() == Some(b':') && digit(next()) && digit(next())
}
