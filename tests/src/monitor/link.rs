//! What a monitor knows of one link: handles, credit, the delivery under way.

use super::uint_or_zero;
use crate::oracle::{Perf, V};

/// Settled, unsettled, mixed: `snd-settle-mode` on the wire.
const SETTLED: u64 = 1;
const UNSETTLED: u64 = 0;

/// How far a count may go: so many steps from some number on, which may be taken back while what is under way still obeys an
/// older and more generous word.
#[derive(Debug, Default)]
pub(super) struct Credit {
    /// What was said since everything that was produced had left, the latest last.
    said: Vec<(u32, u32)>,
}

impl Credit {
    /// The first number that the latest word does not allow.
    pub(super) fn limit(&self) -> Option<u32> {
        self.said
            .last()
            .map(|(base, size)| base.wrapping_add(*size))
    }

    /// The latest word, as number and steps from there.
    pub(super) fn latest(&self) -> Option<(u32, u32)> {
        self.said.last().copied()
    }

    /// A new word.
    pub(super) fn set(&mut self, base: u32, size: u32) {
        self.said.push((base, size));
    }

    /// Whatever was produced under older words has left.
    pub(super) fn settle(&mut self) {
        self.said = self.said.pop().into_iter().collect();
    }

    pub(super) fn allows(&self, number: u32) -> bool {
        self.said
            .iter()
            .any(|(base, size)| number.wrapping_sub(*base) < *size)
    }
}

/// A delivery whose last transfer was not seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InProgress {
    /// Its delivery-id.
    pub id: u32,
    /// Some transfer of it was settled.
    pub settled: bool,
}

/// One link of the endpoint.
#[derive(Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The endpoint is the sender.
    pub sender: bool,
    /// The endpoint's handle while attached.
    pub ours: Option<u32>,
    /// The partner's handle while attached.
    pub theirs: Option<u32>,
    /// The endpoint attached it at some time.
    pub was_ours: bool,
    /// The partner detached it.
    pub detached_by_partner: bool,
    /// Delivery-count: the sender's own, or at a receiver the last that it knows; `None` before it saw the sender's attach.
    pub delivery_count: Option<u32>,
    /// Credit that the endpoint, as receiver, gave last.
    pub link_credit: u32,
    /// The partner asked to drain.
    pub draining: bool,
    pub(super) credit: Credit,
    pub(super) in_progress: Option<InProgress>,
    snd_settle_mode: Option<u64>,
    initial_delivery_count: u32,
}

impl Link {
    pub(super) fn new(name: &str, sender: bool) -> Self {
        Self {
            name: name.to_owned(),
            sender,
            ours: None,
            theirs: None,
            was_ours: false,
            detached_by_partner: false,
            delivery_count: None,
            link_credit: 0,
            draining: false,
            credit: Credit::default(),
            in_progress: None,
            snd_settle_mode: None,
            initial_delivery_count: 0,
        }
    }

    pub(super) fn attach_received(&mut self, handle: u32, perf: &Perf) {
        self.theirs = Some(handle);
        if !self.sender {
            self.delivery_count = perf.uint("initial-delivery-count");
        }
    }

    pub(super) fn attach_sent(&mut self, handle: u32, perf: &Perf) {
        self.ours = Some(handle);
        self.was_ours = true;
        if self.sender {
            self.initial_delivery_count = uint_or_zero(perf, "initial-delivery-count");
            self.delivery_count = Some(self.initial_delivery_count);
            // Credit that came before our attach counts from where the attach starts.
            if let Some((_, credit)) = self.credit.latest() {
                self.credit = Credit::default();
                self.credit.set(self.initial_delivery_count, credit);
            }
            self.snd_settle_mode = perf.num("snd-settle-mode");
        }
    }

    pub(super) fn flow_received(&mut self, perf: &Perf) {
        if self.sender {
            self.draining = perf.flag("drain");
            if let Some(credit) = perf.uint("link-credit") {
                let base = perf
                    .uint("delivery-count")
                    .unwrap_or(self.initial_delivery_count);
                self.credit.set(base, credit);
            }
        } else if let Some(count) = perf.uint("delivery-count") {
            self.delivery_count = Some(count);
        }
    }

