//! RabbitMQ 4, which speaks AMQP 1.0 natively.

mod cluster;
mod large;
mod support;
