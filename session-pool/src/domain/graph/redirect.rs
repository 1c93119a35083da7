//! Where Graph itself may lead a call: next links on its own host, and downloads elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use percent_encoding::{CONTROLS, percent_encode};
use url::{Host, Url};

use super::endpoint::{Endpoint, EndpointError};

/// A redirect that is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// It is no address.
    #[error("it names no address")]
    Unreadable,
    /// It leads to a host by something else than TLS.
    #[error("it leads to an address that is not https")]
    NotHttps,
    /// It leads into this machine or its network.
    #[error("it leads to this machine or a private network")]
    Private,
    /// It has a user name or a password in it.
    #[error("it holds a user name or password")]
    Credentials,
}

/// The address behind a page of a collection; on the service's own host, or nowhere.
///
/// # Errors
/// [`EndpointError::OtherHost`].
pub fn next_link(link: &str, base: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::given(link, base)
}

/// Where a redirect from `from` leads. `own` says that the cloud itself is on this machine, as in
/// the demo; then addresses on this machine are what they should be.
///
/// A name is not looked up here: whoever connects must refuse private addresses for it.
///
/// # Errors
/// [`RedirectError`].
pub fn redirect(from: &Url, location: &str, own: bool) -> Result<Url, RedirectError> {
    let mut to = from.join(location).map_err(|_| RedirectError::Unreadable)?;
    to.set_fragment(None);
    if !to.username().is_empty() || to.password().is_some() {
        return Err(RedirectError::Credentials);
    }
    let place = match to.host() {
        Some(Host::Ipv4(address)) => place(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => place(IpAddr::V6(address)),
        Some(Host::Domain(name)) if is_local_name(name) => Place::Loopback,
        Some(Host::Domain(_)) => Place::Public,
        None => return Err(RedirectError::Unreadable),
    };
    match (place, to.scheme()) {
        (Place::Loopback, "http" | "https") if own => Ok(to),
        (Place::Loopback | Place::Private, _) => Err(RedirectError::Private),
        (Place::Public, "https") => Ok(to),
        (Place::Public, _) => Err(RedirectError::NotHttps),
    }
}

/// A `Location` header as text: what is no ASCII in it goes on byte for byte, whatever encoding it
/// was written in.
pub fn location(value: &[u8]) -> String {
    percent_encode(value, CONTROLS).to_string()
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

enum Place {
    Public,
    Loopback,
    Private,
}

/// Whether the address is this machine's, its network's, or nobody's.
pub fn is_private(address: IpAddr) -> bool {
    !matches!(place(address), Place::Public)
}

// RFC 6890 (special purposes) and IANA's registries of them, RFC 4291 (global unicast), RFC 6052 and
// RFC 3056 (addresses that hold an IPv4 address).
fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => {
            if let Some(v4) = embedded(v6) {
                return place_v4(v4);
            }
            let [a, b, ..] = v6.segments();
            // 2000::/3 is what the world uses: anything else is local, reserved, or nobody's.
            let global = a & 0xe000 == 0x2000;
            // 2001::/23 holds tunnels such as Teredo; 2001:db8:: and 3fff:: are for documents.
            let special =
                (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || (a == 0x3fff && b < 0x1000);
            if v6.is_loopback() {
                Place::Loopback
            } else if global && !special {
                Place::Public
            } else {
                Place::Private
            }
        }
    }
}

fn place_v4(v4: Ipv4Addr) -> Place {
    let [a, b, c, _] = v4.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let protocol = (a, b, c) == (192, 0, 0);
    let document = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
    if v4.is_loopback() {
        Place::Loopback
    } else if a == 0
        || a >= 224
        || v4.is_private()
        || v4.is_link_local()
        || shared
        || benchmark
        || protocol
        || document
    {
        Place::Private
    } else {
        Place::Public
    }
}

/// The IPv4 address inside: mapped, compatible, NAT64 or 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(v4) = v6.to_ipv4_mapped() {
        return Some(v4);
    }
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [p, q] = high.to_be_bytes();
        let [r, s] = low.to_be_bytes();
        Ipv4Addr::new(p, q, r, s)
    };
    match (a, b) {
        (0x0064, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => Some(v4(g, h)),
        (0x2002, high) => Some(v4(high, c)),
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0) && g != 0 => Some(v4(g, h)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_outside_by_tls_only() {
        let Ok(from) = Url::parse("https://graph.microsoft.com/v1.0/reports/x") else {
            unreachable!()
        };
        use RedirectError::{Credentials, NotHttps, Private, Unreadable};
        for (to, error) in [
            ("https://reports.office.com/data?sig=1", None),
            ("/v1.0/other", None),
            ("https://8.8.8.8/x", None),
            ("http://reports.office.com/data", Some(NotHttps)),
            ("ftp://reports.office.com/data", Some(NotHttps)),
            ("file:///etc/passwd", Some(Unreadable)),
            ("https://user:secret@host.example/", Some(Credentials)),
            ("https://127.0.0.1/", Some(Private)),
            ("https://localhost/", Some(Private)),
            ("https://x.localhost./", Some(Private)),
            ("https://10.1.2.3/", Some(Private)),
            ("https://169.254.169.254/", Some(Private)),
            ("https://2130706433/", Some(Private)),
            ("https://0x7f.1/", Some(Private)),
            ("https://[::1]/", Some(Private)),
            ("https://[::ffff:10.0.0.1]/", Some(Private)),
            ("https://[64:ff9b::a00:1]/", Some(Private)),
            ("https://[2002:0a00:0001::1]/", Some(Private)),
            ("https://[fe80::1]/", Some(Private)),
            ("https://[fd00::1]/", Some(Private)),
            ("https://0.0.0.0/", Some(Private)),
            ("https://100.64.0.1/", Some(Private)),
            ("https://192.0.2.1/", Some(Private)),
            ("https://[64:ff9b:1::a00:1]/", Some(Private)),
            ("https://[2001:0:a00:1::1]/", Some(Private)),
            ("https://[2001:db8::1]/", Some(Private)),
            ("https://[::ffff:0:10.0.0.1]/", Some(Private)),
            ("https://[::]/", Some(Private)),
            ("https://[ff02::1]/", Some(Private)),
            ("https://[2603:1026::1]/", None),
            ("https://[64:ff9b::808:808]/", None),
        ] {
            assert_eq!(redirect(&from, to, false).err(), error, "{to}");
        }
        assert!(redirect(&from, "http://127.0.0.1:9/x", true).is_ok());
        assert_eq!(redirect(&from, "http://10.0.0.1/x", true), Err(Private));
    }

    #[test]
    fn a_location_may_be_in_any_encoding() {
        let Ok(from) = Url::parse("https://graph.microsoft.com/v1.0/x") else {
            unreachable!()
        };
        for (bytes, url) in [
            (
                "https://h.example/\u{fc}?x=\u{fc}".as_bytes(),
                "https://h.example/%C3%BC?x=%C3%BC",
            ),
            (b"https://h.example/\xfc%20y", "https://h.example/%FC%20y"),
            (b"/v1.0/me", "https://graph.microsoft.com/v1.0/me"),
        ] {
            let to = redirect(&from, &location(bytes), false).map(String::from);
            assert_eq!(to.as_deref(), Ok(url));
        }
    }
}
