//! What outlives a link's endpoint (2.6.13).

use bytes::Bytes;
use ferrion_engine::codec::{CodecLimits, Value, decode_value, encode_value};
use ferrion_engine::protocol::{DeliveryState, Role, Source, Tag, Target};
use ferrion_engine::{LinkConfig, LinkState, UnsettledDelivery};

use super::fields::to_value;
use super::link_config::{ferrion_link_config_t, ferrion_link_field, get, set};
use super::state::{kind_of, state_from};
use super::{ferrion_engine_t, ferrion_role, ferrion_state};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// A delivery that is remembered.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_remembered_t {
    /// The sender's name for it.
    pub tag: ferrion_bytes_t,
    /// Sender: what was sent, all of it. Receiver: what arrived and was not handed to the application. See `has_payload`.
    pub payload: ferrion_bytes_t,
    /// Receiver: octets that the application read before the payload, while it came.
    pub read: u64,
    /// The format of the payload; 0 is an AMQP message.
    pub message_format: u32,
    /// Its state at this side; `ferrion_link_state_local` has it whole.
    pub local_state: ferrion_state,
    /// Its state at the peer, as far as the peer told; `ferrion_link_state_remote` has it whole.
    pub remote_state: ferrion_state,
    /// 1 if the payload is there, else 0: a sender did not keep it, or the application has all of it.
    pub has_payload: u32,
    /// 1 if the payload has its end, else 0.
    pub complete: u32,
    /// Receiver: 1 if the application settled it, else 0.
    pub done: u32,
    /// 1 if the peer has settled it, and only the application has not been told; else 0.
    pub settled: u32,
}

/// All that has to outlive an endpoint of a link for another endpoint to go on with it: a value that can be kept in
/// memory, or written with `ferrion_link_state_encode` wherever it survives.
///
/// Take it from a link that was suspended (`ferrion_link_state`), or of all links of an engine (`ferrion_engine_link_state`),
/// also after its connection was lost. Give it to a session of the same or another engine (`ferrion_session_resume`), or
/// answer with it a peer that attaches the link again (`ferrion_link_resume`). Links that are to be recovered have
/// FERRION_LINK_RECOVERABLE set.
#[derive(Debug)]
pub struct ferrion_link_state_t {
    root: Root<State>,
}
object!(ferrion_link_state_t, State);

