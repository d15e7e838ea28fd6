//! What threads share in ferrion is two atomics. Their sources are included by this package's tests, and the model checker [loom]
//! runs them in every order that threads and memory allow: `make interleavings`, or
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p ferrion-interleavings --target-dir target/loom
//! ```
//!
//! [loom]: https://docs.rs/loom

#![forbid(unsafe_code)]
