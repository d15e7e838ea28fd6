//! Deliveries that are accepted, one after the other, on links on which nothing is out of the ordinary: nearly all there are.
//!
//! What is done for one here is what [`settlement`](super::settlement) does for it, with each object looked up once. Whatever
//! does not fit is found before anything was changed, and left to that.

use crate::endpoints::{Endpoints, Phase};
use crate::event::Event;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::protocol::DeliveryState;
use crate::seq::Seq;

impl Endpoints {
    /// Accepts and settles a delivery that came in, right after the one before it was. `false`: nothing was done, and it is to
    /// be settled as any other delivery.
    #[inline]
    pub(crate) fn accept_next(&mut self, link: LinkId, id: DeliveryId) -> bool {
        self.try_accept_next(link, id).is_some()
    }

    fn try_accept_next(&mut self, link_id: LinkId, id: DeliveryId) -> Option<()> {
        let (links, sessions) = (&mut self.links, &mut self.sessions);
        self.incoming.look_and_discard(id.incoming()?, |delivery| {
            let number = delivery.known.number?;
            if delivery.known.link != link_id
                || delivery.known.remote_settled
                || delivery.settles_second
                || delivery.done
            {
                return None;
            }
            let link = links.get_mut(link_id)?;
            let session = sessions.get_mut(link.session)?;
            if session.local != Phase::Open
                || link.is_closing()
                || !session.dispositions.accept_next(number)
            {
                return None;
            }
            if session.incoming.remove(number).is_some() {
                link.count_settled();
            }
            Some(((), true))
        })
    }

    /// The peer told a state of deliveries of ours, or that it has settled them.
    pub(super) fn hear_of_sent(
        &mut self,
        session: SessionId,
        first: Seq,
        last: Seq,
        state: Option<&DeliveryState>,
        settled: bool,
    ) {
        let mut from = Some(first);
        while let Some(link) = self.hear_until_closing(session, &mut from, last, state, settled) {
            self.go_on_closing(link);
        }
    }

    /// Hears of deliveries `from` on, until the last or one that a link waited for which is closing. Answers that link.
    fn hear_until_closing(
        &mut self,
        session: SessionId,
        from: &mut Option<Seq>,
        last: Seq,
        state: Option<&DeliveryState>,
        settled: bool,
    ) -> Option<LinkId> {
        let session = self.sessions.get_mut(session)?;
        // Walks what is live in the range, not the range.
        while let Some((number, id)) = session.outgoing.next_to_hear((*from)?, last, settled) {
            *from = (number != last).then(|| number.next());
            let Some(sent) = self.outgoing.get_mut(id) else {
                continue;
            };
            let link_id = sent.known.link;
            let Some(link) = self.links.get_mut(link_id) else {
                continue;
            };
            let fresh = sent.known.hear(state, settled);
            if sent.known.is_undecided()
                && let Some(outcome) = link.terms.default_outcome()
            {
                sent.known.remote_state = Some(outcome);
            }
            if fresh {
                link.updates.push_back(id.into());
                if link.queued.mark(Event::Updates(link_id)) {
                    self.events.push_back(Event::Updates(link_id));
                }
            }
            if settled && link.count_settled() && link.is_closing() {
                return Some(link_id);
            }
        }
        None
    }
}
