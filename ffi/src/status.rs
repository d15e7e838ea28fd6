//! What a call answers: one number for the program, one text for the person.

use core::ffi::{CStr, c_char};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::CString;

use ferrion_engine::codec::{DecodeError, EncodeError, NotAscii};

/// What a call answers. 0 is success, everything else is negative.
///
/// The numbers are part of the ABI: they keep their meaning for ever and none is used twice. Compare with the names,
/// and treat a number that has no name here as a failure.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_status {
    /// Done.
    FERRION_OK = 0,

    /// Not an error: in non-blocking mode, what was asked for has begun and is not finished.
    FERRION_WOULD_BLOCK = -1,
    /// Not an error: there is nothing more to take.
    FERRION_END = -2,
    /// The timeout passed first.
    FERRION_TIMEOUT = -3,
    /// The call was interrupted from another thread or a signal handler; it can be made again.
    FERRION_INTERRUPTED = -4,
    /// More is waiting than may wait; send or receive some of it first.
    FERRION_OVERFLOW = -5,
    /// Not an error: what was asked for is optional, and not there.
    FERRION_ABSENT = -6,
    /// Not an error: the receiver has granted no credit. Try again after the link's next FERRION_EVENT_FLOW.
    FERRION_NO_CREDIT = -7,

    /// A pointer that must not be NULL is NULL.
    FERRION_NULL_POINTER = -20,
    /// An argument is outside what the call accepts.
    FERRION_INVALID_ARGUMENT = -21,
    /// The value is there and has another type.
    FERRION_WRONG_TYPE = -22,
    /// The call does not fit the state that the object is in.
    FERRION_STATE = -23,
    /// The handle's object has gone.
    FERRION_STALE_HANDLE = -24,
    /// The handle belongs to an object of another kind.
    FERRION_WRONG_KIND = -25,
    /// The object is in use by another call: it was handed to a second thread, or twice to one call.
    FERRION_BUSY = -26,
    /// There is no room for another object of this kind; the peer or the configuration set the limit.
    FERRION_LIMIT = -27,
    /// A link of this name and role exists already.
    FERRION_DUPLICATE = -28,

    /// Octets that are not what AMQP 1.0 says they must be.
    FERRION_DECODE = -40,
    /// A value that AMQP 1.0 cannot express.
    FERRION_ENCODE = -41,
    /// An address, or the pattern of a route, that cannot be understood.
    FERRION_ADDRESS = -42,
    /// No connection could be made.
    FERRION_CONNECT = -43,
    /// A listening address cannot be listened on.
    FERRION_LISTEN = -44,
    /// A connection was lost, or the peer broke the protocol.
    FERRION_LOST = -45,
    /// The peer refused the user or the password, or offers no way to log in that may be used.
    FERRION_LOGIN = -46,
    /// The peer refused or ended something, for the reason that `ferrion_last_condition` names.
    FERRION_REMOTE = -47,
    /// The tracker names no message in the window.
    FERRION_UNKNOWN_TRACKER = -48,
    /// A message cannot be sent because of what it is.
    FERRION_SEND = -49,
    /// `stop` had to give messages up that were not acknowledged in time; their trackers say ABORTED.
    FERRION_UNSENT = -50,
    /// Something that this build cannot do.
    FERRION_UNSUPPORTED = -51,
    /// The operating system refused something that needs no peer.
    FERRION_SYSTEM = -52,
    /// A connection could not be secured with TLS, or a listener cannot offer it.
    FERRION_TLS = -53,
    /// A file with certificates or a key cannot be used.
    FERRION_CERTIFICATE = -54,
    /// The peer does not speak AMQP over WebSocket, or not at the path that was asked for.
    FERRION_WEBSOCKET = -55,
    /// A subscription cannot be made as it is asked for.
    FERRION_SUBSCRIBE = -56,

    /// A fault in the library, caught before it could do harm. The object it happened in can only be freed now.
    /// Please report it.
    FERRION_PANIC = -60,
    /// The object suffered such a fault earlier and can only be freed.
    FERRION_POISONED = -61,
    /// A failure of a kind that has no number yet; the text says what.
    FERRION_OTHER = -62,
}

use ferrion_status as Status;

/// The name of a status, "FERRION_TIMEOUT" for example. An unknown number is "FERRION_UNKNOWN_STATUS".
///
/// Borrowed until: the program ends.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_status_name(status: i32) -> *const c_char {
    ffi_fn! { => c"".as_ptr(); { Ok(name(status).as_ptr()) } }
}

/// What the last call of this thread that failed says to a person; empty if none has failed yet. A call that succeeds
/// leaves the text alone, so ask only after a failure.
///
/// Borrowed until: the next call of this thread that fails, and until the thread ends.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_last_error() -> *const c_char {
    ffi_fn! { => c"".as_ptr(); { Ok(last(|last| last.text.as_c())) } }
}

/// The error condition that came with the failure of which `ferrion_last_error` speaks, "amqp:not-found" for example;
/// empty if it came without one.
///
/// Borrowed until: the next call of this thread that fails, and until the thread ends.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_last_condition() -> *const c_char {
    ffi_fn! { => c"".as_ptr(); { Ok(last(|last| last.condition.as_c())) } }
}

/// That a call fails, and the status it answers. The text is where `ferrion_last_error` finds it from the moment this is
/// made, so it is made by what fails, and not dropped. What every call hands on, and most calls do not need, is a number.
#[derive(Debug)]
#[must_use = "the text of the failure is left already: answer with it"]
pub(crate) struct Failure(ferrion_status);

