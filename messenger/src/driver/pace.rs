//! What the octets of a connection cost: some take far more work than others, and turns are shared by work.

/// Octets of messages as which a link or session counts that begins or ends. Their work is that of a tenth of it; but a turn
/// that is full of them would take so long that others, who wait for each answer, get nowhere meanwhile.
const WORK: usize = 16 << 10;
/// What may be read at least. With less, the calls would cost more than what they bring.
const LEAST: usize = 512;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Pace {
    /// Octets that were read since it was last looked at what came of them.
    octets: usize,
    /// How many times as much an octet costs here as one of a message.
    weight: usize,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            octets: 0,
            weight: 1,
        }
    }

    /// So many octets were read.
    pub(super) const fn read(&mut self, octets: usize) {
        self.octets = self.octets.saturating_add(octets);
    }

    /// So many links and sessions began or ended by what was read: how many octets of it are worth `share` octets of
    /// messages. Who was found to be costly is taken for cheap again step by step.
    pub(super) fn share(&mut self, share: usize, work: usize) -> usize {
        let octets = std::mem::take(&mut self.octets);
        if octets > 0 || work > 0 {
            let cost = work.saturating_mul(WORK) / octets.max(1);
            self.weight = cost.saturating_add(1).max(self.weight / 2);
        }
        (share / self.weight.max(1)).max(LEAST.min(share))
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAST, Pace, WORK};

    /// Octets of an attach and a detach.
    const LINK: usize = 200;

    /// Octets that one connection may say in so many turns, `each` of them being a link that begins or ends.
    fn said(turns: usize, share: usize, each: usize) -> usize {
        let mut pace = Pace::new();
        let (mut sum, mut work) = (0, 0);
        for _ in 0..turns {
            let octets = pace.share(share, work);
            pace.read(octets);
            work = octets / each;
            sum += octets;
        }
        sum
    }

    #[test]
    fn messages_have_the_whole_share() {
        assert_eq!(said(100, 64 << 10, usize::MAX), 100 * (64 << 10));
    }

    #[test]
    fn links_that_come_and_go_have_as_little_as_they_cost_much() {
        let (share, turns) = (64 << 10, 100);
        // The first turn is not known to be costly yet.
        let links = (said(turns, share, LINK) - share) / LINK;
        let worth = turns * share / WORK;
        let fair = worth / 2..=worth + worth / 10;
        assert!(fair.contains(&links), "{links} of {worth}");
    }

    #[test]
    fn who_is_cheap_again_is_taken_for_cheap_again() {
        let mut pace = Pace::new();
        pace.read(1_000);
        assert_eq!(pace.share(64 << 10, 1_000), LEAST);
        let mut turns = 0;
        while pace.share(64 << 10, 0) < 64 << 10 {
            pace.read(10);
            turns += 1;
        }
        assert!(turns <= 14, "{turns}");
    }
}
