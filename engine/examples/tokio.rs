//! Engines in tasks of tokio's: a server of as many connections as come, which prints the messages that it gets. `tokio [ADDRESS]`.
//!
//! [`drive`] is all that an engine needs of a runtime: to wait for a socket or a deadline, to read and to write.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Buf;
use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{Config, Engine, Event, Message, SessionConfig, Time, UsageError};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Octets that are read at once.
const READ: usize = 64 << 10;
/// Messages that a sender may have under way.
const CREDIT: u32 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5672".to_owned());
    listen(TcpListener::bind(address).await?).await
}

/// Serves whoever comes, each in a task.
async fn listen(listener: TcpListener) -> Result<()> {
    loop {
        let (socket, peer) = listener.accept().await?;
        tokio::spawn(async move {
            // What one connection fails by ends that connection alone.
            match serve(&socket).await {
                Ok(()) => eprintln!("{peer} has gone"),
                Err(error) => eprintln!("{peer}: {error}"),
            }
        });
    }
}

async fn serve(socket: &TcpStream) -> Result<()> {
    let mut engine = Engine::server(Config::new("tokio-example"));
    engine.connection().open()?;
    drive(socket, &mut engine, receive).await
}

/// Accepts sessions, links and messages, and prints the last.
///
/// What cannot be accepted is answered to the peer, and ends nothing here: what the engine has to say about it is still to be
/// written.
fn receive(engine: &mut Engine, event: Event) -> Result<()> {
    match event {
        Event::SessionBegun(id) => {
            if let Ok(mut session) = engine.session(id)
                && session.is_incoming()
                && let Err(UsageError::LimitReached { .. }) =
                    session.accept(SessionConfig::default())
            {
                // The peer begins more than it has channels for, and an end takes one too (2.5.3).
                let why = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
                let _ = engine.connection().close(Some(why));
            }
        }
        Event::LinkAttached(id) => {
            let Ok(mut link) = engine.link(id) else {
                return Ok(());
            };
            if !link.is_incoming() {
                return Ok(());
            }
            if link.accept().is_err() {
                // It wants a node to be made up, mostly. If this fails too, the link has ended with its session.
                let _ = link.refuse(Condition::new(conditions::NOT_IMPLEMENTED));
            } else if let Ok(mut receiver) = engine.receiver(id) {
                let _ = receiver.set_automatic_credit(CREDIT);
            }
        }
        Event::Deliveries(id) => {
            let Ok(mut receiver) = engine.receiver(id) else {
                return Ok(());
            };
            while let Some(delivery) = receiver.next_delivery() {
                match Message::decode(delivery.payload.into_bytes()) {
                    Ok(message) => println!("{:?}", message.body()),
                    Err(error) => eprintln!("no message: {error}"),
                }
                if let Some(delivery) = delivery.id {
                    // It fails if the sender has settled it by now, which is as good.
                    let _ = receiver.accept(delivery);
                }
            }
        }
        Event::LinkDetached(id) => {
            // The peer may have closed the link's session too, and with it the link.
            let _ = engine.link(id).and_then(|mut link| link.close(None));
        }
        _ => {}
    }
    Ok(())
}

/// Moves the octets of an engine until its connection has ended; `look` is given every event.
async fn drive(
    socket: &TcpStream,
    engine: &mut Engine,
    mut look: impl FnMut(&mut Engine, Event) -> Result<()>,
) -> Result<()> {
    let begun = Instant::now();
    let now = || Time(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    loop {
        let is_full = write(socket, engine, now())?;
        // Looked at after the output: what a peer says that does not read is heard once it has read.
        let mut has_news = false;
        while let Some(event) = engine.poll_event() {
            look(engine, event)?;
            has_news = true;
        }
        if has_news {
            continue;
        }
        if engine.is_done() {
            return engine
                .failure()
                .map_or(Ok(()), |failure| Err(failure.to_string().into()));
        }
        let is_blocked = engine.is_blocked();
        let interest = match (is_full, is_blocked) {
            (false, _) => Interest::READABLE,
            (true, false) => Interest::READABLE | Interest::WRITABLE,
            (true, true) => Interest::WRITABLE,
        };
        let deadline = engine.poll_timeout();
        let wait = deadline.map(|deadline| Duration::from_millis(deadline.at.since(now())));
        tokio::select! {
            ready = socket.ready(interest) => { ready?; }
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
        if !is_blocked {
            read(socket, engine, now());
        }
        engine.handle_timeout(now());
    }
}

/// Writes as much as the socket takes; answers whether something is left.
fn write(socket: &TcpStream, engine: &mut Engine, now: Time) -> Result<bool> {
    loop {
        let mut output = engine.transmit(now);
        let Some(piece) = output.pieces().next() else {
            return Ok(false);
        };
        match socket.try_write(piece) {
            Ok(count) => output.advance(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads once: there is more to do than to read, if the peer sends without end.
fn read(socket: &TcpStream, engine: &mut Engine, now: Time) {
    match socket.try_read_buf(engine.recv_buffer(READ)) {
        Ok(1..) => engine.recv_filled(now),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        // A connection that fails ends, and the last events say so.
        Ok(0) | Err(_) => engine.recv_eof(now),
    }
}

#[cfg(test)]
mod tests {
    use ferrion_engine::LinkConfig;
    use ferrion_engine::protocol::DeliveryState;

    use super::*;

    #[tokio::test]
    async fn what_a_client_sends_is_accepted_one_connection_beside_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(listen(listener));
        // It stays, and says nothing.
        let _idle = TcpStream::connect(address).await.unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let mut engine = Engine::client(Config::new("client"));
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let link = LinkConfig::sender("link", "node");
        engine
            .session(session)
            .unwrap()
            .attach_sender(link)
            .unwrap();
        // More than the server lets come at once, and than fits into its socket.
        const COUNT: u32 = 1000;
        let payload = Message::with_body("x".repeat(10_000)).to_bytes();
        let (mut sent, mut accepted) = (0, 0);
        let send = |engine: &mut Engine, event| {
            match event {
                Event::Flow(id) => {
                    let mut sender = engine.sender(id)?;
                    while sender.credit() > 0 && sent < COUNT {
                        sender.send(&sent.to_be_bytes(), payload.clone())?;
                        sent += 1;
                    }
                }
                Event::Updates(id) => {
                    while let Some(update) = engine.sender(id)?.next_update() {
                        assert_eq!(update.state, Some(DeliveryState::Accepted));
                        accepted += 1;
                    }
                    if accepted == COUNT {
                        engine.connection().close(None)?;
                    }
                }
                _ => {}
            }
            Ok(())
        };
        drive(&socket, &mut engine, send).await.unwrap();
        assert_eq!(accepted, COUNT);
    }
}