impl Failure {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(status: ferrion_status, text: impl Into<Cow<'static, str>>) -> Self {
        Self::leave(status, text.into(), None)
    }

    /// As [`new`](Self::new), with the error condition by which the peer named its reason, if it did.
    #[cold]
    pub(crate) fn with_condition(
        status: ferrion_status,
        text: String,
        condition: Option<String>,
    ) -> Self {
        Self::leave(status, text.into(), condition)
    }

    /// An argument outside what the call accepts.
    #[cold]
    #[inline(never)]
    pub(crate) fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::leave(Status::FERRION_INVALID_ARGUMENT, text.into(), None)
    }

    /// A pointer that must not be NULL.
    #[cold]
    #[inline(never)]
    pub(crate) fn null(parameter: &str) -> Self {
        Self::new(
            Status::FERRION_NULL_POINTER,
            format!("{parameter} is NULL: pass what it points to"),
        )
    }

    /// Nothing more to take.
    #[cold]
    #[inline(never)]
    pub(crate) fn end(text: &'static str) -> Self {
        Self::plain(Status::FERRION_END, text)
    }

    /// Something optional that is not there.
    #[cold]
    #[inline(never)]
    pub(crate) fn absent() -> Self {
        Self::plain(Status::FERRION_ABSENT, "what was asked for is not there")
    }

    /// The number to answer with.
    pub(crate) const fn status(self) -> ferrion_status {
        self.0
    }

    /// What is no mistake happens at the end of each loop, and is nearly never asked for in words.
    fn plain(status: ferrion_status, text: &'static str) -> Self {
        PLAIN.set(Some(text));
        Self(status)
    }

    fn leave(status: ferrion_status, text: Cow<'static, str>, condition: Option<String>) -> Self {
        PLAIN.set(None);
        // While its thread ends there may be no place for the text any more; the number says enough then.
        let _ = LAST.try_with(|last| {
            if let Ok(mut last) = last.try_borrow_mut() {
                last.text = text.into();
                last.condition = Cow::from(condition.unwrap_or_default()).into();
            }
        });
        Self(status)
    }
}

#[derive(Default)]
struct Last {
    text: Lent,
    condition: Lent,
}

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
    /// The text of the last failure if it is one of the program's, which becomes that of `LAST` when it is asked for.
    static PLAIN: Cell<Option<&'static str>> = const { Cell::new(None) };
}

fn last(which: impl FnOnce(&Last) -> &CStr) -> *const c_char {
    // While its thread ends the text may be gone already.
    let find = |last: &RefCell<Last>| {
        if let (Some(text), Ok(mut last)) = (PLAIN.take(), last.try_borrow_mut()) {
            last.text = Cow::from(text).into();
            last.condition = Lent::default();
        }
        last.try_borrow().map(|last| which(&last).as_ptr())
    };
    LAST.try_with(find)
        .ok()
        .and_then(Result::ok)
        .unwrap_or(c"".as_ptr())
}

/// Text that becomes C's when C asks for it: most failures are told by their number alone.
#[derive(Default)]
struct Lent {
    text: Cow<'static, str>,
    c: OnceCell<CString>,
}

impl Lent {
    fn as_c(&self) -> &CStr {
        // What follows a NUL would be lost to C.
        self.c
            .get_or_init(|| CString::new(self.text.replace('\0', "\u{fffd}")).unwrap_or_default())
    }
}

impl From<Cow<'static, str>> for Lent {
    fn from(text: Cow<'static, str>) -> Self {
        Self {
            text,
            c: OnceCell::new(),
        }
    }
}

fn name(status: i32) -> &'static CStr {
    macro_rules! names {
        ($($name:ident)*) => {
            $(if status == Status::$name as i32 {
                return const {
                    match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => c"",
                    }
                };
            })*
        };
    }
    names! {
        FERRION_OK FERRION_WOULD_BLOCK FERRION_END FERRION_TIMEOUT FERRION_INTERRUPTED FERRION_OVERFLOW
        FERRION_ABSENT FERRION_NULL_POINTER FERRION_INVALID_ARGUMENT FERRION_WRONG_TYPE FERRION_STATE FERRION_STALE_HANDLE
        FERRION_WRONG_KIND FERRION_BUSY FERRION_DECODE FERRION_ENCODE FERRION_ADDRESS FERRION_CONNECT FERRION_LISTEN
        FERRION_LOST FERRION_LOGIN FERRION_REMOTE FERRION_UNKNOWN_TRACKER FERRION_SEND FERRION_UNSENT FERRION_UNSUPPORTED FERRION_SYSTEM FERRION_TLS FERRION_CERTIFICATE FERRION_WEBSOCKET FERRION_SUBSCRIBE FERRION_PANIC FERRION_POISONED FERRION_OTHER
        FERRION_NO_CREDIT FERRION_LIMIT FERRION_DUPLICATE
    }
    c"FERRION_UNKNOWN_STATUS"
}

impl From<DecodeError> for Failure {
    #[cold]
    fn from(error: DecodeError) -> Self {
        Self::new(Status::FERRION_DECODE, error.to_string())
    }
}

impl From<EncodeError> for Failure {
    #[cold]
    fn from(error: EncodeError) -> Self {
        Self::new(Status::FERRION_ENCODE, error.to_string())
    }
}

impl From<NotAscii> for Failure {
    #[cold]
    fn from(error: NotAscii) -> Self {
        Self::invalid(error.to_string())
    }
}
