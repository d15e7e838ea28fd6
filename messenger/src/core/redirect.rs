//! Where peers send us instead: a connection (2.8.16), or one link (2.8.18).

use ferrion_engine::codec::Str;
use ferrion_engine::protocol::{Condition, Redirect};

use super::address::{Address, MAX_NODE};
use super::line::Place;
use crate::error::{Error, Scope};

/// Octets of the longest name that DNS has.
const MAX_NAME: usize = 255;

/// Another place for the same, in the words of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Elsewhere {
    /// What to connect to.
    pub(super) place: Place,
    /// Who is to be there: for open, for SASL and for TLS. If it is not said, the host that is connected to.
    pub(super) hostname: Option<String>,
}

impl Elsewhere {
    /// Where a peer sends us that closed the connection, if it says it in a form that can be followed.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let Error::Remote {
            scope: Scope::Connection,
            condition,
            ..
        } = error
        else {
            return None;
        };
        Self::said_in(&condition.redirect()?)
    }

    /// Where a peer sends a link, and what its node is called there, if it says so.
    pub(super) fn of_link(condition: &Condition) -> Option<(Self, Option<Str>)> {
        let redirect = condition.redirect()?;
        let node = redirect.address.clone().filter(|node| !node.is_empty());
        if node.as_ref().is_some_and(|node| node.len() > MAX_NODE) {
            return None;
        }
        Some((Self::said_in(&redirect)?, node))
    }

    fn said_in(redirect: &Redirect) -> Option<Self> {
        let said = |text: &Option<Str>| {
            let text = text.as_ref().filter(|text| !text.is_empty());
            text.map(ToString::to_string)
        };
        let (hostname, host) = (said(&redirect.hostname), said(&redirect.network_host));
        let host = host.or_else(|| hostname.clone())?;
        let names = [Some(&host), hostname.as_ref()];
        if !names.into_iter().flatten().all(|name| is_name(name)) {
            return None;
        }
        Some(Self {
            place: (host, redirect.port?),
            hostname,
        })
    }

    /// Who is to be there.
    pub(super) fn name(&self) -> &str {
        self.hostname.as_deref().unwrap_or(&self.place.0)
    }

    /// Whether it is the place that an address leads to, where this name is to be.
    pub(super) fn is_at(&self, address: &Address, name: &str) -> bool {
        let (host, port) = &self.place;
        host.eq_ignore_ascii_case(&address.host)
            && *port == address.port()
            && self.name().eq_ignore_ascii_case(name)
    }
}

/// Whether it looks like a host: it is written into the head of HTTP, where other characters have a meaning.
fn is_name(text: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:%".contains(&octet);
    text.len() <= MAX_NAME && text.bytes().all(fits)
}
