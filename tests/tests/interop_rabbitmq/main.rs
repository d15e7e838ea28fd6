//! RabbitMQ 4, which speaks AMQP 1.0 natively: one [`Conversation`](ferrion_tests::interop::Conversation) a test, all with
//! one broker but for those that freeze, kill or configure their own.
//!
//! What RabbitMQ 4.3 does not do, and what shows it here:
//!
//! | | what it says | shown by |
//! |---|---|---|
//! | receivers that settle second | refuses with `amqp:not-implemented`, "rcv-settle-mode second not supported" | `links` |
//! | transactions | refuses the coordinator with `amqp:not-implemented`, "Transactions not supported" | `links` |
//! | dynamic targets | refuses with `amqp:not-implemented`, "Dynamic target not supported" | `links` |
//! | dynamic sources | only with the capability `temporary-queue` and expiry `link-detach`; else `amqp:not-implemented` | `links` |
//! | filters that it does not know | leaves them out of its attach, and lets all messages through | `links` |
//! | credit for a link that it has refused | ends the session with `amqp:session:unattached-handle` | `links` |
//! | draining a sender, giving `modified` to a sender | never does; python-qpid-proton and rhea do, in their tests | |
//! | settling first unless it is asked to | never: `mixed` comes unsettled | `messages` |
//! | messages beyond 512 MiB | can not be configured; announced as max-message-size, so refused by the engine | `messages` |
//! | unknown virtual host | closes the socket after 3 s, without open or close | `connection` |
//! | idle time-outs below 1 s | closes the socket in the same way: hence 2 s there, of which the engine asks for half | `connection` |
//! | a condition of its own on a forced close | `amqp:internal-error` for `close_all_connections` | `connection` |

mod cluster;
mod connection;
mod large;
mod links;
mod messages;
mod messenger;
mod support;
