//! Composite types by themselves, where a frame would have them in its fields.

use alloc::format;
use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::Bytes;

use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::message::{Header, Properties};
use crate::protocol::{
    Accepted, Attach, Begin, Close, Condition, Coordinator, Declare, Declared, DeleteOnClose,
    DeliveryState, Detach, Discharge, Disposition, End, Flow, LifetimePolicy, Modified, Open,
    Outcome, Received, Rejected, Released, SaslChallenge, SaslInit, SaslMechanisms, SaslOutcome,
    SaslResponse, Source, Target, TargetArchetype, TransactionalState, Transfer,
};

/// One type: reads it, and what is read is written and read again.
type Check = fn(&Bytes);

macro_rules! checks {
    ($($Type:ident)*) => { &[$(check::<$Type>,)*] };
}

/// New ones at the end, so that a corpus means what it meant.
const CHECKS: &[Check] = checks! {
    Accepted Attach Begin Close Condition Coordinator Declare Declared DeleteOnClose DeliveryState Detach Discharge
    Disposition End Flow Header LifetimePolicy Modified Open Outcome Properties Received Rejected Released SaslChallenge
    SaslInit SaslMechanisms SaslOutcome SaslResponse Source Target TargetArchetype TransactionalState Transfer
};

/// Octet 0 is the type; what follows is read as one, and if it is one, it is written and read to the same.
pub fn composite(data: &[u8]) {
    let Some((which, octets)) = data.split_first() else {
        return;
    };
    if let Some(check) = CHECKS.get(usize::from(*which) % CHECKS.len()) {
        check(&Bytes::copy_from_slice(octets));
    }
}

fn read<T: Decode>(octets: &Bytes) -> Result<(T, usize), DecodeError> {
    let mut reader = Reader::new(octets);
    let read = T::decode(&mut reader)?;
    Ok((read, reader.position()))
}

fn check<T: Decode + Encode + Debug + PartialEq>(octets: &Bytes) {
    let Ok((value, used)) = read::<T>(octets) else {
        return;
    };
    assert!(used <= octets.len(), "more octets used than there are");
    assert!(!format!("{value:?}").is_empty());
    let mut out = Vec::new();
    value.encode(&mut out);
    let length = out.len();
    let again = read(&Bytes::from(out)).expect("what was encoded can be decoded");
    assert_eq!(again, (value, length));
}
