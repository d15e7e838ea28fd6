//! The message: what its sections look like, what is refused, and that any message survives the wire.

mod bare;
mod hostile;
mod roundtrip;
mod sample;
mod sections;
