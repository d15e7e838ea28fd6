//! Taking the state of a link, and giving it to a new endpoint.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::codec::{Fields, Str};
use crate::config::LinkConfig;
use crate::delivery::{Incoming, Known, Outgoing, OutgoingMore, is_live};
use crate::endpoints::{Endpoints, Phase};
use crate::error::UsageError;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::link::{Half, Link, ReceiverHalf, Waits};
use crate::protocol::{ReceiverSettleMode, Role, Tag, TargetArchetype};
use crate::recovery::{Awaited, LinkState, Resuming, Unsettled, UnsettledDelivery};

impl Endpoints {
    // ---- taking ----

    /// The states of all links that can be recovered and were not closed.
    pub(crate) fn link_states(&self) -> Vec<LinkState> {
        let links = self.links.iter();
        links
            .filter(|(id, link)| {
                link.terms.recoverable && !link.was_closed() && self.is_last(*id, link)
            })
            .filter_map(|(id, _)| self.link_state(id))
            .collect()
    }

    /// Whether no later endpoint of the link went on with what this one left.
    fn is_last(&self, id: LinkId, link: &Link) -> bool {
        // Nobody goes on with what is not over: another of the name is one that crossed it.
        if link.local == Phase::Open && link.remote != Phase::Ended {
            return true;
        }
        let named = self.names.get(link.role(), &link.terms.name());
        let mut others = named.into_iter().flatten().filter(|other| *other != id);
        let is_later = |id: LinkId| {
            let link = self.links.get(id);
            link.is_some_and(|link| link.local != Phase::New)
        };
        !others.any(is_later)
    }

    /// The state of a link; `None` if it was never attached from this side.
    pub(crate) fn link_state(&self, id: LinkId) -> Option<LinkState> {
        let link = self.links.get(id).filter(|l| l.local != Phase::New)?;
        let unsettled = match &link.half {
            Half::Sender(_) => self.unsettled_sent(link).collect(),
            Half::Receiver(half) => self.unsettled_received(link, half),
        };
        Some(LinkState {
            role: link.role(),
            config: config_to_resume(link),
            unsettled,
        })
    }

    /// Deliveries of a link that are not settled by both sides and told of.
    pub(crate) fn unsettled(&self, id: LinkId) -> impl Iterator<Item = Unsettled<'_>> {
        let ids = self.links.get(id).map(|link| link.deliveries.iter());
        ids.into_iter().flatten().filter_map(|id| {
            let known = self.known(id)?;
            let outgoing = id.outgoing().and_then(|id| self.outgoing.get(id));
            if outgoing.is_some_and(Outgoing::is_settled) {
                return None;
            }
            Some(Unsettled {
                id,
                tag: known.tag(),
                message_format: known.format,
                local_state: known.local_state(),
                remote_state: known.remote_state(),
                settled: known.remote_settled,
            })
        })
    }

    fn unsettled_sent(&self, link: &Link) -> impl Iterator<Item = UnsettledDelivery> {
        let outgoing = |id: DeliveryId| self.outgoing.get(id.outgoing()?);
        let deliveries = link.deliveries.iter().filter_map(outgoing);
        deliveries
            .filter(|sent| !sent.is_settled())
            .map(|sent| UnsettledDelivery {
                payload: sent.payload().cloned(),
                complete: !sent.is_open(),
                ..UnsettledDelivery::of(&sent.known)
            })
    }

    /// In the order in which they began: what the application has, what waits for it, what is still coming.
    fn unsettled_received(&self, link: &Link, half: &ReceiverHalf) -> Vec<UnsettledDelivery> {
        let waiting = || self.waiting.iter(&half.complete);
        let ids: BTreeSet<DeliveryId> = waiting().filter_map(Waits::id).collect();
        let partial = half.partial();
        let mut found = Vec::new();
        for id in link.deliveries.iter() {
            let Some(incoming) = id.incoming().and_then(|id| self.incoming.get(id)) else {
                continue;
            };
            if ids.contains(&id) || partial.is_some_and(|partial| partial.id() == id) {
                continue;
            }
            let mut delivery = UnsettledDelivery::received(incoming);
            if let Some(awaited) = half.awaited(&incoming.known.tag(), id) {
                delivery.payload.clone_from(&awaited.payload);
                delivery.complete = awaited.complete;
            }
            found.push(delivery);
        }
        for delivery in waiting().map(Waits::to_delivery).filter(|d| !d.aborted) {
            let incoming = delivery.id.and_then(DeliveryId::incoming);
            let mut state = match incoming.and_then(|id| self.incoming.get(id)) {
                Some(incoming) => UnsettledDelivery::received(incoming),
                // The sender settled it, and only the application does not have it yet.
                None => UnsettledDelivery {
                    message_format: delivery.message_format,
                    settled: true,
                    ..UnsettledDelivery::new(delivery.tag)
                },
            };
            state.payload = Some(delivery.payload);
            found.push(state);
        }
        if let Some(partial) = partial
            && let Some(incoming) = partial.id().incoming().and_then(|id| self.incoming.get(id))
        {
            let mut state = UnsettledDelivery::received(incoming);
            state.payload = Some(partial.payload().clone());
            state.complete = false;
            found.push(state);
        }
        found
    }

    // ---- giving ----

    /// Attaches a link with what an earlier endpoint of it left.
    pub(crate) fn attach_again(
        &mut self,
        session: SessionId,
        state: &LinkState,
    ) -> Result<LinkId, UsageError> {
        state.check()?;
        let id = self.attach(session, state.role, state.config.clone())?;
        self.restore(id, &state.unsettled);
        Ok(id)
    }

    /// Answers the attach of a peer with what an earlier endpoint of the link left.
    pub(crate) fn accept_again(&mut self, id: LinkId, state: &LinkState) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        if link.role() != state.role || link.terms.name() != state.config.name {
            return Err(UsageError::WrongKind {
                expected: "the state of this link: the same name and role",
            });
        }
        state.check()?;
        self.accept_link(id, Some(state.config.clone()))?;
        self.restore(id, &state.unsettled);
        self.reconcile(id);
        Ok(())
    }

    fn list_delivery(&mut self, link: LinkId, delivery: DeliveryId) {
        if let Some(link) = self.links.get_mut(link) {
            let live = is_live(&self.outgoing, &self.incoming);
            link.deliveries.push(delivery, live);
        }
    }

    fn restore(&mut self, id: LinkId, unsettled: &[UnsettledDelivery]) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.resuming = Some(Resuming::new());
        let role = link.role();
        let settles_second = link.terms.rcv_settle_mode == ReceiverSettleMode::Second;
        for delivery in unsettled {
            let known = Known::new(id, None, delivery.message_format);
            let mut known = known.with_tag(&delivery.tag);
            if let Some(state) = &delivery.remote_state {
                let charge = self.charge_of(state.encoded_len());
                known.set_remote_state(state.clone(), charge.as_ref());
            }
            known.set_local_state(delivery.local_state.clone());
            match role {
                Role::Sender => {
                    let mut outgoing = Outgoing::new(known);
                    *outgoing.more_mut() = OutgoingMore {
                        is_open: !delivery.complete && !delivery.settled,
                        is_settled: false,
                        payload: delivery.payload.clone(),
                    };
                    let sent = self.outgoing.insert(outgoing).into();
                    self.list_delivery(id, sent);
                    if delivery.settled {
                        self.tell(sent, None, true);
                    }
                }
                Role::Receiver => {
                    let mut incoming = Incoming::new(known, settles_second);
                    incoming.done = delivery.done;
                    incoming.set_read(delivery.read);
                    let received = self.incoming.insert(incoming);
                    self.list_delivery(id, received.into());
                    let awaited = Awaited {
                        id: received,
                        payload: delivery.payload.clone(),
                        complete: delivery.complete,
                    };
                    if delivery.settled {
                        self.settle_awaited(id, delivery.tag, awaited);
                    } else if let Some(link) = self.links.get_mut(id)
                        && let Half::Receiver(half) = &mut link.half
                    {
                        half.await_resumption(delivery.tag, awaited);
                    }
                }
            }
        }
    }
}

