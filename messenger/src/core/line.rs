//! Where a connection of ours leads: what was asked for, its alternatives, where a peer sent us instead, and when to try
//! which of them after a failure.

use std::time::Duration;

use ferrion_engine::Time;

use super::address::{Address, without_password};
use super::redirect::Elsewhere;
use crate::error::{Error, Result};
use crate::reconnect::Reconnect;

/// Redirections that are followed one after the other, before anything gets through or a place fails.
pub(super) const MAX_REDIRECTS: u32 = 5;

/// A host and its port.
pub(crate) type Place = (String, u16);

/// Where a connection of ours leads, and how that went so far.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was asked for; without credentials, which the connection's identity has.
    address: Address,
    /// Where that may be found. Never empty.
    places: Vec<Place>,
    at: usize,
    /// Where a peer sent us instead, and how often one did.
    redirected: Option<Elsewhere>,
    redirects: u32,
    /// Failures since a message last got through, and when the first of them was.
    failures: u32,
    since: Option<Time>,
    /// Whether any attempt has succeeded.
    opened: bool,
    /// How the last attempt ended.
    last: Option<Error>,
}

impl Line {
    pub(crate) fn new(address: &Address, alternatives: &[Place]) -> Self {
        let mut address = address.clone();
        (address.user, address.password) = (None, None);
        let mut places = vec![(address.host.clone(), address.port())];
        places.extend(alternatives.iter().cloned());
        Self {
            address,
            places,
            at: 0,
            redirected: None,
            redirects: 0,
            failures: 0,
            since: None,
            opened: false,
            last: None,
        }
    }

    /// The address to connect to now.
    pub(crate) fn target(&self) -> Address {
        let mut address = self.address.clone();
        let place = self
            .redirected
            .as_ref()
            .map(|elsewhere| &elsewhere.place)
            .or_else(|| self.places.get(self.at));
        if let Some((host, port)) = place {
            address.host.clone_from(host);
            address.explicit_port = Some(*port);
        }
        address
    }

    /// Who is to be there: what open, SASL and TLS are told, and what a certificate must be for.
    pub(crate) fn name(&self) -> String {
        let named = self.redirected.as_ref().map(|it| it.name().to_owned());
        named.unwrap_or_else(|| self.target().host)
    }

    /// Whether a peer chose where it leads now, and whom it may be told that this is: nobody whom the user named.
    pub(crate) fn is_to_stranger(&self) -> bool {
        let named = |name: &str| {
            let mut places = self.places.iter();
            places.any(|(host, _)| host.eq_ignore_ascii_case(name))
        };
        self.redirected.as_ref().is_some_and(|it| !named(it.name()))
    }

    /// What was asked for.
    pub(crate) const fn asked(&self) -> &Address {
        &self.address
    }

    /// Why it is not connected.
    pub(crate) const fn last(&self) -> Option<&Error> {
        self.last.as_ref()
    }

    /// The peer answered there.
    pub(super) fn connected(&mut self) {
        self.opened = true;
        self.last = None;
    }

    /// The attempt ended so.
    pub(super) fn failed(&mut self, error: &Error) {
        self.last = Some(error.clone());
    }

