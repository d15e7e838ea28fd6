//! Addresses: where a message goes, or where messages come from.
//!
//! `[amqp[s]://|ws[s]://][user[:password]@]domain[/[name]]`, where a domain is a host, `host:port`, an
//! address in digits, `[v6]:port`, or the container name of a peer that is connected already. A
//! `~` before the host means "listen here". The name `#` asks the peer to make a node up.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Result};

/// Addresses longer than this are refused: no sensible one comes near, and whoever chooses a
/// `reply-to` should not choose how much work it is to read.
pub(crate) const MAX_ADDRESS: usize = 65_535;
/// The longest name of a node that a peer may choose: it is part of every error and event about its link.
pub(super) const MAX_NODE: usize = 4096;

/// How the connection an address needs is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// `amqp://`, or no scheme: plain TCP, port 5672.
    Amqp,
    /// `amqps://`: TLS from the first octet, port 5671.
    Amqps,
    /// `ws://`: WebSocket, port 80.
    Ws,
    /// `wss://`: WebSocket in TLS, port 443.
    Wss,
}

impl Scheme {
    /// The port that is meant when an address names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Amqp => 5672,
            Self::Amqps => 5671,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// `amqp`, `amqps`, `ws` or `wss`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amqp => "amqp",
            Self::Amqps => "amqps",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether octets go through TLS.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Amqps | Self::Wss)
    }

    /// Whether octets go through WebSocket.
    #[must_use]
    pub const fn is_web(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

/// The name of a node that the peer makes up.
pub(crate) const DYNAMIC: &str = "#";

/// The parts of an address.
///
/// ```
/// use ferrion_messenger::{Address, Scheme};
/// let address = Address::parse("amqp://joe:s%2Fecret@example.org/queue")?;
/// assert_eq!(address.user.as_deref(), Some("joe"));
/// assert_eq!(address.password.as_deref(), Some("s/ecret"));
/// assert_eq!(address.host, "example.org");
/// assert_eq!(address.port(), 5672);
/// assert_eq!(address.name.as_deref(), Some("queue"));
/// assert!(Address::parse("~0.0.0.0")?.listen);
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The scheme; [`Scheme::Amqp`] if none was written.
    pub scheme: Scheme,
    /// Whether the address began with `~`: listen there, rather than connect.
    pub listen: bool,
    /// The user, percent-decoded.
    pub user: Option<String>,
    /// The password, percent-decoded.
    pub password: Option<String>,
    /// A host name, an IP address without brackets, or a container name. Empty only for `~`.
    pub host: String,
    /// The port, if one was written.
    pub explicit_port: Option<u16>,
    /// What follows the first `/` after the domain, as written; `None` without a `/`.
    pub name: Option<String>,
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`Error::InvalidAddress`] says which part cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text).map_err(|reason| Error::InvalidAddress {
            address: without_password(text),
            reason,
        })
    }

    /// The port to connect to or to listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.explicit_port
            .unwrap_or_else(|| self.scheme.default_port())
    }

    /// The name as the peer knows it: the node, or "" for its default node.
    #[must_use]
    pub fn node(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Whether the peer is asked to make up a node (`#`).
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.name.as_deref() == Some(DYNAMIC)
    }

    /// Whether the host is, by its very spelling, this machine: `localhost`, a loopback address, or
    /// the unspecified address, which a connection understands as loopback. Names are not looked up.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        if let Ok(ip) = self.host.parse::<std::net::IpAddr>() {
            return ip.to_canonical().is_loopback() || ip.is_unspecified();
        }
        let host = self.host.strip_suffix('.').unwrap_or(&self.host);
        let last = host.rsplit('.').next().unwrap_or(host);
        last.eq_ignore_ascii_case("localhost")
    }

    /// `scheme://host:port`, without credentials: fit for error texts.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let (scheme, port) = (self.scheme.as_str(), self.port());
        let tilde = if self.listen { "~" } else { "" };
        if self.host.contains(':') {
            format!("{scheme}://{tilde}[{}]:{port}", self.host)
        } else {
            format!("{scheme}://{tilde}{}:{port}", self.host)
        }
    }
}

