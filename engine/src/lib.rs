//! The AMQP 1.0 protocol engine: octets in, octets out, events, and time as an argument.
//!
//! There is no socket, clock, thread, callback or global here. An [`Engine`] is one side of one
//! connection as a state machine; whoever owns it moves its octets and tells it the time, with
//! blocking sockets, an event loop, a thread pool or a test.
//!
//! ```text
//! octets -> transport (headers | SASL | frames) -> performative + payload
//!        -> connection -> session -> link -> delivery -> event
//! command -> view -> state + what is due -> scheduler -> frames -> output -> octets
//! ```
//!
//! A client that sends one message, with the transport left out:
//!
//! ```
//! use ferrion_engine::sasl::{SaslClient, SaslConfig};
//! use ferrion_engine::{Config, Engine, Event, LinkConfig, Message, SessionConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = Config::new("my-container");
//! // What brokers ask for, also of those who have no name.
//! config.sasl = SaslConfig::Client(SaslClient::anonymous());
//! let mut engine = Engine::client(config);
//! engine.connection().open()?;
//! let session = engine.connection().begin(SessionConfig::default())?;
//! let link = engine
//!     .session(session)?
//!     .attach_sender(LinkConfig::sender("my-link", "some-queue"))?;
//! let message = Message::with_body("Hello");
//! // Move octets with `transmit` and `recv`, and for every event:
//! while let Some(event) = engine.poll_event() {
//!     match event {
//!         Event::Flow(id) if id == link => {
//!             engine.sender(link)?.send(b"tag-1", message.to_bytes())?;
//!         }
//!         Event::Updates(id) if id == link => {
//!             while let Some(update) = engine.sender(link)?.next_update() {
//!                 println!("{:?}: {:?}", update.tag, update.state);
//!             }
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! - `std` (default): vectored output for `std::io`. Without it nothing but `alloc` is needed.
//! - `scram`: the SASL mechanisms SCRAM-SHA-1, SCRAM-SHA-256 and SCRAM-SHA-512, also without `std`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod arena;
mod charges;
pub mod codec;
mod config;
mod connection;
mod control;
mod delivery;
mod dispatch;
mod endpoints;
mod engine;
mod error;
mod event;
mod ids;
mod limits;
mod link;
pub mod message;
pub mod protocol;
mod queues;
mod recovery;
pub mod sasl;
mod scheduler;
mod seq;
mod session;
#[doc(hidden)]
pub mod testing;
mod time;
mod trace;
mod transport;
mod views;

pub use config::{Config, LinkConfig, SendOptions, SessionConfig};
pub use delivery::{Delivery, Payload, SendPayload, Update};
pub use endpoints::EndError;
pub use engine::{Census, Engine, Transmit};
pub use error::{Failure, HeaderFailure, Origin, SaslFailure, SendError, UsageError};
pub use event::Event;
pub use ids::{DeliveryId, LinkId, SessionId};
pub use limits::Limits;
pub use link::{Closing, PartialDelivery};
pub use message::Message;
pub use recovery::{LinkState, Recovery, Unsettled, UnsettledDelivery};
pub use time::{Deadline, Reason, Time};
pub use views::{Connection, Link, Receiver, Sender, Session};