/// The state of a sender that has no name and remembers nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_link_state_new() -> *mut ferrion_link_state_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_link_state_t { root: Root::new(State::default()) })))
    } }
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_free(state: *mut ferrion_link_state_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_link_state_new` and is not used again, as the header demands.
        unsafe { free(state) };
        Ok(())
    } }
}

/// Makes it the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_copy(
    state: *mut ferrion_link_state_t,
    source: *const ferrion_link_state_t,
) -> ferrion_status {
    ffi_fn! { object state, object source => {
        state.clone_from(&source);
        Ok(())
    } }
}

/// The state at place `index` of those of all links that are recoverable and were not closed, whatever state the
/// connection is in. Begin with 0 and go on until FERRION_END: what 0 finds is gone through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_link_state(
    engine: *mut ferrion_engine_t,
    index: usize,
    out_state: *mut ferrion_link_state_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_state => {
        if index == 0 {
            engine.link_states = engine.engine.link_states();
        }
        match engine.link_states.get(index) {
            Some(state) => out_state.state.clone_from(state),
            None => {
                engine.link_states.clear();
                return Err(Failure::end("no more links"));
            }
        }
        Ok(())
    } }
}

/// Which side of the link it is of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_role(
    state: *const ferrion_link_state_t,
    out_role: *mut ferrion_role,
) -> ferrion_status {
    ffi_fn! { object state, out out_role => {
        out_role.set(match state.state.role {
            Role::Sender => ferrion_role::FERRION_SENDER,
            Role::Receiver => ferrion_role::FERRION_RECEIVER,
        });
        Ok(())
    } }
}

/// What the link is attached with again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_config(
    state: *const ferrion_link_state_t,
    out_config: *mut ferrion_link_config_t,
) -> ferrion_status {
    ffi_fn! { object state, object out_config => {
        out_config.clone_from(&state.state.config);
        Ok(())
    } }
}

/// Sets what the link is attached with again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_set_config(
    state: *mut ferrion_link_state_t,
    config: *const ferrion_link_config_t,
) -> ferrion_status {
    ffi_fn! { object state, object config => {
        state.state.config.clone_from(&config);
        Ok(())
    } }
}

/// How many deliveries are remembered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_count(
    state: *const ferrion_link_state_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object state, out out_n => {
        out_n.set(state.state.unsettled.len());
        Ok(())
    } }
}

/// The delivery at place `index`. FERRION_END: there are not so many.
///
/// Borrowed until: the next call on this object that changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_delivery(
    state: *mut ferrion_link_state_t,
    index: usize,
    out_remembered: *mut ferrion_remembered_t,
) -> ferrion_status {
    ffi_fn! { object state, out out_remembered => {
        let delivery = state.delivery(index)?;
        // In one piece, for C; whoever asks again finds it so.
        if let Some(payload) = delivery.payload.take() {
            delivery.payload = Some(payload.into_bytes().into());
        }
        let piece = delivery.payload.as_ref().and_then(|payload| payload.chunks().next());
        out_remembered.set(ferrion_remembered_t {
            tag: delivery.tag.as_bytes().into(),
            payload: piece.map_or(&[][..], |piece| piece).into(),
            read: delivery.read,
            message_format: delivery.message_format,
            local_state: kind_of(delivery.local_state.as_ref()),
            remote_state: kind_of(delivery.remote_state.as_ref()),
            has_payload: u32::from(delivery.payload.is_some()),
            complete: u32::from(delivery.complete),
            done: u32::from(delivery.done),
            settled: u32::from(delivery.settled),
        });
        Ok(())
    } }
}

/// The state of a delivery at this side, whole. FERRION_ABSENT: it has none. FERRION_END: there are not so many
/// deliveries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_local(
    state: *mut ferrion_link_state_t,
    index: usize,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object state, object out_value => {
        let found = state.delivery(index)?.local_state.as_ref().ok_or_else(Failure::absent)?;
        out_value.fill([to_value(found)?]);
        Ok(())
    } }
}

/// The state of a delivery at the peer, whole. FERRION_ABSENT: it has none. FERRION_END: there are not so many
/// deliveries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_remote(
    state: *mut ferrion_link_state_t,
    index: usize,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object state, object out_value => {
        let found = state.delivery(index)?.remote_state.as_ref().ok_or_else(Failure::absent)?;
        out_value.fill([to_value(found)?]);
        Ok(())
    } }
}

/// Sets the payload of a delivery, and how much of it the application has read before that: for a sender that keeps its
/// messages itself, or a receiver that puts back what it read. FERRION_END: there are not so many deliveries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_set_payload(
    state: *mut ferrion_link_state_t,
    index: usize,
    read: u64,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object state, bytes data len => {
        let delivery = state.delivery(index)?;
        delivery.payload = Some(Bytes::copy_from_slice(data).into());
        delivery.read = read;
        Ok(())
    } }
}

/// Takes a delivery out: it is settled, which the peer will learn when the link is resumed. FERRION_END: there are not
/// so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_remove(
    state: *mut ferrion_link_state_t,
    index: usize,
) -> ferrion_status {
    ffi_fn! { object state => {
        state.delivery(index)?;
        state.state.unsettled.remove(index);
        Ok(())
    } }
}

/// The state as octets, for `ferrion_link_state_decode` of this version of ferrion or a later one.
///
/// Borrowed until: the next call on this object that changes it, or this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_encode(
    state: *mut ferrion_link_state_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object state, out out_data => {
        let value = written(&state.state)?;
        let mut octets = Vec::new();
        encode_value(&value, &mut octets)?;
        state.octets = octets;
        out_data.set(state.octets.as_slice().into());
        Ok(())
    } }
}

/// Makes it the state that is encoded here. If the octets are something else, it stays what it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state_decode(
    state: *mut ferrion_link_state_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object state, bytes data len => {
        let (value, used) = decode_value(&Bytes::copy_from_slice(data), &CodecLimits::default())?;
        if used != data.len() {
            return Err(no_state());
        }
        state.state = read(value)?;
        Ok(())
    } }
}

/// A state, and octets that are lent to C.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(super) state: LinkState,
    octets: Vec<u8>,
}

impl Default for State {
    fn default() -> Self {
        LinkState {
            role: Role::Sender,
            config: LinkConfig::new("", Source::default(), Target::default()),
            unsettled: Vec::new(),
        }
        .into()
    }
}

impl From<LinkState> for State {
    fn from(state: LinkState) -> Self {
        Self {
            state,
            octets: Vec::new(),
        }
    }
}

impl State {
    fn delivery(&mut self, index: usize) -> Result<&mut UnsettledDelivery, Failure> {
        self.state
            .unsettled
            .get_mut(index)
            .ok_or_else(|| Failure::end("no more deliveries"))
    }
}

/// The first item of what is written: changes when the rest does.
const FORMAT: u32 = 1;

/// The fields of a link's configuration that are written, in this order.
const WRITTEN: [ferrion_link_field; 11] = [
    ferrion_link_field::FERRION_LINK_NAME,
    ferrion_link_field::FERRION_LINK_SOURCE,
    ferrion_link_field::FERRION_LINK_TARGET,
    ferrion_link_field::FERRION_LINK_SND_SETTLE_MODE,
    ferrion_link_field::FERRION_LINK_RCV_SETTLE_MODE,
    ferrion_link_field::FERRION_LINK_MAX_MESSAGE_SIZE,
    ferrion_link_field::FERRION_LINK_INITIAL_DELIVERY_COUNT,
    ferrion_link_field::FERRION_LINK_RECOVERABLE,
    ferrion_link_field::FERRION_LINK_OFFERED_CAPABILITIES,
    ferrion_link_field::FERRION_LINK_DESIRED_CAPABILITIES,
    ferrion_link_field::FERRION_LINK_PROPERTIES,
];

/// A state as an AMQP list: format, role, configuration, deliveries.
fn written(state: &LinkState) -> Result<Value, Failure> {
    let config: Result<Vec<Value>, Failure> = WRITTEN
        .iter()
        .map(|field| Ok(get(&state.config, *field as i32)?.unwrap_or_default()))
        .collect();
    let deliveries: Result<Vec<Value>, Failure> =
        state.unsettled.iter().map(written_delivery).collect();
    Ok(Value::List(Vec::from([
        Value::Uint(FORMAT),
        Value::Bool(state.role == Role::Receiver),
        Value::List(config?),
        Value::List(deliveries?),
    ])))
}

fn written_delivery(delivery: &UnsettledDelivery) -> Result<Value, Failure> {
    let state = |state: &Option<DeliveryState>| match state {
        Some(state) => to_value(state),
        None => Ok(Value::Null),
    };
    let payload = delivery
        .payload
        .clone()
        .map_or(Value::Null, |payload| Value::Binary(payload.into_bytes()));
    Ok(Value::List(Vec::from([
        Value::Binary(Bytes::copy_from_slice(delivery.tag.as_bytes())),
        Value::Uint(delivery.message_format),
        state(&delivery.local_state)?,
        state(&delivery.remote_state)?,
        payload,
        Value::Ulong(delivery.read),
        Value::Bool(delivery.complete),
        Value::Bool(delivery.done),
        Value::Bool(delivery.settled),
    ])))
}

fn read(value: Value) -> Result<LinkState, Failure> {
    let Value::List(items) = value else {
        return Err(no_state());
    };
    let Ok(
        [
            Value::Uint(FORMAT),
            Value::Bool(is_receiver),
            Value::List(fields),
            Value::List(deliveries),
        ],
    ) = <[Value; 4]>::try_from(items)
    else {
        return Err(no_state());
    };
    if fields.len() != WRITTEN.len() {
        return Err(no_state());
    }
    let mut config = LinkConfig::new("", Source::default(), Target::default());
    for (field, value) in WRITTEN.iter().zip(fields) {
        set(&mut config, *field as i32, value).map_err(|_| no_state())?;
    }
    let unsettled: Result<Vec<_>, Failure> = deliveries.into_iter().map(read_delivery).collect();
    Ok(LinkState {
        role: if is_receiver {
            Role::Receiver
        } else {
            Role::Sender
        },
        config,
        unsettled: unsettled?,
    })
}

fn read_delivery(value: Value) -> Result<UnsettledDelivery, Failure> {
    let Value::List(items) = value else {
        return Err(no_state());
    };
    let Ok(
        [
            Value::Binary(tag),
            Value::Uint(message_format),
            local,
            remote,
            payload,
            Value::Ulong(read),
            Value::Bool(complete),
            Value::Bool(done),
            Value::Bool(settled),
        ],
    ) = <[Value; 9]>::try_from(items)
    else {
        return Err(no_state());
    };
    Ok(UnsettledDelivery {
        tag: Tag::new(&tag).map_err(|_| no_state())?,
        message_format,
        local_state: state_from(local).map_err(|_| no_state())?,
        remote_state: state_from(remote).map_err(|_| no_state())?,
        payload: match payload {
            Value::Null => None,
            Value::Binary(octets) => Some(octets.into()),
            _ => return Err(no_state()),
        },
        read,
        complete,
        done,
        settled,
    })
}

#[cold]
fn no_state() -> Failure {
    Failure::new(
        ferrion_status::FERRION_DECODE,
        "these octets are no link state that this version of ferrion can read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrion_engine::protocol::Received;
    use ferrion_status as Status;

    /// A state that has something of everything.
    fn full() -> LinkState {
        let mut config = LinkConfig::receiver("a link", "a node");
        config.max_message_size = Some(1 << 40);
        config.recoverable = true;
        config.initial_delivery_count = 7;
        let received = Received {
            section_number: 1,
            section_offset: 1 << 33,
        };
        let states = [
            None,
            Some(DeliveryState::Accepted),
            Some(DeliveryState::Received(Box::new(received))),
        ];
        let unsettled = states
            .into_iter()
            .zip(1_u8..)
            .map(|(state, n)| UnsettledDelivery {
                tag: Tag::new(&[n; 32]).expect("as long as tags may be"),
                message_format: n.into(),
                local_state: state.clone(),
                remote_state: state,
                payload: (n > 1).then(|| Bytes::from(vec![n; 100 * usize::from(n)]).into()),
                read: u64::MAX,
                complete: n == 2,
                done: n == 1,
                settled: n == 3,
            });
        LinkState {
            role: Role::Receiver,
            config,
            unsettled: unsettled.collect(),
        }
    }

    fn encoded(state: *mut ferrion_link_state_t) -> Vec<u8> {
        let mut lent = ferrion_bytes_t::from(&[][..]);
        // SAFETY: the state lives, and what is lent stays until it is copied.
        unsafe {
            let status = ferrion_link_state_encode(state, &raw mut lent);
            assert_eq!(status, Status::FERRION_OK);
            core::slice::from_raw_parts(lent.data, lent.len).to_vec()
        }
    }

    fn decode(state: *mut ferrion_link_state_t, octets: &[u8]) -> ferrion_status {
        // SAFETY: the state lives, and the slice is readable.
        unsafe { ferrion_link_state_decode(state, octets.as_ptr(), octets.len()) }
    }

    fn object(state: LinkState) -> ferrion_link_state_t {
        ferrion_link_state_t {
            root: Root::new(state.into()),
        }
    }

    #[test]
    fn octets_that_were_tampered_with_are_refused_or_are_another_state() {
        let mut whole = object(full());
        let good = encoded(&raw mut whole);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            // xorshift64
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below as u64).expect("below a usize")
        };
        let (mut refused, mut taken) = (0, 0);
        for round in 0..20_000 {
            let mut bad = good.clone();
            for _ in 0..=next(3) {
                let at = next(bad.len());
                match next(4) {
                    0 => bad[at] = u8::try_from(next(256)).expect("an octet"),
                    1 => bad[at] ^= 1 << next(8),
                    2 => bad.truncate(at + 1),
                    _ => bad.splice(at..at, [0xff; 3]).for_each(drop),
                }
            }
            let mut state = object(full());
            match decode(&raw mut state, &bad) {
                Status::FERRION_OK => {
                    taken += 1;
                    let again = encoded(&raw mut state);
                    let mut copy = object(full());
                    assert_eq!(decode(&raw mut copy, &again), Status::FERRION_OK);
                    assert_eq!(encoded(&raw mut copy), again, "round {round}");
                }
                status => {
                    refused += 1;
                    assert_eq!(status, Status::FERRION_DECODE, "round {round}: {bad:x?}");
                    assert_eq!(encoded(&raw mut state), good, "it stays what it was");
                }
            }
        }
        assert!(
            refused > 1000 && taken > 1000,
            "{refused} refused, {taken} taken"
        );
    }

    #[test]
    fn octets_that_claim_to_be_much_are_refused_before_they_take_memory() {
        let huge: [&[u8]; 4] = [
            // A list of 2^32 - 1 items, and one of as many empty lists.
            &[0xd0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff],
            // Arrays of items that have no octets of their own.
            &[0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x41],
            &[0xf0, 0, 0, 0, 5, 0x7f, 0xff, 0xff, 0xff, 0x45],
        ];
        for octets in huge {
            let mut state = object(full());
            assert_eq!(decode(&raw mut state, octets), Status::FERRION_DECODE);
        }
        let mut state = object(full());
        let deep = [0xc0, 0xff, 1].repeat(100_000);
        assert_eq!(decode(&raw mut state, &deep), Status::FERRION_DECODE);
    }
}
