//! The example programs of Proton (in C, C++ and Python) and of rhea, as they come, with the Messenger.
//!
//! `scripts/install-examples.sh` gets them. What is left out, and why:
//!
//! | example | why |
//! |---|---|
//! | Proton's `helloworld.py`, `helloworld_blocking.py`, `queue_browser.py`, `abstract_server.py`, `server_tx.py`; rhea's `helloworld.js`, `server.js` | connect to port 5672, and cannot be told another |
//! | Proton's `helloworld_direct.py`, `server_direct.py`; rhea's `direct_helloworld.js` | listen on port 8888, likewise; the first and the last talk to nobody but themselves |
//! | Proton's `tx_send.py`, `tx_recv.py` | transactions, which a Messenger does not coordinate: it refuses the link with `amqp:not-implemented` |
//! | Proton's `db_*.py`, `*_tornado.py`, `recurring_timer.py`, `raw_*.c`, `encode_decode.cpp` | a database, a web server, a timer, plain sockets, a codec: nothing new for a peer |
//! | Proton's `broker.c` with a node made up on request | it looks for a queue without a name, and crashes |
//! | a message to a broker that is released or rejected | all of Proton's brokers have forgotten a message once it is sent: `broker.c` sends it settled |
//! | rhea's `drain.js` | it waits for the end of a queue; a Messenger keeps none |
//! | rhea's `durable_subscription/`, `tls/`, `sasl/`, `websockets/` | a broker with topics; options that `interop_rhea` and `interop_sasl` have with passwords of their own; a package of its own |
//! | topics | none of the brokers has any |
//! | rhea's brokers | there is none; `reconnect/echo.js` is what comes next |

mod brokers;
mod proton_clients;
mod proton_servers;
mod rhea;
mod support;
