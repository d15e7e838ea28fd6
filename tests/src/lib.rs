//! Instruments for testing the engine from outside.
//!
//! - [`oracle`]: a second, naive codec, so that a fault in the engine's codec can not hide behind itself.
//! - [`build`]: frames put together by field name.
//! - [`monitor`]: watches one endpoint and says when it breaks the specification.
//! - [`endpoint`]: an engine whose traffic is cut into frames, written down and judged.
//! - [`peer`]: one engine against a script.
//! - [`mod@line`]: two engines joined by memory, for long runs.
//! - [`pair`]: two engines against each other, in virtual time.
//! - [`chaos`]: a pair driven by random plans.
//! - [`fuzz`]: the fuzz targets, their corpus, and inputs made from it.
//! - [`ledger`]: which test shows which sentence of the specification.
//! - [`rng`]: seeded plans.
//! - [`values`]: values of every type, generated.
//! - [`sasl`]: the steps of scripts about SASL.
//! - [`interop`]: programs made of other AMQP libraries, to talk to.
#![forbid(unsafe_code)]
#![allow(
    clippy::missing_errors_doc,
    reason = "a test that meets an error of an instrument fails with its text"
)]

pub mod build;
pub mod chaos;
pub mod endpoint;
pub mod fuzz;
pub mod interop;
pub mod ledger;
pub mod line;
pub mod monitor;
pub mod oracle;
pub mod pair;
pub mod peer;
pub mod rng;
pub mod sasl;
pub mod values;

/// The scripts of README.md, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The program of docs/more-than-one-machine.md, compiled in the same way.
#[cfg(doctest)]
#[doc = include_str!("../../docs/more-than-one-machine.md")]
pub struct MoreThanOneMachine;

/// The program of docs/embedding.md, compiled in the same way.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub struct Embedding;
