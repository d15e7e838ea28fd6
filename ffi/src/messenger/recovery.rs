//! Link recovery, and who settles when.

use std::time::Duration;

use ferrion_messenger::{LinkRecovery, ReceiverSettleMode, SenderSettleMode};

use super::ferrion_messenger_t;
use super::reconnect::whole;
use crate::engine::{ferrion_rcv_settle_mode, ferrion_snd_settle_mode};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};

/// That links are recovered, for `ferrion_messenger_set_link_recovery`, and what is kept for that. The bounds are for peers that
/// connected to this messenger and were lost; a new one is fit for most.
#[derive(Debug)]
pub struct ferrion_link_recovery_t {
    root: Root<LinkRecovery>,
}
object!(ferrion_link_recovery_t, LinkRecovery);

/// Keeps the links of lost peers for 2 minutes: 4,096 of them, with 64 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_link_recovery_new() -> *mut ferrion_link_recovery_t {
    ffi_fn! { => core::ptr::null_mut(); {
        let root = Root::new(LinkRecovery::default());
        Ok(Box::into_raw(Box::new(ferrion_link_recovery_t { root })))
    } }
}

/// Frees it. Messengers that were given it keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_free(recovery: *mut ferrion_link_recovery_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_link_recovery_new` and is not used again, as the header demands.
        unsafe { free(recovery) };
        Ok(())
    } }
}

/// For how many milliseconds the links of a peer that was lost are kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_keep_for(
    recovery: *const ferrion_link_recovery_t,
    out_milliseconds: *mut u64,
) -> ferrion_status {
    ffi_fn! { object recovery, out out_milliseconds => {
        out_milliseconds.set(whole(recovery.keep_for));
        Ok(())
    } }
}

/// Sets for how many milliseconds the links of a peer that was lost are kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_set_keep_for(
    recovery: *mut ferrion_link_recovery_t,
    milliseconds: u64,
) -> ferrion_status {
    ffi_fn! { object recovery => {
        recovery.keep_for = Duration::from_millis(milliseconds);
        Ok(())
    } }
}

/// How many links are kept at most, of all lost peers together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_max_links(
    recovery: *const ferrion_link_recovery_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object recovery, out out_n => {
        out_n.set(recovery.max_links);
        Ok(())
    } }
}

/// Sets how many links are kept at most; beyond it those lost longest ago are given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_set_max_links(
    recovery: *mut ferrion_link_recovery_t,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object recovery => {
        recovery.max_links = n;
        Ok(())
    } }
}

/// How many octets are kept with them at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_max_octets(
    recovery: *const ferrion_link_recovery_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object recovery, out out_n => {
        out_n.set(recovery.max_octets);
        Ok(())
    } }
}

/// Sets how many octets are kept with them at most: payloads, what was said of messages where it has more than 64 octets,
/// names and termini of links, and 128 for each unsettled message and each link; beyond it those lost longest ago are given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_recovery_set_max_octets(
    recovery: *mut ferrion_link_recovery_t,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object recovery => {
        recovery.max_octets = n;
        Ok(())
    } }
}

/// Makes `recovery` the same as what the messenger was given. FERRION_ABSENT: nothing; links are not recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_link_recovery(
    messenger: *const ferrion_messenger_t,
    recovery: *mut ferrion_link_recovery_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object recovery => {
        *recovery = messenger.messenger.link_recovery().ok_or_else(Failure::absent)?.clone();
        Ok(())
    } }
}

/// Sets that links which are made from then on are recovered after their connection was lost, so that messages arrive exactly
/// once between two sides that both want it; the one that connects also makes lost connections again, as it does unless
/// told otherwise, and sends with an outgoing window that has room for what is under way. With a peer that cannot, or has
/// forgotten, messages arrive at least once, and the connection events say so. The argument is copied; with NULL, as it is
/// unless set, links are not recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_link_recovery(
    messenger: *mut ferrion_messenger_t,
    recovery: *const ferrion_link_recovery_t,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_object recovery => {
        messenger.messenger.set_link_recovery(recovery.map(|recovery| recovery.clone()));
        Ok(())
    } }
}

/// Sets whether messages are sent settled or not, on links that are made from then on: a `ferrion_snd_settle_mode`, or -1 as
/// it is unless set. That, and mixed, is as the outgoing window has it. On links that receive it is what the sender is asked
/// to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_snd_settle_mode(
    messenger: *mut ferrion_messenger_t,
    mode: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        use ferrion_snd_settle_mode as Mode;
        let choices = [
            (Mode::FERRION_SND_UNSETTLED as i32, Some(SenderSettleMode::Unsettled)),
            (Mode::FERRION_SND_SETTLED as i32, Some(SenderSettleMode::Settled)),
            (Mode::FERRION_SND_MIXED as i32, Some(SenderSettleMode::Mixed)),
            (UNSET, None),
        ];
        messenger.messenger.set_snd_settle_mode(choice(&choices, mode, "ferrion_snd_settle_mode")?);
        Ok(())
    } }
}

/// Sets whether receivers settle first or second, on links that are made from then on: a `ferrion_rcv_settle_mode`, or -1 as
/// it is unless set. One that settles second remembers a message and its outcome until the sender has settled it. On links
/// that send it is what the receiver is asked to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_rcv_settle_mode(
    messenger: *mut ferrion_messenger_t,
    mode: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        use ferrion_rcv_settle_mode as Mode;
        let choices = [
            (Mode::FERRION_RCV_FIRST as i32, Some(ReceiverSettleMode::First)),
            (Mode::FERRION_RCV_SECOND as i32, Some(ReceiverSettleMode::Second)),
            (UNSET, None),
        ];
        messenger.messenger.set_rcv_settle_mode(choice(&choices, mode, "ferrion_rcv_settle_mode")?);
        Ok(())
    } }
}

/// The number that takes a choice back.
const UNSET: i32 = -1;

/// The choice that a number from C names.
fn choice<T: Copy>(choices: &[(i32, T)], number: i32, name: &str) -> Result<T, Failure> {
    let found = choices.iter().find(|(c, _)| *c == number);
    found
        .map(|(_, rust)| *rust)
        .ok_or_else(|| Failure::invalid(format!("{number} is not a {name}")))
}
