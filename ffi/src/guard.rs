//! The one door between C and Rust. Every export is a single `ffi_fn!`, which checks the arguments, keeps panics from
//! crossing the border (one that does aborts the process), and remembers the text of a failure.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU8, Ordering};
use std::ffi::{CStr, c_char};
use std::panic::catch_unwind;

use crate::status::{Failure, ferrion_status};
use gate::{Gate, POISONED};

mod gate;

/// The body of an export.
///
/// ```text
/// ffi_fn! { object messenger, text address, optional out_tracker => { ...; Ok(()) } }
/// ```
///
/// The list says what the C parameters are and rebinds each name to the checked thing:
///
/// - `object x`: an opaque root; becomes exclusive access to what is inside, or the call answers BUSY or POISONED
///   `maybe_object x`: NULL is allowed; becomes `Option` of it
/// - `shared x`: a struct that any number of threads may use at once; becomes `&T`
/// - `text x`: NUL-terminated UTF-8; becomes `&str`. `maybe_text x`: NULL is allowed; becomes `Option<&str>`
/// - `bytes data len`: becomes `data: &[u8]`; NULL is allowed with length 0
///   `maybe_bytes data len`: becomes `Option<&[u8]>`; NULL is none, whatever the length
/// - `out x`: becomes `Out<T>`, whose `set` writes. `optional x`: the same, and NULL is allowed
///
/// The block gives `Result<(), Failure>` and the export `ferrion_status`. An export that returns something else says what
/// it returns when it fails: `ffi_fn! { text name => core::ptr::null_mut(); { ... Ok(pointer) } }`.
macro_rules! ffi_fn {
    ($($kind:ident $name:ident $($more:ident)?),* => { $($body:tt)* }) => {
        $crate::guard::run(
            #[inline(always)]
            || {
                $(ffi_fn!(@argument $kind $name $($more)?);)*
                let done = $crate::guard::inside(#[inline(always)] || { $($body)* });
                $(ffi_fn!(@leave $kind $name);)*
                done
            },
            |()| $crate::status::ferrion_status::FERRION_OK,
            |status| status,
        )
    };
    ($($kind:ident $name:ident $($more:ident)?),* => $failed:expr; { $($body:tt)* }) => {
        $crate::guard::run(
            #[inline(always)]
            || {
                $(ffi_fn!(@argument $kind $name $($more)?);)*
                let done = $crate::guard::inside(#[inline(always)] || { $($body)* });
                $(ffi_fn!(@leave $kind $name);)*
                done
            },
            |returned| returned,
            |_| $failed,
        )
    };
    (@argument object $name:ident) => {
        // SAFETY: a root pointer that is not NULL came from the matching `_new` and was not freed; that much the header
        // demands of every caller.
        #[allow(unused_mut, reason = "some exports only look")]
        let mut $name = unsafe { $crate::guard::enter($name, stringify!($name)) }?;
    };
    (@argument maybe_object $name:ident) => {
        let $name = match $name.is_null() {
            true => None,
            // SAFETY: as for `object`.
            false => Some(unsafe { $crate::guard::enter($name, stringify!($name)) }?),
        };
    };
    (@argument shared $name:ident) => {
        // SAFETY: as for `object`. What is shared has no state that a call could meet half changed.
        let $name = unsafe { $crate::guard::shared($name, stringify!($name)) }?;
    };
    (@argument text $name:ident) => {
        // SAFETY: the header demands text that ends with a NUL and stays during the call.
        let $name = unsafe { $crate::guard::text($name, stringify!($name)) }?;
    };
    (@argument maybe_text $name:ident) => {
        // SAFETY: as for `text`.
        let $name = unsafe { $crate::guard::maybe_text($name, stringify!($name)) }?;
    };
    (@argument bytes $name:ident $len:ident) => {
        // SAFETY: the header demands that `len` octets can be read there during the call.
        let $name = unsafe { $crate::guard::bytes($name, $len, stringify!($name)) }?;
    };
    (@argument maybe_bytes $name:ident $len:ident) => {
        let $name = match $name.is_null() {
            true => None,
            // SAFETY: as for `bytes`.
            false => Some(unsafe { $crate::guard::bytes($name, $len, stringify!($name)) }?),
        };
    };
    (@argument out $name:ident) => {
        let $name = $crate::guard::Out::required($name, stringify!($name))?;
    };
    (@argument optional $name:ident) => {
        let $name = $crate::guard::Out::optional($name);
    };
    (@leave object $name:ident) => {
        $name.leave();
    };
    (@leave $kind:ident $name:ident) => {};
}

/// Runs an export's body behind the panic barrier.
#[inline(always)]
pub(crate) fn run<T, R>(
    body: impl FnOnce() -> Result<T, Failure>,
    succeeded: impl FnOnce(T) -> R,
    failed: impl FnOnce(ferrion_status) -> R,
) -> R {
    // Unwind safety: a root whose call panicked is poisoned by the drop of its `Entered`, so nobody sees it half changed.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => succeeded(value),
        Ok(Err(failure)) => failed(failure.status()),
        Err(panic) => failed(panicked(&*panic).status()),
    }
}

/// Runs what stands between entering the objects and leaving them, wherever in it the block returns.
#[inline(always)]
pub(crate) fn inside<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    body()
}

