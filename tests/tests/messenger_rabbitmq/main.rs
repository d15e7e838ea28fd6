//! The Messenger with RabbitMQ 4, which speaks AMQP 1.0 natively, and with three of them.
//!
//! What RabbitMQ 4.3 does not let a Messenger do, and what shows it here:
//!
//! | | what happens | shown by |
//! |---|---|---|
//! | sending to a queue that does not exist | the link is refused with `amqp:not-found`, and the message ABORTED | `login` |
//! | sending where no queue is bound | RELEASED | `outcomes` |
//! | speaking without TLS to the port with TLS | the connection ends without a word | `login` |
//! | kills within minutes after a queue was declared | it starts the queue empty: what it accepted is lost, so the tests have it written down before | `restart`, `cluster` |
//! | dynamic nodes that live longer than the link | none are made; those that the Messenger asks for live as long as it | `requests` |
//! | selectors, and other filters that it does not know | an error of `recv`, or with `filters_optional` a warning | `streams` |
//! | messages larger than `max_message_size` | not sent: ABORTED, and `send` says why | `outcomes` |

mod cluster;
mod login;
mod outcomes;
mod page;
mod requests;
mod restart;
mod streams;
mod support;
