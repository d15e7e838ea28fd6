//! Where a container or a terminus is to be reached instead (2.8.16, 2.8.18).

use alloc::borrow::Cow;
use alloc::format;
use core::fmt;

use super::conditions;
use super::transport::Condition;
use crate::codec::{Fields, Str, Symbol, Value};

/// What `amqp:connection:redirect` and `amqp:link:redirect` say of the place to go to. Each part may be missing.
///
/// A client that follows it connects to `network_host` and `port`, names `hostname` in its open (in
/// [`Config::hostname`](crate::Config::hostname)), to TLS and to SASL, and attaches to `address`.
///
/// ```
/// use ferrion_engine::protocol::{Redirect, conditions};
///
/// let elsewhere = Redirect {
///     network_host: Some("10.0.0.7".into()),
///     port: Some(5672),
///     ..Redirect::default()
/// };
/// let condition = elsewhere.connection();
/// assert_eq!(condition.condition, conditions::CONNECTION_REDIRECT);
/// assert_eq!(condition.redirect(), Some(elsewhere));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The name of the host that the container is on, for the peer that has many.
    pub hostname: Option<Str>,
    /// The name or the IP address to connect to.
    pub network_host: Option<Str>,
    /// The port to connect to.
    pub port: Option<u16>,
    /// The address of the terminus there; only for links.
    pub address: Option<Str>,
}

impl Redirect {
    /// The condition with which a server closes a connection that belongs elsewhere.
    #[must_use]
    pub fn connection(&self) -> Condition {
        self.condition(conditions::CONNECTION_REDIRECT)
    }

    /// The condition with which a link is closed or refused whose terminus is elsewhere.
    #[must_use]
    pub fn link(&self) -> Condition {
        self.condition(conditions::LINK_REDIRECT)
    }

    fn condition(&self, condition: Symbol) -> Condition {
        let text = |value: &Option<Str>| value.clone().map(Value::String);
        let entries = [
            ("hostname", text(&self.hostname)),
            ("network-host", text(&self.network_host)),
            ("port", self.port.map(Value::Ushort)),
            ("address", text(&self.address)),
        ];
        let info = entries
            .into_iter()
            .filter_map(|(key, value)| Some((Symbol::from_static(key), value?)));
        Condition {
            condition,
            description: None,
            info: Some(Fields::from_entries(info)),
        }
    }

    fn read(info: &Fields) -> Self {
        let text = |key| {
            let value = info.get(key)?;
            value.as_str().map(Str::from)
        };
        Self {
            hostname: text("hostname"),
            network_host: text("network-host"),
            port: info
                .get("port")
                .and_then(|value| u16::try_from(&value).ok()),
            address: text("address"),
        }
    }
}

impl fmt::Display for Redirect {
    /// `HOST:PORT/ADDRESS`, of which what is known. No password that a peer wrote into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = self.network_host.as_ref().or(self.hostname.as_ref()) {
            let host = without_password(host);
            // Else the port would be part of an IPv6 address.
            if host.contains(':') && !host.contains('@') && !host.starts_with('[') {
                write!(f, "[{host}]")?;
            } else {
                f.write_str(&host)?;
            }
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.address {
            Some(address) => {
                let address = without_password(address);
                write!(f, "/{}", address.strip_prefix('/').unwrap_or(&address))
            }
            None => Ok(()),
        }
    }
}

impl Condition {
    /// Where to go instead, if this says that the connection or the link belongs elsewhere. What its info does not say, or not
    /// in a usable form, is `None` in it.
    #[must_use]
    pub fn redirect(&self) -> Option<Redirect> {
        let is_redirect = self.condition == conditions::CONNECTION_REDIRECT
            || self.condition == conditions::LINK_REDIRECT;
        is_redirect.then(|| self.info.as_ref().map(Redirect::read).unwrap_or_default())
    }