/// What a link is attached with again: as before, but for an address that was made up for it.
fn config_to_resume(link: &Link) -> LinkConfig {
    let mut config = link.terms.config();
    let Some(attach) = link.remote() else {
        return config;
    };
    let role = link.role();
    if let Some(source) = &mut config.source {
        let made = attach.source.as_ref().map(|source| &source.address);
        let made = made.filter(|_| role == Role::Receiver);
        let (address, properties) = (&mut source.address, &mut source.dynamic_node_properties);
        name_made(&mut source.dynamic, address, properties, made);
    }
    if let Some(target) = &mut config.target
        && let TargetArchetype::Target(target) = &mut **target
    {
        let made = match attach.target.as_deref() {
            Some(TargetArchetype::Target(made)) => Some(&made.address),
            _ => None,
        };
        let made = made.filter(|_| role == Role::Sender);
        let (address, properties) = (&mut target.address, &mut target.dynamic_node_properties);
        name_made(&mut target.dynamic, address, properties, made);
    }
    config
}

/// A node that was made for the link is there by now (3.5.3), so neither side speaks of it as of one to be made. The
/// side that asked for it knows its address from the side that `made` it; without one it can but ask again.
fn name_made(
    dynamic: &mut bool,
    address: &mut Option<Str>,
    properties: &mut Option<Fields>,
    made: Option<&Option<Str>>,
) {
    if !*dynamic {
        return;
    }
    if let Some(made) = made {
        address.clone_from(made);
    }
    if address.is_some() {
        *dynamic = false;
        *properties = None;
    }
}

impl LinkState {
    /// A link of which nothing is known but what it is attached with.
    #[must_use]
    pub const fn new(role: Role, config: LinkConfig) -> Self {
        Self {
            role,
            config,
            unsettled: Vec::new(),
        }
    }

    /// What would be wrong on the wire, or say two things at once.
    fn check(&self) -> Result<(), UsageError> {
        let mut tags = BTreeSet::new();
        let mut tags_left = self.unsettled.iter().filter(|delivery| !delivery.settled);
        if tags_left.all(|delivery| tags.insert(delivery.tag)) {
            Ok(())
        } else {
            let text = "two unsettled deliveries of the link have the same tag";
            Err(UsageError::WrongState(text))
        }
    }
}

impl UnsettledDelivery {
    /// A delivery of which nothing is known but its tag.
    #[must_use]
    pub const fn new(tag: Tag) -> Self {
        Self {
            tag,
            message_format: 0,
            local_state: None,
            remote_state: None,
            payload: None,
            read: 0,
            complete: true,
            done: false,
            settled: false,
        }
    }

    fn of(known: &Known) -> Self {
        Self {
            message_format: known.format,
            local_state: known.local_state().cloned(),
            remote_state: known.remote_state().cloned(),
            settled: known.remote_settled,
            ..Self::new(known.tag())
        }
    }

    fn received(incoming: &Incoming) -> Self {
        Self {
            read: incoming.read(),
            done: incoming.done,
            ..Self::of(&incoming.known)
        }
    }
}
