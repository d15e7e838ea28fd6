//! Instruments for testing the engine: an in-memory pair and a scripted peer.
#![forbid(unsafe_code)]