    /// Something got through: what failed before does not count any more.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
        self.redirects = 0;
        self.since = None;
    }

    /// Goes elsewhere, as the peer asks, if it does not ask too often.
    pub(super) fn redirect(&mut self, elsewhere: Elsewhere) -> bool {
        self.redirects += 1;
        self.redirected = Some(elsewhere);
        self.redirects <= MAX_REDIRECTS
    }

    /// Whether a peer chose where it leads now.
    pub(crate) const fn is_redirected(&self) -> bool {
        self.redirected.is_some()
    }

    /// The same, to where a peer sends links that have come to nothing so often since then.
    pub(super) fn detour(&self, elsewhere: Elsewhere, failures: u32, since: Option<Time>) -> Self {
        Self {
            redirected: Some(elsewhere),
            redirects: 0,
            failures,
            since,
            opened: true,
            last: None,
            ..self.clone()
        }
    }

    /// Whether that is just what was asked for.
    pub(super) fn is_home(&self, elsewhere: &Elsewhere) -> bool {
        elsewhere.is_at(&self.address, &self.address.host)
    }

    /// Whether that is where it leads now.
    pub(super) fn leads_to(&self, elsewhere: &Elsewhere) -> bool {
        elsewhere.is_at(&self.target(), &self.name())
    }

    /// Failures since a message last got through, and when the first of them was.
    pub(super) const fn strain(&self) -> (u32, Option<Time>) {
        (self.failures, self.since)
    }

    /// Chooses the next place after a failure, and the milliseconds to wait. `None`: give up.
    pub(super) fn retry(
        &mut self,
        policy: &Reconnect,
        now: Time,
        vary: impl FnOnce(u64) -> u64,
    ) -> Option<u64> {
        let count = u32::try_from(self.places.len()).unwrap_or(u32::MAX).max(1);
        let since = *self.since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        // Where we were sent has failed: what was asked for may send us elsewhere now, and as often as it takes. That
        // there is always some time in between, and an end to it, is the policy's to say.
        if self.redirected.take().is_some() {
            self.redirects = 0;
        } else {
            self.at = (self.at + 1) % self.places.len().max(1);
        }
        let round = self.failures / count;
        if round > 0 && !self.opened && !policy.initial {
            return None;
        }
        let delay = round.checked_sub(1).map_or(0, |doublings| {
            let first = millis(policy.first_delay);
            let longer = first.saturating_mul(1u64.checked_shl(doublings).unwrap_or(u64::MAX));
            // Never at once: what fails without any wait would keep the caller for ever.
            vary(longer.min(millis(policy.max_delay))).max(1)
        });
        let until = policy
            .give_up_after
            .map(|patience| since.0.saturating_add(millis(patience)));
        until
            .is_none_or(|until| now.0.saturating_add(delay) <= until)
            .then_some(delay)
    }
}

/// Numbers that vary delays: repeatable, for they come from a seed.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        // The generator (xorshift64) stands still at zero.
        Self(if seed == 0 {
            0x9e37_79b9_7f4a_7c15
        } else {
            seed
        })
    }

    /// `delay`, up to a quarter more or less.
    pub(super) fn vary(&mut self, delay: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        delay - delay / 4 + self.0 % (delay / 2 + 1)
    }
}

/// The place that an alternative means: it has nothing to say but host and port.
pub(super) fn alternative(asked: &Address, text: &str) -> Result<Place> {
    let mut other = Address::parse(text)?;
    let reason = if other.listen {
        "'~' means to listen; an alternative is connected to, write it without the ~"
    } else if other.user.is_some() || other.password.is_some() {
        "an alternative gets the user and password of the address that it stands for; leave them out"
    } else if !other.node().is_empty() {
        "an alternative is another host for the same nodes; leave the name out"
    } else if text.contains("://") && other.scheme != asked.scheme {
        "an alternative has the scheme of the address that it stands for; write the same, or none"
    } else {
        // Its port is that of the scheme, unless it says one.
        other.scheme = asked.scheme;
        return Ok((other.host.clone(), other.port()));
    };
    Err(Error::InvalidAddress {
        address: without_password(text),
        reason: reason.to_owned(),
    })
}

/// The host and port that alternatives are set for.
pub(super) fn asked_for(address: &Address) -> Place {
    (address.host.to_ascii_lowercase(), address.port())
}

