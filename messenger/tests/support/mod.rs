//! What several of the tests need: a server with a port of its own, and one that echoes.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::thread::JoinHandle;
use std::time::Duration;

use ferrion_messenger::{Credit, Error, Flags, Interrupter, Message, Messenger};

/// Far more than anything here takes; what needs longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A messenger that does not wait for ever.
pub(crate) fn client() -> Messenger {
    let mut messenger = Messenger::new().unwrap();
    messenger.set_timeout(Some(PATIENCE));
    messenger.start().unwrap();
    messenger
}

/// A listening messenger, and its address.
pub(crate) fn server() -> (Messenger, String) {
    let mut messenger = client();
    let address = listen(&mut messenger);
    (messenger, address)
}

/// Listens on a free port of loopback.
pub(crate) fn listen(messenger: &mut Messenger) -> String {
    let subscription = messenger.subscribe("~127.0.0.1:0").unwrap();
    let port = messenger.subscription_port(subscription).unwrap();
    format!("amqp://127.0.0.1:{port}")
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

/// A server that sends what it gets back to its `reply-to`, and rejects bodies of `*REJECT-ME*`.
pub(crate) struct Echo {
    pub(crate) address: String,
    interrupter: Interrupter,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let (mut messenger, address) = server();
        messenger.set_timeout(None);
        messenger.set_incoming_window(usize::MAX);
        let interrupter = messenger.interrupter();
        let thread = std::thread::spawn(move || echo(messenger));
        Self {
            address,
            interrupter,
            thread: Some(thread),
        }
    }
}

fn echo(mut messenger: Messenger) {
    let mut message = Message::new();
    loop {
        match messenger.recv(Credit::All) {
            Ok(()) => {}
            Err(Error::Interrupted) => break,
            Err(error) => panic!("echo: {error}"),
        }
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message).unwrap();
            if message.body_text().unwrap() == Some("*REJECT-ME*") {
                messenger.reject(tracker, Flags::NONE).unwrap();
            } else {
                messenger.accept(tracker, Flags::NONE).unwrap();
            }
            if let Some(reply_to) = message.reply_to().unwrap().map(str::to_owned) {
                message.set_address(reply_to);
                messenger.put(&message).unwrap();
            }
        }
    }
    let _ = messenger.stop();
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.interrupter.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
