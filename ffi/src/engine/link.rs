//! The links of an engine, whichever their role (2.6). `sender` and `receiver` have the rest.

use core::ffi::c_char;

use ferrion_engine::protocol::{
    Attach, ReceiverSettleMode, Role, SenderSettleMode, TargetArchetype,
};
use ferrion_engine::{Closing, Time};

use super::condition::{Parts, given_condition, parts, required_condition};
use super::fields::field as field_of;
use super::termini::{source_field, target_field};
use super::{
    Inner, Taken, ferrion_delivery_t, ferrion_engine_t, ferrion_link_config_t,
    ferrion_link_state_t, ferrion_link_t, ferrion_rcv_settle_mode, ferrion_session_t,
    ferrion_snd_settle_mode, ferrion_state, kind_of,
};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// Which side of a link this is.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_role {
    /// It sends: functions of `ferrion_sender_` are for it.
    FERRION_SENDER = 0,
    /// It receives: functions of `ferrion_receiver_` are for it.
    FERRION_RECEIVER = 1,
}

/// How far a graceful close has come; see `ferrion_link_close_by`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_closing {
    /// A stage that has no name yet.
    FERRION_CLOSING_OTHER = 0,
    /// A receiver has asked for the rest of the credit, and has no answer yet.
    FERRION_CLOSING_DRAINING = 1,
    /// Messages of a sender have not left yet.
    FERRION_CLOSING_SENDING = 2,
    /// Deliveries are not settled.
    FERRION_CLOSING_SETTLING = 3,
    /// Nothing is left to wait for: the detach is on its way.
    FERRION_CLOSING_COMPLETE = 4,
    /// The moment came before that: the detach is on its way all the same.
    FERRION_CLOSING_OVERDUE = 5,
}

/// A delivery whose state the peer changed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_update_t {
    /// Which.
    pub delivery: ferrion_delivery_t,
    /// The sender's name for it.
    pub tag: ferrion_bytes_t,
    /// Its state at the peer; `ferrion_engine_state` has it whole.
    pub state: ferrion_state,
    /// Whether the peer has settled it: 1, else 0.
    pub settled: u32,
}

/// A delivery that is not settled by both sides.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_unsettled_t {
    /// Which.
    pub delivery: ferrion_delivery_t,
    /// The sender's name for it.
    pub tag: ferrion_bytes_t,
    /// The format of the payload; 0 is an AMQP message.
    pub message_format: u32,
    /// Its state at this side.
    pub local_state: ferrion_state,
    /// Its state at the peer, as far as the peer told.
    pub remote_state: ferrion_state,
    /// Whether the peer has settled it: 1, else 0.
    pub settled: u32,
}

/// What resuming a link did. The numbers count deliveries that this side remembered.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_recovery_t {
    /// 1 if the peer remembers something at all, else 0.
    pub peer_remembers: u32,
    /// 1 if both sides told of all that they remember. If 0, nothing new can be sent: once what was resumed is settled,
    /// detach the link and resume it again.
    pub complete: u32,
    /// Both sides remembered them, and they go on.
    pub resumed: u32,
    /// Sender: the receiver had nothing of them; they are sent as new ones.
    pub sent_again: u32,
    /// Sender: they were called off.
    pub aborted: u32,
    /// They turned out to be settled by the peer.
    pub settled: u32,
    /// Sender: the receiver has not got them, and there is no payload to send again.
    pub lost: u32,
}

/// Answers an attach of the peer's with the termini and modes it asked for. FERRION_STATE: it was answered before, or
/// its session has not been accepted. FERRION_INVALID_ARGUMENT: the peer asked for a dynamic node; say which it is with
/// `ferrion_link_accept_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_accept(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.link(link)?.accept()?)
    } }
}

/// Answers an attach of the peer's with other termini or modes; start from `ferrion_link_offer`. The name stays the
/// peer's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_accept_with(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    config: *const ferrion_link_config_t,
) -> ferrion_status {
    ffi_fn! { object engine, object config => {
        Ok(engine.link(link)?.accept_with(config.clone())?)
    } }
}

/// Answers an attach of the peer's with what an earlier endpoint of this link left, and goes on with that. See
/// `ferrion_link_state_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_resume(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    state: *const ferrion_link_state_t,
) -> ferrion_status {
    ffi_fn! { object engine, object state => {
        Ok(engine.link(link)?.resume(&state.state)?)
    } }
}

/// Answers an attach of the peer's with a refusal (2.6.3). The text for people and the map may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_refuse(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, text condition, maybe_text description, maybe_object info => {
        let error = required_condition(condition, description, info.as_deref())?;
        Ok(engine.link(link)?.refuse(error)?)
    } }
}

/// What `ferrion_link_accept` would answer; for a link of ours, what it was attached with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_offer(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_config: *mut ferrion_link_config_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_config => {
        *out_config = engine.link(link)?.offer().ok_or_else(Failure::absent)?;
        Ok(())
    } }
}

/// Detaches the link without closing it (2.6.4), after what was sent has left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_detach(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.link(link)?.detach()?)
    } }
}