/// The milliseconds of a duration, or as many as there can be.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Jitter, Line};
    use crate::core::address::Address;
    use crate::core::redirect::Elsewhere;
    use crate::reconnect::Reconnect;
    use ferrion_engine::Time;
    use std::time::Duration;

    fn line(others: &[(&str, u16)]) -> Line {
        let others: Vec<_> = others
            .iter()
            .map(|(host, port)| ((*host).to_owned(), *port))
            .collect();
        Line::new(&Address::parse("amqp://a").unwrap(), &others)
    }

    /// The delays and hosts of attempts that all fail, until it is given up.
    fn attempts(line: &mut Line, policy: &Reconnect) -> Vec<(u64, String)> {
        let mut now = Time(0);
        let mut seen = Vec::new();
        while seen.len() < 20
            && let Some(delay) = line.retry(policy, now, |delay| delay)
        {
            now = now.after(delay);
            seen.push((delay, line.target().host));
        }
        seen
    }

    #[test]
    fn delays_double_up_to_the_most_and_end_in_time() {
        let mut line = line(&[]);
        line.opened = true;
        let policy = Reconnect {
            max_delay: Duration::from_millis(500),
            give_up_after: Some(Duration::from_millis(2_300)),
            ..Reconnect::default()
        };
        let delays: Vec<u64> = attempts(&mut line, &policy)
            .iter()
            .map(|(delay, _)| *delay)
            .collect();
        assert_eq!(delays, [100, 200, 400, 500, 500, 500]);
        line.succeed();
        assert_eq!(line.retry(&policy, Time(9_000), |delay| delay), Some(100));
    }

    #[test]
    fn alternatives_are_tried_in_turn_before_any_delay() {
        let mut line = line(&[("b", 5672), ("c", 1)]);
        line.opened = true;
        let seen = attempts(&mut line, &Reconnect::default());
        let seen: Vec<(u64, &str)> = seen
            .iter()
            .take(7)
            .map(|(delay, host)| (*delay, host.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (0, "b"),
                (0, "c"),
                (100, "a"),
                (100, "b"),
                (100, "c"),
                (200, "a"),
                (200, "b")
            ]
        );
    }

    #[test]
    fn what_was_never_there_is_tried_once_at_every_place() {
        let policy = Reconnect::default();
        assert_eq!(attempts(&mut line(&[]), &policy), []);
        assert_eq!(
            attempts(&mut line(&[("b", 1)]), &policy),
            [(0, "b".to_owned())]
        );
        let initial = Reconnect {
            initial: true,
            ..policy
        };
        assert!(attempts(&mut line(&[]), &initial).len() > 5);
    }

    #[test]
    fn delays_vary_by_a_quarter_and_repeat_with_the_seed() {
        let mut one = Jitter::new(7);
        let mut two = Jitter::new(7);
        let mut other = Jitter::new(8);
        let mut differ = false;
        for _ in 0..1000 {
            let delay = one.vary(1000);
            assert!((750..=1250).contains(&delay), "{delay}");
            assert_eq!(delay, two.vary(1000));
            differ |= delay != other.vary(1000);
        }
        assert!(differ);
        assert_eq!(Jitter::new(0).vary(0), 0);
    }

    fn to(host: &str) -> Elsewhere {
        Elsewhere {
            place: (host.to_owned(), 1),
            hostname: None,
        }
    }

    #[test]
    fn redirections_end() {
        let mut line = line(&[]);
        for n in 0..5 {
            assert!(line.redirect(to(&format!("r{n}"))));
            assert_eq!(line.target().host, format!("r{n}"));
        }
        assert!(!line.redirect(to("r9")));
        line.succeed();
        assert!(line.redirect(to("r9")));
    }

    #[test]
    fn who_is_named_by_a_peer_only_is_a_stranger() {
        let mut line = line(&[("b", 1)]);
        assert!(!line.is_to_stranger());
        for (elsewhere, stranger) in [("c", true), ("B", false), ("a", false), ("a.b", true)] {
            line.redirect(to(elsewhere));
            assert_eq!(line.is_to_stranger(), stranger, "{elsewhere}");
            line.redirect(Elsewhere {
                hostname: Some(elsewhere.to_owned()),
                ..to("a")
            });
            assert_eq!(line.is_to_stranger(), stranger, "{elsewhere}");
            assert_eq!(line.name(), elsewhere);
            assert_eq!(line.target().host, "a");
        }
    }
}
