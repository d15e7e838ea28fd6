//! Deliveries that are accepted, one after the other, on links on which nothing is out of the ordinary: nearly all there are.
//!
//! What is done for one here is what [`settlement`](super::settlement) does for it, with each object looked up once. Whatever
//! does not fit is found before anything was changed, and left to that.

use crate::endpoints::{Endpoints, Phase};
use crate::ids::{DeliveryId, LinkId};

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
            let number = delivery.known.number()?;
            if delivery.known.link != link_id
                || delivery.known.remote_settled
                || delivery.settles_second
                || delivery.done
            {
                return None;
            }
            let link = links.get_mut(link_id)?;
            let session = sessions.get_mut(link.session)?;
            if session.local != Phase::Open || link.is_ending() {
                return None;
            }
            // The last look, as it is the first change. What is added to has not been told yet, so dispositions of the session
            // are due already.
            if !session.dispositions.accept_next(number) {
                return None;
            }
            if session.incoming.remove(number).is_some() {
                link.count_settled();
            }
            Some(((), true))
        })
    }
}