/// The address in full, but the password: that appears as `***`.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("endpoint", &self.endpoint())
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("name", &self.name)
            .finish()
    }
}

/// An address without `user:password@`, for the eyes of peers; borrowed when there is none to strip.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = split_scheme(text);
    let (domain, name) = split_name(rest);
    // The last: what a route takes need not be an address, and a password with `@` in it is one all the same.
    let Some((_, host)) = domain.rsplit_once('@') else {
        return Cow::Borrowed(text);
    };
    let mut stripped = String::with_capacity(text.len());
    if let Some(scheme) = scheme {
        stripped.push_str(scheme);
        stripped.push_str("://");
    }
    stripped.push_str(host);
    if let Some(name) = name {
        stripped.push('/');
        stripped.push_str(name);
    }
    Cow::Owned(stripped)
}

/// The address as it may stand in an error text: bounded, and with the password blotted out.
pub(crate) fn without_password(text: &str) -> String {
    let (_, rest) = split_scheme(text);
    let (domain, _) = split_name(rest);
    let start = text.len() - rest.len();
    let mut shown: String = match domain
        .rsplit_once('@')
        .map(|(user, _)| (user, user.find(':')))
    {
        Some((user, Some(colon))) => {
            let (before, after) = (start + colon + 1, start + user.len());
            let (head, tail) = (text.get(..before), text.get(after..));
            format!(
                "{}***{}",
                head.unwrap_or_default(),
                tail.unwrap_or_default()
            )
        }
        _ => text.to_owned(),
    };
    if shown.len() > 256 {
        let cut = (0..=256)
            .rev()
            .find(|at| shown.is_char_boundary(*at))
            .unwrap_or(0);
        shown.truncate(cut);
        shown.push_str("...");
    }
    shown
}

/// A scheme is letters, digits, `+`, `-`, `.` before `://`; anything else with `://` in it is a name.
fn split_scheme(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest))
            if scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            (Some(scheme), rest)
        }
        _ => (None, text),
    }
}

fn split_name(rest: &str) -> (&str, Option<&str>) {
    match rest.split_once('/') {
        Some((domain, name)) => (domain, Some(name)),
        None => (rest, None),
    }
}

fn parse(text: &str) -> std::result::Result<Address, String> {
    if text.len() > MAX_ADDRESS {
        return Err(format!(
            "it has {} octets; write a shorter one, {MAX_ADDRESS} are allowed",
            text.len()
        ));
    }
    let (scheme, rest) = split_scheme(text);
    let scheme = match scheme {
        None => Scheme::Amqp,
        Some(name) => [Scheme::Amqp, Scheme::Amqps, Scheme::Ws, Scheme::Wss]
            .into_iter()
            .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
            .ok_or_else(|| {
                format!("unknown scheme {name:?}; use amqp://, amqps://, ws:// or wss://")
            })?,
    };
    let (domain, name) = split_name(rest);
    let (credentials, host) = match domain.split_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, domain),
    };
    // Before anything of the host is shown: a part of a password may be in it.
    if host.contains('@') {
        return Err(
            "more than one '@' before the host; write %40 for one in a user's name or password"
                .to_owned(),
        );
    }
    let (user, password) = match credentials.map(|text| (text, text.split_once(':'))) {
        None => (None, None),
        Some((_, Some((user, password)))) => (Some(decode(user)?), Some(decode(password)?)),
        Some((user, None)) => (Some(decode(user)?), None),
    };
    let (listen, host) = match host.strip_prefix('~') {
        Some(host) => (true, host),
        None => (false, host),
    };
    let (host, port) = split_port(host)?;
    if host.is_empty() && !listen {
        return Err("the host is missing; write host, host:port or [v6]:port".to_owned());
    }
    if let Some(bad) = host.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "{bad:?} cannot stand in a host; write host, host:port or [v6]:port"
        ));
    }
    let explicit_port = port.map(|port| parse_port(port, listen)).transpose()?;
    Ok(Address {
        scheme,
        listen,
        user,
        password,
        host: host.to_owned(),
        explicit_port,
        name: name.map(str::to_owned),
    })
}

