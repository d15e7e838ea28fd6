//! The Messenger with ActiveMQ Classic 5.17: its queues and topics, with TLS, and through WebSocket with and without it.

mod doors;
mod queues;
mod restart;
mod selectors;
mod support;
mod topics;
