//! The Messenger.
#![forbid(unsafe_code)]
