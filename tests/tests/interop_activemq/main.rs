//! ActiveMQ Classic, whose transports for AMQP 1.0 are proton-j.

mod restart;