/// Closes the link for good (2.6.5): without a condition after what was sent has left, with one at once. The condition,
/// its text for people and its map may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_close(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_text condition, maybe_text description, maybe_object info => {
        let error = given_condition(condition, description, info.as_deref())?;
        Ok(engine.link(link)?.close(error)?)
    } }
}

/// Closes the link gracefully, so that neither side has to guess what became of a delivery, but not later than the
/// moment `by`. A receiver gives back what it was not given yet and waits until the rest is settled; a sender waits
/// until what it took has left and is settled. `ferrion_link_closing` tells how far it has come. Called again, it moves
/// the moment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_close_by(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    by: u64,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.link(link)?.close_by(Time(by))?)
    } }
}

/// How far a graceful close has come. FERRION_ABSENT: there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_closing(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_closing: *mut ferrion_closing,
) -> ferrion_status {
    ffi_fn! { object engine, out out_closing => {
        let closing = engine.link(link)?.closing().ok_or_else(Failure::absent)?;
        out_closing.set(match closing {
            Closing::Draining => ferrion_closing::FERRION_CLOSING_DRAINING,
            Closing::Sending => ferrion_closing::FERRION_CLOSING_SENDING,
            Closing::Settling => ferrion_closing::FERRION_CLOSING_SETTLING,
            Closing::Complete => ferrion_closing::FERRION_CLOSING_COMPLETE,
            Closing::Overdue => ferrion_closing::FERRION_CLOSING_OVERDUE,
            _ => ferrion_closing::FERRION_CLOSING_OTHER,
        });
        Ok(())
    } }
}

/// The next delivery whose state the peer changed, after FERRION_EVENT_UPDATES. One that the peer has settled is
/// forgotten by this; another one still wants to be settled. FERRION_END: no more.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_next_update(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_update: *mut ferrion_update_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_update => {
        let inner = &mut *engine;
        let update = inner.link(link)?.next_update();
        let Some(told) = Inner::keep(&mut inner.update, update) else {
            return Err(Failure::end("no update waits"));
        };
        inner.taken = Taken::Update;
        out_update.set(ferrion_update_t {
            delivery: inner.numbers.of_delivery(Some(told.delivery)),
            tag: told.tag.as_bytes().into(),
            state: kind_of(told.state.as_ref()),
            settled: u32::from(told.settled),
        });
        Ok(())
    } }
}

/// The delivery at place `index` of those that are not settled by both sides, in order. Begin with 0 and go on until
/// FERRION_END: what 0 finds is gone through. FERRION_STATE: 0 was not asked for first, of this link.
///
/// Borrowed until: this is called with 0 again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_unsettled(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    index: usize,
    out_unsettled: *mut ferrion_unsettled_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_unsettled => {
        engine.look_at_unsettled(link, index == 0)?;
        let (unsettled, tag) = engine.unsettled.get(index).zip(engine.tags.get(index))
            .ok_or_else(|| Failure::end("no more unsettled deliveries"))?;
        out_unsettled.set(ferrion_unsettled_t { tag: tag.as_bytes().into(), ..*unsettled });
        Ok(())
    } }
}

/// What has to outlive this endpoint of the link for another one to go on with it. FERRION_ABSENT: the peer's attach
/// was not accepted. Take what is to be taken of updates and deliveries before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_state(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_state: *mut ferrion_link_state_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_state => {
        *out_state = engine.link(link)?.state().ok_or_else(Failure::absent)?.into();
        Ok(())
    } }
}

/// What came of resuming a link, once both sides have attached. FERRION_ABSENT: not yet, the peer refuses, or nothing
/// was resumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovered(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_recovery: *mut ferrion_recovery_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_recovery => {
        let recovery = engine.link(link)?.recovered().ok_or_else(Failure::absent)?;
        out_recovery.set(ferrion_recovery_t {
            peer_remembers: u32::from(recovery.peer_remembers),
            complete: u32::from(recovery.complete),
            resumed: recovery.resumed,
            sent_again: recovery.sent_again,
            aborted: recovery.aborted,
            settled: recovery.settled,
            lost: recovery.lost,
        });
        Ok(())
    } }
}

/// Which side of the link this is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_role(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_role: *mut ferrion_role,
) -> ferrion_status {
    ffi_fn! { object engine, out out_role => {
        out_role.set(match engine.link(link)?.role() {
            Role::Sender => ferrion_role::FERRION_SENDER,
            Role::Receiver => ferrion_role::FERRION_RECEIVER,
        });
        Ok(())
    } }
}

/// The link's name.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_name(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_text => {
        let name = engine.link(link)?.name();
        out_text.set(engine.lend(name.into_bytes()));
        Ok(())
    } }
}

/// The session that it is on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_session(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_session: *mut ferrion_session_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_session => {
        let id = engine.link(link)?.session().ok_or_else(Failure::absent)?;
        out_session.set(engine.numbers.of_session(id));
        Ok(())
    } }
}

/// Whether the peer attached it and it has not been answered yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_is_incoming(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_incoming: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_incoming => {
        out_incoming.set(engine.link(link)?.is_incoming());
        Ok(())
    } }
}