#[cold]
fn panicked(panic: &(dyn core::any::Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    Failure::new(
        ferrion_status::FERRION_PANIC,
        format!("a fault inside ferrion, please report it: {text}"),
    )
}

/// What stands behind an opaque pointer: the object, and whether it may be entered.
///
/// Two calls at once, from two threads or with one object in two parameters, are a mistake of the caller's; the second
/// is answered with BUSY instead of undefined behaviour.
#[derive(Debug)]
pub(crate) struct Root<T> {
    gate: Gate,
    inner: UnsafeCell<T>,
}

// SAFETY: `inner` is reached only through `Entered`, of which `gate` admits one at a time.
unsafe impl<T: Send> Sync for Root<T> {}

impl<T> Root<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            gate: Gate::new(),
            inner: UnsafeCell::new(inner),
        }
    }

    #[inline(always)]
    fn enter(&self, name: &str) -> Result<Entered<'_, T>, Failure> {
        match self.gate.enter() {
            Ok(()) => Ok(Entered { root: self }),
            Err(state) => Err(refused(state, name)),
        }
    }
}

#[cold]
#[inline(never)]
fn refused(state: u8, name: &str) -> Failure {
    if state == POISONED {
        Failure::new(
            ferrion_status::FERRION_POISONED,
            format!("{name} suffered a fault inside ferrion earlier: free it and make a new one"),
        )
    } else {
        Failure::new(
            ferrion_status::FERRION_BUSY,
            format!("{name} is in use by another call: use an object from one thread at a time"),
        )
    }
}

/// An opaque type of the header: what holds a [`Root`].
pub(crate) trait Object {
    type Inner;
    fn root(&self) -> &Root<Self::Inner>;
}

/// Declares that the struct `$name { root: Root<$Inner> }` is an opaque type of the header.
macro_rules! object {
    ($name:ident, $Inner:ty) => {
        impl $crate::guard::Object for $name {
            type Inner = $Inner;
            #[inline(always)]
            fn root(&self) -> &$crate::guard::Root<$Inner> {
                &self.root
            }
        }
    };
}

/// Exclusive access to an object for the time of one call.
#[derive(Debug)]
pub(crate) struct Entered<'a, T> {
    root: &'a Root<T>,
}

impl<T> Deref for Entered<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the gate was entered for this `Entered`, and lets nobody else in before it is left.
        unsafe { &*self.root.inner.get() }
    }
}

impl<T> DerefMut for Entered<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { &mut *self.root.inner.get() }
    }
}

impl<T> Entered<'_, T> {
    /// Leaves after a block that ran to its end: then nobody needs to ask whether it panicked.
    #[inline(always)]
    pub(crate) fn leave(self) {
        self.root.gate.leave();
        core::mem::forget(self);
    }
}

/// Leaves after a panic, or because another argument was wrong.
impl<T> Drop for Entered<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        leave_early(&self.root.gate);
    }
}

#[cold]
#[inline(never)]
fn leave_early(gate: &Gate) {
    if std::thread::panicking() {
        gate.poison();
    } else {
        gate.leave();
    }
}

/// Enters the object behind a pointer.
///
/// # Safety
/// `pointer` is NULL or points to a live object.
#[inline(always)]
pub(crate) unsafe fn enter<'a, O: Object + 'a>(
    pointer: *const O,
    name: &str,
) -> Result<Entered<'a, O::Inner>, Failure> {
    // SAFETY: the caller's promise; an object is shared only by reference, never moved, until it is freed.
    match unsafe { pointer.as_ref() } {
        Some(object) => {
            let entered = object.root().enter(name)?;
            #[cfg(feature = "testing")]
            crate::testing::faults::fault(pointer.addr());
            Ok(entered)
        }
        None => Err(Failure::null(name)),
    }
}

/// Looks at the struct behind a pointer.
///
/// # Safety
/// `pointer` is NULL or points to a live struct.
#[inline(always)]
pub(crate) unsafe fn shared<'a, T: Sync>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise; nobody has it as `&mut`.
    unsafe { pointer.as_ref() }.ok_or_else(|| Failure::null(name))
}

/// Frees what `Box::into_raw` made. NULL is allowed.
///
/// # Safety
/// `pointer` is NULL or came from `Box::into_raw`, and is not used again.
pub(crate) unsafe fn free<O>(pointer: *mut O) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

/// # Safety
/// `pointer` is NULL, or a NUL follows within the memory it points to, which stays as it is for `'a`.
#[inline]
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    match unsafe { maybe_text(pointer, name) }? {
        Some(text) => Ok(text),
        None => Err(Failure::null(name)),
    }
}

/// # Safety
/// As for [`text`].
#[inline]
pub(crate) unsafe fn maybe_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    match text.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Failure::invalid(format!("{name} is not UTF-8"))),
    }
}