fn split_port(host: &str) -> std::result::Result<(&str, Option<&str>), String> {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((ip, after)) = rest.split_once(']') else {
            return Err("a '[' without ']'; write [v6] or [v6]:port".to_owned());
        };
        if ip
            .split('%')
            .next()
            .unwrap_or(ip)
            .parse::<std::net::Ipv6Addr>()
            .is_err()
        {
            return Err(format!(
                "[{ip}] is not an IPv6 address; write [v6] or [v6]:port"
            ));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((ip, Some(port))),
            None if after.is_empty() => Ok((ip, None)),
            None => Err(format!("{after:?} after ']'; write [v6] or [v6]:port")),
        };
    }
    match host.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => {
            Err("an IPv6 address needs brackets; write [v6] or [v6]:port".to_owned())
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((host, None)),
    }
}

fn parse_port(port: &str, listen: bool) -> std::result::Result<u16, String> {
    match port {
        "amqp" => return Ok(Scheme::Amqp.default_port()),
        "amqps" => return Ok(Scheme::Amqps.default_port()),
        _ => {}
    }
    let number = if port.bytes().all(|b| b.is_ascii_digit()) {
        port.parse::<u16>().ok()
    } else {
        None
    };
    match number {
        Some(0) if !listen => Err(
            "port 0 can only be listened on; write the port that the peer listens on".to_owned(),
        ),
        Some(number) => Ok(number),
        None => Err(format!(
            "{port:?} is not a port; write a number up to 65535, and two slashes behind a scheme, as in amqp://host"
        )),
    }
}