/// Whether both sides have attached and neither has detached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_is_attached(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_attached: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_attached => {
        out_attached.set(engine.link(link)?.is_attached());
        Ok(())
    } }
}

/// Whether the peer has detached and waits for our detach.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_awaits_detach(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_awaits: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_awaits => {
        out_awaits.set(engine.link(link)?.awaits_detach());
        Ok(())
    } }
}

/// Whether the peer's detach closed the link for good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_is_remote_closed(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_closed: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_closed => {
        out_closed.set(engine.link(link)?.is_remote_closed());
        Ok(())
    } }
}

/// The sender's settle mode in force.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_snd_settle_mode(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_mode: *mut ferrion_snd_settle_mode,
) -> ferrion_status {
    ffi_fn! { object engine, out out_mode => {
        out_mode.set(match engine.link(link)?.snd_settle_mode() {
            SenderSettleMode::Unsettled => ferrion_snd_settle_mode::FERRION_SND_UNSETTLED,
            SenderSettleMode::Settled => ferrion_snd_settle_mode::FERRION_SND_SETTLED,
            SenderSettleMode::Mixed => ferrion_snd_settle_mode::FERRION_SND_MIXED,
        });
        Ok(())
    } }
}

/// The receiver's settle mode in force.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_rcv_settle_mode(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_mode: *mut ferrion_rcv_settle_mode,
) -> ferrion_status {
    ffi_fn! { object engine, out out_mode => {
        out_mode.set(match engine.link(link)?.rcv_settle_mode() {
            ReceiverSettleMode::First => ferrion_rcv_settle_mode::FERRION_RCV_FIRST,
            ReceiverSettleMode::Second => ferrion_rcv_settle_mode::FERRION_RCV_SECOND,
        });
        Ok(())
    } }
}

/// A field of the peer's attach; one that it left out has its default. `field` is a `ferrion_attach_field`.
/// FERRION_ABSENT: the attach has not arrived, or does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_remote(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let link = engine.link(link)?;
        let remote = link.remote().ok_or_else(Failure::absent)?;
        out_value.fill([field_of(remote, Attach::FIELDS, field)?]);
        Ok(())
    } }
}

/// A field of the source as the peer sees it. `field` is a `ferrion_source_field`. FERRION_ABSENT: the source does not
/// have it, or there is none; a sending peer that says none refused the link.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_remote_source(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let link = engine.link(link)?;
        out_value.fill([source_field(link.remote_source(), field)?]);
        Ok(())
    } }
}

/// A field of the target as the peer sees it. `field` is a `ferrion_target_field`. FERRION_ABSENT: the target does not
/// have it, or there is none; a receiving peer that says none refused the link.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_remote_target(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let link = engine.link(link)?;
        out_value.fill([target_field(link.remote_target(), field)?]);
        Ok(())
    } }
}

/// The address of the node at the peer: of the source if the peer sends, of the target if it receives. For a dynamic node
/// it is the one to tell others. FERRION_ABSENT: it gave none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_remote_address(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_text => {
        let view = engine.link(link)?;
        let address = match view.role() {
            Role::Receiver => view.remote_source().and_then(|source| source.address.clone()),
            Role::Sender => match view.remote_target() {
                Some(TargetArchetype::Target(target)) => target.address.clone(),
                _ => None,
            },
        };
        let address = address.ok_or_else(Failure::absent)?;
        out_text.set(engine.lend(address.into_bytes()));
        Ok(())
    } }
}

/// The error that ended it, and whether the peer found it. Each result may be NULL. FERRION_ABSENT: none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_error(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_remote: *mut bool,
    out_condition: *mut ferrion_bytes_t,
    out_description: *mut ferrion_bytes_t,
    out_info: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_remote, optional out_condition, optional out_description, maybe_object out_info => {
        let error = engine.link(link)?.error().cloned();
        engine.tell_end(error, out_remote, parts!(out_condition, out_description, out_info))
    } }
}

impl Inner {
    /// Takes down the unsettled deliveries of a link, to go through them by number, or makes sure that it is the one whose
    /// deliveries are gone through.
    fn look_at_unsettled(&mut self, link: ferrion_link_t, again: bool) -> Result<(), Failure> {
        let id = self.numbers.link(link)?;
        self.engine.link(id)?;
        if !again {
            return match self.unsettled_of {
                Some(of) if of == id => Ok(()),
                _ => Err(Failure::new(
                    ferrion_status::FERRION_STATE,
                    "the deliveries of this link are not being gone through: begin with index 0",
                )),
            };
        }
        self.unsettled_of = Some(id);
        self.unsettled.clear();
        self.tags.clear();
        let view = self.engine.link(id)?;
        for unsettled in view.unsettled() {
            self.tags.push(unsettled.tag);
            self.unsettled.push(ferrion_unsettled_t {
                delivery: self.numbers.of_delivery(Some(unsettled.id)),
                tag: (&[][..]).into(),
                message_format: unsettled.message_format,
                local_state: kind_of(unsettled.local_state),
                remote_state: kind_of(unsettled.remote_state),
                settled: u32::from(unsettled.settled),
            });
        }
        Ok(())
    }
}
