//! What several of the tests need: a server with a port of its own, over every kind of wire.
#![allow(dead_code, unused_macros, reason = "each test file uses a part of it")]

pub(crate) mod pki;
#[macro_use]
pub(crate) mod way;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use ferrion_messenger::{Interrupter, Message, Messenger};
use socket2::{Domain, Socket, Type};

/// Far more than anything here takes; what needs longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What octets travel through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Tcp,
    Tls,
    Ws,
    Wss,
}

/// Runs each of these functions, which take a [`Wire`], over every wire.
macro_rules! over_every_wire {
    ($($test:ident,)*) => {
        mod over_tcp {
            $(#[test]
            fn $test() {
                super::$test(crate::support::Wire::Tcp);
            })*
        }
        mod over_tls {
            $(#[test]
            fn $test() {
                super::$test(crate::support::Wire::Tls);
            })*
        }
        mod over_websocket {
            $(#[test]
            fn $test() {
                super::$test(crate::support::Wire::Ws);
            })*
        }
        mod over_websocket_and_tls {
            $(#[test]
            fn $test() {
                super::$test(crate::support::Wire::Wss);
            })*
        }
    };
}

impl Wire {
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::Tcp => "amqp",
            Self::Tls => "amqps",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    pub(crate) const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// A messenger that does not wait for ever, and can do what this wire needs at either end.
    pub(crate) fn client(self) -> Messenger {
        self.client_with_name(None)
    }

    pub(crate) fn client_with_name(self, name: Option<&str>) -> Messenger {
        let mut messenger = match name {
            Some(name) => Messenger::with_name(name).unwrap(),
            None => Messenger::new().unwrap(),
        };
        messenger.set_timeout(Some(PATIENCE));
        if self.is_secure() {
            let pki = pki::pki();
            messenger
                .set_trusted_certificates(&pki.authority.file)
                .unwrap();
        }
        messenger.start().unwrap();
        messenger
    }

    /// A listening messenger, and its address.
    pub(crate) fn server(self) -> (Messenger, String) {
        let mut messenger = self.client();
        let address = self.listen(&mut messenger);
        (messenger, address)
    }

    /// Gives it the certificate that it needs to listen, if it does.
    pub(crate) fn certify(self, messenger: &mut Messenger) {
        if self.is_secure() {
            let server = &pki::pki().server;
            messenger
                .set_certificate(&server.certificate, &server.key)
                .unwrap();
        }
    }

    /// A messenger that listens where another did before, or will after it, and its address.
    pub(crate) fn server_at(self, port: &KeptPort) -> (Messenger, String) {
        let mut messenger = self.client();
        let address = self.listen_at(&mut messenger, port.number);
        (messenger, address)
    }

    /// Listens on a free port of loopback.
    pub(crate) fn listen(self, messenger: &mut Messenger) -> String {
        self.listen_at(messenger, 0)
    }

    fn listen_at(self, messenger: &mut Messenger, port: u16) -> String {
        self.certify(messenger);
        let scheme = self.scheme();
        let subscription = messenger
            .subscribe(&format!("{scheme}://~127.0.0.1:{port}"))
            .unwrap();
        let port = messenger.subscription_port(subscription).unwrap();
        format!("{scheme}://127.0.0.1:{port}")
    }
}

/// A messenger that does not wait for ever.
pub(crate) fn client() -> Messenger {
    Wire::Tcp.client()
}

/// A listening messenger, and its address.
pub(crate) fn server() -> (Messenger, String) {
    Wire::Tcp.server()
}

/// Listens on a free port of loopback.
pub(crate) fn listen(messenger: &mut Messenger) -> String {
    Wire::Tcp.listen(messenger)
}

/// A listening messenger that works in a thread of its own until this is dropped.
pub(crate) struct Serving {
    pub(crate) address: String,
    interrupter: Interrupter,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// `serve` ends when it is interrupted.
    pub(crate) fn start(
        mut messenger: Messenger,
        address: String,
        serve: impl FnOnce(&mut Messenger) + Send + 'static,
    ) -> Self {
        let interrupter = messenger.interrupter();
        let thread = std::thread::spawn(move || serve(&mut messenger));
        Self {
            address,
            interrupter,
            thread: Some(thread),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.interrupter.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A place where nobody listens, nor can as long as this process lives: the near end of a connection is there.
pub(crate) fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let place = near.local_addr().unwrap();
    // A port that is given back is somebody else's in the next moment.
    std::mem::forget((listener, near));
    place
}

/// A port of loopback that is kept for listeners that come and go: while this lives, the system gives it to nobody who leaves the
/// choice to it, but to a listener that asks for it by its number. Until then nobody listens there.
pub(crate) struct KeptPort {
    pub(crate) number: u16,
    /// Bound, and never listening: with `SO_REUSEADDR` on both, a listener is bound beside it.
    _socket: Socket,
}

impl KeptPort {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).unwrap();
        let place = socket.local_addr().unwrap().as_socket();
        Self {
            number: place.unwrap().port(),
            _socket: socket,
        }
    }

    pub(crate) fn listener(&self) -> TcpListener {
        TcpListener::bind(("127.0.0.1", self.number)).unwrap()
    }
}

pub(crate) fn message_to(address: &str, body: &str) -> Message {
    let mut message = Message::with_body(body);
    message.set_address(address);
    message
}

pub(crate) fn text(message: &Message) -> String {
    message
        .body_text()
        .unwrap()
        .expect("a body of text")
        .to_owned()
}
