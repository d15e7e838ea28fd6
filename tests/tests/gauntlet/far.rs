//! The side that listens in all rounds of a campaign.

use crate::fountain::Fountain;
use crate::hall::Hall;
use crate::round::Promise;
use crate::support::Wire;

/// Which way the thousand messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The client, which meets the fault and connects again, sends them.
    FromClient,
    /// The client receives them.
    ToClient,
}

pub(crate) enum Far {
    Hall(Hall),
    Fountain(Fountain),
}

impl Far {
    pub(crate) fn open(flow: Flow, wire: Wire, promise: Promise) -> Self {
        match flow {
            Flow::FromClient => Self::Hall(Hall::open(wire, promise)),
            Flow::ToClient => Self::Fountain(Fountain::open(wire, promise)),
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        match self {
            Self::Hall(hall) => hall.port,
            Self::Fountain(fountain) => fountain.port,
        }
    }

    /// How many messages came when their round was over.
    pub(crate) fn late(&self) -> usize {
        match self {
            Self::Hall(hall) => hall.late(),
            Self::Fountain(_) => 0,
        }
    }
}
