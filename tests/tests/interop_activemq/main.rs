//! ActiveMQ Classic 5.17, whose transport for AMQP 1.0 is built on proton-j: one
//! [`Conversation`](ferrion_tests::interop::Conversation) a test, all with one broker but for those that freeze, kill or
//! configure their own.
//!
//! What ActiveMQ 5.17 does not do, and what shows it here:
//!
//! | | what it says | shown by |
//! |---|---|---|
//! | queues that do not exist | makes them; a link is refused for want of permission, or for a wrong selector | `links` |
//! | saying that a receiver settles second | says `first` in its attach, but goes by what the receiver said | `links` |
//! | filters that it does not know | leaves them out of its attach | `links` |
//! | the message annotations of `modified` | leaves them out of what comes again | `messages` |
//! | draining a sender, giving `released` or `modified` to a sender | never does; python-qpid-proton and rhea do, in their tests | |
//! | two connections of one container-id | closes the second with `amqp:invalid-field` | `connection` |
//! | closing with a condition | only when it refuses the open; it has no command that closes a connection with one | `connection` |

mod connection;
mod large;
mod links;
mod messages;
mod restart;
mod support;
