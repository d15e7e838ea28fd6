//! The public faces of an engine's objects: borrowed views over its flat storage.

mod connection;
mod link;
mod receiver;
mod sender;
mod session;

pub use connection::Connection;
pub use link::Link;
pub use receiver::Receiver;
pub use sender::Sender;
pub use session::Session;
