//! Two atomics on which threads of a program meet in ferrion: the interrupt of a Messenger, and the gate of an object of the C
//! header. Their sources are included by this package's tests, and the model checker [loom] runs them in every order that threads
//! and memory allow.
//!
//! [loom]: https://docs.rs/loom

#![forbid(unsafe_code)]