/// Decodes `%XX`.
fn decode(text: &str) -> std::result::Result<String, String> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let bad = || {
        "a '%' before the host must be followed by two hexadecimal digits (%25 is a '%')".to_owned()
    };
    let mut decoded = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if octet == b'%' {
            let mut digit = || octets.next().and_then(|d| char::from(d).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err(bad());
            };
            decoded.push(u8::try_from(high << 4 | low).map_err(|_| bad())?);
        } else {
            decoded.push(octet);
        }
    }
    String::from_utf8(decoded)
        .map_err(|_| "user or password is not UTF-8 once decoded; encode them as UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Address, MAX_ADDRESS, Scheme, without_credentials, without_password};

    fn parts(
        text: &str,
    ) -> (
        Scheme,
        bool,
        Option<String>,
        Option<String>,
        String,
        u16,
        Option<String>,
    ) {
        let a = Address::parse(text).unwrap();
        (
            a.scheme,
            a.listen,
            a.user.clone(),
            a.password.clone(),
            a.host.clone(),
            a.port(),
            a.name,
        )
    }

    #[test]
    fn every_part_is_found() {
        use Scheme::{Amqp, Amqps, Ws, Wss};
        let s = |text: &str| Some(text.to_owned());
        let h = str::to_owned;
        let table = [
            ("host", (Amqp, false, None, None, h("host"), 5672, None)),
            ("host/", (Amqp, false, None, None, h("host"), 5672, s(""))),
            ("host:77", (Amqp, false, None, None, h("host"), 77, None)),
            (
                "host/a/b",
                (Amqp, false, None, None, h("host"), 5672, s("a/b")),
            ),
            (
                "host/a@b:c",
                (Amqp, false, None, None, h("host"), 5672, s("a@b:c")),
            ),
            (
                "host/http://x",
                (Amqp, false, None, None, h("host"), 5672, s("http://x")),
            ),
            ("u@host", (Amqp, false, s("u"), None, h("host"), 5672, None)),
            (
                "u:@host",
                (Amqp, false, s("u"), s(""), h("host"), 5672, None),
            ),
            (
                "u:p:q@host",
                (Amqp, false, s("u"), s("p:q"), h("host"), 5672, None),
            ),
            (
                "u%40x:%2F%C3%A9@host/%41",
                (Amqp, false, s("u@x"), s("/é"), h("host"), 5672, s("%41")),
            ),
            (
                "amqp://host",
                (Amqp, false, None, None, h("host"), 5672, None),
            ),
            (
                "AMQPS://host",
                (Amqps, false, None, None, h("host"), 5671, None),
            ),
            (
                "ws://host/q",
                (Ws, false, None, None, h("host"), 80, s("q")),
            ),
            ("WSS://~", (Wss, true, None, None, h(""), 443, None)),
            (
                "amqps://host:amqp/#",
                (Amqps, false, None, None, h("host"), 5672, s("#")),
            ),
            (
                "amqp://[::1]:99/q",
                (Amqp, false, None, None, h("::1"), 99, s("q")),
            ),
            (
                "[fe80::1%eth0]",
                (Amqp, false, None, None, h("fe80::1%eth0"), 5672, None),
            ),
            (
                "~0.0.0.0",
                (Amqp, true, None, None, h("0.0.0.0"), 5672, None),
            ),
            (
                "~127.0.0.1:0",
                (Amqp, true, None, None, h("127.0.0.1"), 0, None),
            ),
            (
                "amqp://~[::]:5/x",
                (Amqp, true, None, None, h("::"), 5, s("x")),
            ),
            ("amqps://~", (Amqps, true, None, None, h(""), 5671, None)),
            (
                "amqp://u:p@~host",
                (Amqp, true, s("u"), s("p"), h("host"), 5672, None),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(parts(text), expected, "{text}");
        }
        let long = format!("host/{}", "x".repeat(2048));
        assert_eq!(Address::parse(&long).unwrap().node().len(), 2048);
        assert!(Address::parse("host/#").unwrap().is_dynamic());
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        let long = "x".repeat(MAX_ADDRESS + 1);
        for (text, part) in [
            ("", "host is missing"),
            ("/queue", "host is missing"),
            ("u:p@", "host is missing"),
            ("http://host", "unknown scheme"),
            ("://host", "unknown scheme"),
            ("host:", "not a port"),
            ("host:+1", "not a port"),
            ("host:65536", "not a port"),
            ("host:0", "listened on"),
            ("::1", "brackets"),
            ("[::1", "without ']'"),
            ("[host]", "not an IPv6"),
            ("[::1]x", "after ']'"),
            ("u:p@s@host", "%40"),
            ("u%4:p@host", "hexadecimal"),
            ("u%zz@host", "hexadecimal"),
            ("u%ff@host", "UTF-8"),
            ("a b", "cannot stand"),
            ("a\0b", "cannot stand"),
            (long.as_str(), "octets"),
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.len() < 500);
        }
    }

    #[test]
    fn passwords_do_not_reach_error_texts() {
        for text in [
            "amqp://joe:secret@host:bad",
            "joe:secret@ho st",
            "joe:sec@ret@host",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("ret"), "{error}");
        }
        let address = Address::parse("joe:secret@host").unwrap();
        assert!(!format!("{address:?}").contains("secret"));
        assert_eq!(without_password("amqp://u:p@h/n"), "amqp://u:***@h/n");
        assert_eq!(without_password("u@h"), "u@h");
    }

    #[test]
    fn credentials_are_stripped_and_nothing_else() {
        for scheme in ["", "amqp://", "amqps://"] {
            for host in ["host", "host:1", "[::1]:2"] {
                for name in ["", "/", "/name", "/a@b", "/u:p@x/y"] {
                    let bare = format!("{scheme}{host}{name}");
                    assert_eq!(without_credentials(&bare), bare);
                    for user in ["u", "u:p", "u%40:p%2F"] {
                        let full = format!("{scheme}{user}@{host}{name}");
                        assert_eq!(without_credentials(&full), bare, "{full}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_password_is_hidden_also_where_the_name_of_the_user_has_an_at_sign() {
        let text = "joe@work:sesame@host/q";
        let error = Address::parse(text).unwrap_err().to_string();
        assert!(!error.contains("sesame"), "{error}");
        assert!(error.contains("%40"), "{error}");
        // A route may take it all the same, and peers must not see it then.
        assert_eq!(without_credentials(text), "host/q");
    }

    #[test]
    fn loopback_is_told_by_its_spelling() {
        for host in [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "127.9.9.9",
            "[::1]",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(Address::parse(host).unwrap().is_loopback(), "{host}");
        }
        for host in [
            "localhost.example.org",
            "notlocalhost",
            "128.0.0.1",
            "[::2]",
        ] {
            assert!(!Address::parse(host).unwrap().is_loopback(), "{host}");
        }
    }
}
