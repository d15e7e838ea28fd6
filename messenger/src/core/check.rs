//! Routes that are tried before anything goes by them.

use super::Core;
use super::address::Address;
use super::faults;
use super::pool::{Conn, ConnKey, Identity};
use crate::error::{Error, Result};

/// A route that is being tried.
#[derive(Debug)]
pub(super) struct Check {
    identity: Identity,
    /// What its faults are remembered by, and how many there were of all before.
    place: String,
    since: u64,
}

impl Core {
    /// Connects to every place that a route leads to whatever matches it. Does nothing to those that are being tried.
    pub(crate) fn begin_checks(&mut self) -> Result<()> {
        for target in self.routes.fixed_targets() {
            let address = Address::parse(&target)?;
            let identity = self.identity_of(&address);
            let known = |check: &Check| check.identity == identity;
            if address.listen || self.checks.iter().any(known) {
                continue;
            }
            let since = self.faults.count();
            let key = self.connection_to(&address)?;
            // A peer that connected by itself is there; no more is to be found out.
            let made = self
                .pool
                .get(key)
                .is_some_and(|conn| conn.identity.is_some());
            if made {
                let place = faults::place(&address);
                self.checks.push(Check {
                    identity,
                    place,
                    since,
                });
            }
        }
        Ok(())
    }

    /// Whether it is known of every route that is tried how that ended.
    pub(crate) fn has_checked(&self) -> bool {
        !self
            .checks
            .iter()
            .any(|check| self.is_open(check).is_none())
    }

    /// What is waited for.
    pub(crate) fn why_unchecked(&self) -> String {
        let open = self
            .checks
            .iter()
            .find(|check| self.is_open(check).is_none());
        let place = open.map_or("", |check| check.place.as_str());
        format!("while the route to {place} is tried")
    }

    /// Why a route cannot be gone by, if there is one that cannot. Nothing is tried any more then, nor if all have
    /// been tried.
    pub(crate) fn end_checks(&mut self) -> Option<Error> {
        let failed = self.checks.iter().find_map(|check| {
            let fault = self.faults.after(check.since, &check.place);
            let lost = || Error::Lost {
                address: check.place.clone(),
                cause: "the connection was made, and is gone".to_owned(),
            };
            (self.is_open(check) == Some(false)).then(|| fault.cloned().unwrap_or_else(lost))
        });
        if failed.is_some() || self.has_checked() {
            self.checks.clear();
        }
        if failed.is_some() {
            // It is told now.
            self.last_loss = None;
        }
        failed
    }

    /// Whether a connection is wanted although nothing is to go by it yet.
    pub(super) fn is_checked(&self, key: ConnKey) -> bool {
        let identity = self.pool.get(key).and_then(|conn| conn.identity.as_ref());
        identity.is_some_and(|identity| self.checks.iter().any(|check| check.identity == *identity))
    }

    /// Whether the peer has answered; `None` if that is not known yet.
    fn is_open(&self, check: &Check) -> Option<bool> {
        let key = self.pool.find(&check.identity);
        match key.and_then(|key| self.pool.get(key)) {
            Some(conn) if !Conn::is_usable(conn) => Some(false),
            Some(conn) => conn.container.is_some().then_some(true),
            None => Some(false),
        }
    }
}