    pub(super) fn flow_sent(&mut self, perf: &Perf) -> Result<(), String> {
        let count = perf.uint("delivery-count");
        if self.sender {
            let Some(count) = count else {
                return Err("a sender's flow without delivery-count (2.7.4)".to_owned());
            };
            let own = self.delivery_count.unwrap_or(0);
            if count == own {
                return Ok(());
            }
            // Only draining moves the count without a delivery, and then exactly up to the limit (2.6.7).
            if self.draining && self.credit.limit() == Some(count) {
                self.delivery_count = Some(count);
                return Ok(());
            }
            return Err(format!(
                "a sender's flow with delivery-count {count}, not {own} (2.6.7)"
            ));
        }
        self.link_credit = uint_or_zero(perf, "link-credit");
        // A delivery that is under way may be counted already or not yet: the specification does not say at which of its
        // transfers the count advances.
        let known = self.delivery_count;
        let before_current = known
            .filter(|_| self.in_progress.is_some())
            .map(|n| n.wrapping_sub(1));
        if count == known || (before_current.is_some() && count == before_current) {
            return Ok(());
        }
        Err(format!(
            "a receiver's flow with delivery-count {count:?}, not {known:?} (2.7.4)"
        ))
    }

    pub(super) fn transfer_received(&mut self, perf: &Perf) {
        if self.sender {
            return;
        }
        if self.in_progress.is_none() {
            self.in_progress = Some(InProgress {
                id: uint_or_zero(perf, "delivery-id"),
                settled: false,
            });
            self.delivery_count = self.delivery_count.map(|n| n.wrapping_add(1));
            self.link_credit = self.link_credit.saturating_sub(1);
        }
        if !perf.flag("more") || perf.flag("aborted") {
            self.in_progress = None;
        }
    }

    /// Judges a transfer of this sender; answers the delivery that it belongs to.
    pub(super) fn transfer_sent(&mut self, perf: &Perf) -> Result<InProgress, String> {
        if !self.sender {
            return Err("transfer from a receiver (2.7.5)".to_owned());
        }
        let aborted = perf.flag("aborted");
        let last = !perf.flag("more") || aborted;
        let current = match self.in_progress.take() {
            None => self.first_transfer(perf)?,
            Some(mut current) => {
                if perf.uint("delivery-id").is_some_and(|id| id != current.id) {
                    return Err(format!(
                        "a transfer in the middle of delivery {} has another id (2.6.12)",
                        current.id
                    ));
                }
                // Legal, but partners exist that take the first transfer's word for the whole delivery.
                if perf.get("settled") == V::Bool(true) && !current.settled && !aborted {
                    return Err("settled changes in the middle of a delivery (2.7.5)".to_owned());
                }
                current.settled |= aborted;
                current
            }
        };
        if self.snd_settle_mode == Some(SETTLED) && last && !current.settled && !aborted {
            return Err("an unsettled delivery on a link of mode settled (2.8.2)".to_owned());
        }
        if self.snd_settle_mode == Some(UNSETTLED) && current.settled && !aborted {
            return Err("a settled delivery on a link of mode unsettled (2.8.2)".to_owned());
        }
        if !last {
            self.in_progress = Some(current.clone());
        }
        Ok(current)
    }

    fn first_transfer(&mut self, perf: &Perf) -> Result<InProgress, String> {
        let count = self.delivery_count.unwrap_or(0);
        if !self.credit.allows(count) {
            return Err(format!(
                "a delivery without credit: delivery-count {count}, limit {:?} (2.6.7)",
                self.credit.limit()
            ));
        }
        if perf.uint("message-format").is_none() && perf.flag("more") {
            return Err("the first of several transfers without message-format (2.7.5)".to_owned());
        }
        self.delivery_count = Some(count.wrapping_add(1));
        Ok(InProgress {
            id: uint_or_zero(perf, "delivery-id"),
            settled: perf.flag("settled"),
        })
    }
}
