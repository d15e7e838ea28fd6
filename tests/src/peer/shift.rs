//! Where serial numbers start: scripts count from zero, the wire need not (2.8.10).

use crate::oracle::{Frame, Perf, V};

/// Adds to every serial number of a frame: transfer-ids, delivery-ids, delivery-counts.
pub(super) fn shift(frame: &mut Frame, by: u32) {
    let Some(perf) = &mut frame.perf else { return };
    let names: &[&str] = match perf.code {
        0x11 => &["next-outgoing-id"],
        0x12 => &["initial-delivery-count"],
        0x13 => &["next-incoming-id", "next-outgoing-id", "delivery-count"],
        0x14 => &["delivery-id"],
        0x15 => &["first", "last"],
        _ => &[],
    };
    for name in names {
        if let Some(V::Uint(number)) = field(perf, name) {
            *number = number.wrapping_add(by);
        }
    }
}

/// The serial number with which an endpoint of the engine's starts, if this frame says it.
pub(super) fn start(frame: &Frame) -> Option<u32> {
    let perf = frame.perf.as_ref()?;
    match perf.code {
        0x11 => perf.uint("next-outgoing-id"),
        0x12 => perf.uint("initial-delivery-count"),
        _ => None,
    }
}

fn field<'p>(perf: &'p mut Perf, name: &str) -> Option<&'p mut V> {
    let index = crate::oracle::shape(perf.code)?.index(name)?;
    perf.fields.get_mut(index)
}
