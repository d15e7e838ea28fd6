//! The Messenger: send and receive AMQP 1.0 messages without thinking about connections.
//!
//! A [`Messenger`] is a queue of messages to send and a queue of messages received. Addresses say
//! where messages go; the connections for that are made, shared and looked after behind the scenes.
//! No thread drives them in the background: everything happens inside the calls. Only names of hosts are looked up by threads
//! of their own, which end with that, since the system can be asked for them by calls that wait and by no others.
//!
//! ```
//! use ferrion_messenger::{Credit, Flags, Message, Messenger, Status};
//!
//! // The receiving end listens on a free port ...
//! let mut receiver = Messenger::new()?;
//! let subscription = receiver.subscribe("~127.0.0.1:0")?;
//! let port = receiver.subscription_port(subscription).unwrap();
//! let receiving = std::thread::spawn(move || {
//!     let mut message = Message::new();
//!     receiver.recv(Credit::All)?;
//!     receiver.get(&mut message)?;
//!     receiver.stop()?;
//!     Ok::<_, ferrion_messenger::Error>(message)
//! });
//!
//! // ... and the sending end wants to know what became of its message.
//! let mut sender = Messenger::new()?;
//! sender.set_outgoing_window(100);
//! let mut message = Message::with_body("Hello World!");
//! message.set_address(format!("127.0.0.1:{port}"));
//! let tracker = sender.put(&message)?;
//! sender.send()?;
//! assert_eq!(sender.status(tracker), Status::Accepted);
//! sender.stop()?;
//!
//! let received = receiving.join().unwrap()?;
//! assert_eq!(received.body_text()?, Some("Hello World!"));
//! # Ok::<(), ferrion_messenger::Error>(())
//! ```
//!
//! # How it is built
//!
//! `core` knows and decides everything and touches nothing: no sockets, no clock, no threads. It
//! holds one [`ferrion_engine::Engine`] per connection. `driver` has one readiness poll for all
//! sockets and tells the core what happened. [`Messenger`] puts calls that wait on top of both.
#![forbid(unsafe_code)]

mod batch;
mod core;
mod driver;
mod error;
mod fault;
mod inquiry;
mod messenger;
mod name;
mod passive;
mod reconnect;
mod recovery;
mod request;
mod settings;
mod subscribe;
#[doc(hidden)]
pub mod testing;

pub use crate::core::Subscription;
pub use crate::core::address::{Address, Scheme};
pub use crate::core::credit::Credit;
pub use crate::core::login::TokenCheck;
pub use crate::core::tracker::{Flags, Status, Tracker};
pub use crate::driver::{ClientCertificates, Interrupter};
pub use crate::error::{Error, ErrorKind, Result, Scope};
pub use crate::fault::TlsFault;
pub use crate::messenger::Messenger;
pub use crate::reconnect::{ConnectionEvent, Reconnect};
pub use crate::recovery::LinkRecovery;
pub use crate::request::RequestId;
pub use crate::subscribe::{SubscribeOptions, Unsubscribe};
pub use ferrion_engine::Limits;
pub use ferrion_engine::message::{Body, Message};
pub use ferrion_engine::protocol::{ReceiverSettleMode, SenderSettleMode};