/// # Safety
/// `pointer` is NULL, or `len` octets can be read there and stay as they are for `'a`.
#[inline]
pub(crate) unsafe fn bytes<'a>(
    pointer: *const u8,
    len: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::null(name));
    }
    if len > isize::MAX as usize {
        return Err(too_long(len, name));
    }
    // SAFETY: not NULL, no larger than an object can be; the rest is the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

#[cold]
#[inline(never)]
fn too_long(len: usize, name: &str) -> Failure {
    Failure::invalid(format!(
        "{name} cannot be {len} octets long: no object is larger than half of the memory"
    ))
}

/// A place where a result goes. Nothing is written until the call is sure to succeed.
#[derive(Debug)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    #[inline(always)]
    pub(crate) fn required(pointer: *mut T, name: &str) -> Result<Self, Failure> {
        if pointer.is_null() {
            Err(Failure::null(name))
        } else {
            Ok(Self(pointer))
        }
    }

    #[inline(always)]
    pub(crate) const fn optional(pointer: *mut T) -> Self {
        Self(pointer)
    }

    /// Writes the result; the last thing a body does.
    #[inline(always)]
    pub(crate) fn set(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL; the header demands that an `out_` parameter can be written. What was there before is
            // not dropped: it may never have been initialised.
            unsafe { self.0.write(value) }
        }
    }

    /// Writes one of several results that the place has room for.
    #[inline(always)]
    pub(crate) fn set_at(&self, at: usize, value: T) {
        if !self.0.is_null() {
            // SAFETY: as for `set`; the header demands room for as many as the caller said, and callers here keep below.
            unsafe { self.0.add(at).write(value) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrion_status as Status;

    #[allow(non_camel_case_types, reason = "named like the types of the header")]
    struct test_t {
        root: Root<u32>,
    }
    object!(test_t, u32);

    extern "C" fn add(test: *mut test_t, n: u32, out_sum: *mut u32) -> ferrion_status {
        ffi_fn! { object test, out out_sum => {
            *test = test.checked_add(n).expect("a sum that fits");
            out_sum.set(*test);
            Ok(())
        } }
    }

    extern "C" fn twice(test: *mut test_t, other: *const test_t) -> ferrion_status {
        ffi_fn! { object test, object other => {
            *test += *other;
            Ok(())
        } }
    }

    fn last_error() -> String {
        // SAFETY: the text stays until this thread fails again.
        unsafe { CStr::from_ptr(crate::status::ferrion_last_error()) }
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_poisons_only_its_object() {
        let mut test = test_t { root: Root::new(1) };
        let mut other = test_t { root: Root::new(1) };
        let mut sum = 0;
        assert_eq!(add(&raw mut test, 1, &raw mut sum), Status::FERRION_OK);
        assert_eq!(sum, 2);
        assert_eq!(
            add(&raw mut test, u32::MAX, &raw mut sum),
            Status::FERRION_PANIC
        );
        assert!(last_error().contains("a sum that fits"), "{}", last_error());
        assert_eq!(sum, 2, "a call that fails writes nothing");
        assert_eq!(
            add(&raw mut test, 1, &raw mut sum),
            Status::FERRION_POISONED
        );
        assert_eq!(add(&raw mut other, 1, &raw mut sum), Status::FERRION_OK);
    }

    #[test]
    fn null_is_an_answer() {
        let mut sum = 0;
        assert_eq!(
            add(core::ptr::null_mut(), 1, &raw mut sum),
            Status::FERRION_NULL_POINTER
        );
        assert!(last_error().starts_with("test is NULL"), "{}", last_error());
        let mut test = test_t { root: Root::new(1) };
        assert_eq!(
            add(&raw mut test, 1, core::ptr::null_mut()),
            Status::FERRION_NULL_POINTER
        );
        assert_eq!(add(&raw mut test, 1, &raw mut sum), Status::FERRION_OK);
        assert_eq!(sum, 2, "the failed call changed nothing");
    }

    #[test]
    fn an_object_in_two_places_at_once_is_busy() {
        let mut test = test_t { root: Root::new(1) };
        let pointer = &raw mut test;
        assert_eq!(twice(pointer, pointer), Status::FERRION_BUSY);
        let mut sum = 0;
        assert_eq!(
            add(pointer, 1, &raw mut sum),
            Status::FERRION_OK,
            "and free again afterwards"
        );
    }

    #[test]
    fn a_second_thread_gets_busy_while_a_call_runs() {
        let test = test_t { root: Root::new(1) };
        let entered = test.root.enter("test").expect("idle");
        std::thread::scope(|scope| {
            let refused = scope
                .spawn(|| test.root.enter("test").err().map(Failure::status))
                .join();
            assert_eq!(refused.ok().flatten(), Some(Status::FERRION_BUSY));
        });
        drop(entered);
        assert!(test.root.enter("test").is_ok());
    }

    #[test]
    fn bytes_of_impossible_length_are_refused() {
        let octet = 7_u8;
        // SAFETY: the length is refused before the pointer is followed.
        let refused = unsafe { bytes(&raw const octet, usize::MAX, "data") };
        assert!(refused.is_err());
        // SAFETY: NULL with no octets.
        let empty = unsafe { bytes(core::ptr::null(), 0, "data") };
        assert_eq!(empty.ok(), Some(&[][..]));
    }
}