    /// As a trace shows it. Of a redirection that is what 2.8.16 and 2.8.18 speak of: what else a peer gives for the way is
    /// between the two, a token perhaps.
    pub(super) fn without_secrets(&self) -> Cow<'_, Self> {
        let (Some(_), Some(info)) = (self.redirect(), &self.info) else {
            return Cow::Borrowed(self);
        };
        let shown = info.entries().map(|(key, value)| {
            let known = key.as_str().is_some_and(|key| PLACES.contains(&key));
            let value = match value.decode() {
                Ok(Value::Ushort(port)) if known => Value::Ushort(port),
                Ok(text) if known && text.as_str().is_some() => {
                    let text = text.as_str().map(without_password).unwrap_or_default();
                    Value::from(text.as_ref())
                }
                _ => Value::String(format!("<{} octets>", value.as_bytes().len()).into()),
            };
            (key, value)
        });
        Cow::Owned(Self {
            info: Some(Fields::from_entries(shown)),
            ..self.clone()
        })
    }

    /// Whether an operator ended the connection or the link, so that nothing was wrong with it: it may be tried again later
    /// (`amqp:connection:forced`, `amqp:link:detach-forced`).
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.condition == conditions::CONNECTION_FORCED
            || self.condition == conditions::LINK_DETACH_FORCED
    }
}

/// What the specification has in the info of a redirection.
const PLACES: [&str; 4] = ["hostname", "network-host", "port", "address"];

/// Text with what looks like a password in it (`user:password@host`) blotted out. A password may have any character in it,
/// so that rather too much goes than too little.
fn without_password(text: &str) -> Cow<'_, str> {
    // A password may also have what follows a scheme.
    let is_scheme = |at: &usize| {
        let mut octets = text.bytes().take(*at);
        octets.all(|o| o.is_ascii_alphanumeric() || b"+-.".contains(&o))
    };
    let scheme = text.find("://").filter(is_scheme);
    let start = scheme.map_or(0, |at| at.saturating_add(3));
    let split = text
        .split_at_checked(start)
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match split.and_then(|(scheme, (login, rest))| Some((scheme, login.split_once(':')?.0, rest))) {
        Some((scheme, user, rest)) => Cow::Owned(format!("{scheme}{user}:***@{rest}")),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_adds_to_a_redirection_is_not_shown_nor_a_password_in_a_place() {
        let text = |key, value: &str| (Symbol::from_static(key), Value::from(value));
        let info = Fields::from_entries([
            text("hostname", "ann:pass://@word@h"),
            text("network-host", "10.0.0.7"),
            (Symbol::from_static("port"), Value::Ushort(5672)),
            text("address", "amqp://ann:pass/word@h/q"),
            text("token", "password"),
        ]);
        let mut condition = Condition::new(conditions::LINK_REDIRECT);
        condition.info = Some(info.clone());
        let shown = format!(
            "{condition} {condition:?} {}",
            condition.redirect().unwrap()
        );
        for secret in ["pass", "word"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(
            shown.starts_with(
                "@error(29) [condition=:amqp:link:redirect, info={:hostname=\"ann:***@h\", :network-host=\"10.0.0.7\", \
                 :port=5672, :address=\"amqp://ann:***@h/q\", :token=\"<10 octets>\"}]"
            ),
            "{shown}"
        );
        // What is not a redirection is for whoever has to find out what is wrong.
        condition = Condition::new(conditions::NOT_FOUND);
        condition.info = Some(info);
        assert!(format!("{condition}").contains("password"));
    }

    #[test]
    fn what_is_not_usable_is_not_there() {
        let info = Fields::from_entries([
            (Symbol::from_static("hostname"), Value::Uint(7)),
            (Symbol::from_static("network-host"), Value::from("h")),
            (Symbol::from_static("port"), Value::Uint(70_000)),
        ]);
        let mut condition = Condition::new(conditions::LINK_REDIRECT);
        condition.info = Some(info);
        let expected = Redirect {
            network_host: Some("h".into()),
            ..Redirect::default()
        };
        assert_eq!(condition.redirect(), Some(expected));
    }

    #[test]
    fn a_place_reads_like_an_address() {
        let place = |host: &str, address: &str| {
            let place = Redirect {
                network_host: Some(host.into()),
                port: Some(5672),
                address: Some(address.into()),
                ..Redirect::default()
            };
            alloc::format!("{place}")
        };
        assert_eq!(place("h", "q"), "h:5672/q");
        assert_eq!(place("h", "/queues/q"), "h:5672/queues/q");
        assert_eq!(place("fe80::1", "q"), "[fe80::1]:5672/q");
        assert_eq!(place("[fe80::1]", "q"), "[fe80::1]:5672/q");
    }

    #[test]
    fn other_conditions_lead_nowhere() {
        let condition = Condition::new(conditions::NOT_FOUND);
        assert_eq!(condition.redirect(), None);
        let bare = Condition::new(conditions::CONNECTION_REDIRECT);
        assert_eq!(bare.redirect(), Some(Redirect::default()));
    }
}
