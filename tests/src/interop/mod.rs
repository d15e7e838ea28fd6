//! What the tests against real AMQP 1.0 libraries are made of.
//!
//! - [`Program`]: a peer program of `tests/interop/`, made of python-qpid-proton or of rhea, running on a free port;
//! - [`Conversation`]: one engine over a TCP connection, told what to do step by step;
//! - [`RabbitMqPlan`], [`ActiveMqPlan`]: brokers, as data; they run until the test ends;
//! - [`Authority`]: certificates for brokers and their clients;
//! - [`free_port`]: for programs that can not choose one;
//! - [`Traffic`]: messages that flow through a broker while bad things happen to it;
//! - [`messaging`]: what the tests of messengers with any broker share;
//! - [`whereabouts`]: where messages are that did not arrive;
//! - [`table`]: the values and messages that every peer has to carry;
//! - [`mod@reference`]: the octets of each, by a codec that is not ferrion's;
//! - [`exceptions`]: what a peer is known to do to some of them instead;
//! - [`proxy`]: a proxy that fails on request;
//! - [`large`]: messages too large to be held;
//! - [`pattern`] and [`digest`]: bodies too long to be printed;
//! - [`Scratch`]: a folder that goes away with the test.
//!
//! A peer that is not installed fails the test that wants it: a test that passes because it did nothing is worth less
//! than no test.

mod activemq;
mod broker;
mod certificates;
mod command;
mod conversation;
pub mod exceptions;
pub mod exchange;
pub mod large;
mod management;
pub mod messaging;
pub mod notation;
mod octets;
mod program;
pub mod proxy;
mod rabbitmq;
pub mod reference;
mod scratch;
pub mod script;
pub mod table;
mod traffic;
mod whereabouts;

pub use activemq::{ActiveMq, ActiveMqPlan};
pub use broker::{Signal, free_port};
pub use certificates::{Authority, Identity, STORE_PASSWORD};
pub use command::{Command, Outcome, as_typed};
pub use conversation::{Conversation, LinkEnd, password};
pub use management::{Management, Queue, Reply};
pub use octets::{SIZES, crc32, digest, pattern};
pub use program::{Api, Library, PATIENCE, Program, Role, Sasl};
pub use rabbitmq::{RabbitMq, RabbitMqPlan};
pub use scratch::Scratch;
pub use traffic::Traffic;
pub use whereabouts::whereabouts;

use std::path::PathBuf;

/// The folder of the whole project.
pub fn project() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or_else(|| tests.clone(), PathBuf::from)
}
