//! Requests and replies over loopback, one at a time, by two ferrion engines in two processes: settled, on a link for
//! each way. And the limit of that: as many octets each way, of which nobody makes anything.

use std::io::{Read, Write};

use bytes::Bytes;
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig};

use crate::ends::{NOW, carry};
use crate::wire::{Wire, pull_with};
use crate::work::{Clock, Options, Outcome, Ring, ensure, fold_payload, report};

/// Answers each request with its own payload.
pub(crate) fn recv(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut end = End::new(Engine::server(Config::new("server")), options);
    let mut wire = Wire::accepted()?;
    let mut check = 0;
    let mut clock = Clock::start();
    for number in 0..options.total() {
        if number == options.warmup {
            clock = Clock::start();
        }
        let request = end.wait(&mut wire)?;
        if number < options.warmup {
            ensure!(
                request == ring.payload(number),
                "a request did not arrive unchanged"
            );
        } else {
            let body = &request[ring.overhead..];
            check = fold_payload(check, request.len(), body, body);
        }
        end.send(number, &request)?;
        wire.pull(&mut end.engine)?;
    }
    let time = clock.elapsed();
    wire.wait_for_end()?;
    report(options.count, time, ring.octets as u64, check);
    Ok(())
}

/// Asks, and waits for the reply before it asks again.
pub(crate) fn send(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut end = End::asking(options)?;
    let mut wire = Wire::connected(options.port)?;
    while !end.is_up()? {
        wire.pull(&mut end.engine)?;
        wire.feed(&mut end.engine)?;
        end.look()?;
    }
    wire.pull(&mut end.engine)?;
    let mut clock = Clock::start();
    for number in 0..options.total() {
        if number == options.warmup {
            clock = Clock::start();
        }
        let request = ring.payload(number);
        end.send(number, request)?;
        wire.pull(&mut end.engine)?;
        let reply = end.wait(&mut wire)?;
        ensure!(reply == request, "a reply is not what was asked");
    }
    report(options.count, clock.elapsed(), ring.octets as u64, 0);
    Ok(())
}

/// Writes back what it read.
pub(crate) fn bare_recv(options: &Options) -> Outcome<()> {
    let mut octets = vec![0; octets_of_a_request(options)?];
    let mut wire = Wire::accepted()?;
    let mut clock = Clock::start();
    for number in 0..options.total() {
        if number == options.warmup {
            clock = Clock::start();
        }
        wire.stream.read_exact(&mut octets)?;
        wire.stream.write_all(&octets)?;
    }
    let time = clock.elapsed();
    wire.wait_for_end()?;
    report(options.count, time, octets.len() as u64, 0);
    Ok(())
}

/// Writes as many octets as a request has, and reads as many.
pub(crate) fn bare_send(options: &Options) -> Outcome<()> {
    let mut octets = vec![0; octets_of_a_request(options)?];
    let mut wire = Wire::connected(options.port)?;
    let mut clock = Clock::start();
    for number in 0..options.total() {
        if number == options.warmup {
            clock = Clock::start();
        }
        wire.stream.write_all(&octets)?;
        wire.stream.read_exact(&mut octets)?;
    }
    report(options.count, clock.elapsed(), octets.len() as u64, 0);
    Ok(())
}

/// What [`send`] writes for a request.
fn octets_of_a_request(options: &Options) -> Outcome<usize> {
    let ring = Ring::new(options.body);
    let mut asking = End::asking(options)?;
    let mut answering = End::new(Engine::server(Config::new("server")), options);
    while !asking.is_up()? {
        carry(&mut asking.engine, &mut answering.engine, NOW);
        answering.look()?;
        carry(&mut answering.engine, &mut asking.engine, NOW);
        asking.look()?;
    }
    carry(&mut asking.engine, &mut answering.engine, NOW);
    // A number that does not fit one octet, as nearly all do.
    asking.send(options.total(), ring.payload(0))?;
    let mut octets = 0;
    pull_with(&mut asking.engine, |pieces| {
        let count = pieces.iter().map(|piece| piece.len()).sum();
        octets += count;
        Ok(count)
    })?;
    Ok(octets)
}

/// One end of the conversation: an engine with a link each way.
struct End<'a> {
    engine: Engine,
    options: &'a Options,
    sender: Option<LinkId>,
    receiver: Option<LinkId>,
}

impl<'a> End<'a> {
    const fn new(engine: Engine, options: &'a Options) -> Self {
        Self {
            engine,
            options,
            sender: None,
            receiver: None,
        }
    }

    /// The one that asks for connection, session and links.
    fn asking(options: &'a Options) -> Outcome<Self> {
        let mut engine = Engine::client(Config::new("client"));
        engine.connection().open()?;
        let session = engine.connection().begin(SessionConfig::default())?;
        let mut session = engine.session(session)?;
        let requests = session.attach_sender(LinkConfig::sender("requests", "queue"))?;
        session.attach_receiver(LinkConfig::receiver("replies", "queue"))?;
        let mut end = Self::new(engine, options);
        end.sender = Some(requests);
        Ok(end)
    }

    /// Whether something can be sent, and answered.
    fn is_up(&mut self) -> Outcome<bool> {
        let Some(sender) = self.sender else {
            return Ok(false);
        };
        Ok(self.receiver.is_some() && self.engine.sender(sender)?.credit() > 0)
    }

    fn send(&mut self, number: u64, payload: &Bytes) -> Outcome<()> {
        let sender = self.sender.ok_or("no link to send on")?;
        let mut sender = self.engine.sender(sender)?;
        sender.send_settled(&number.to_ne_bytes(), &payload[..])?;
        Ok(())
    }

    /// The payload of the next delivery.
    fn wait(&mut self, wire: &mut Wire) -> Outcome<Bytes> {
        loop {
            if let Some(receiver) = self.receiver {
                let mut receiver = self.engine.receiver(receiver)?;
                if let Some(delivery) = receiver.next_delivery() {
                    if receiver.credit() <= self.options.credit / 2 {
                        receiver.set_credit(self.options.credit)?;
                    }
                    return Ok(delivery.payload.into_bytes());
                }
            }
            wire.pull(&mut self.engine)?;
            wire.feed(&mut self.engine)?;
            self.look()?;
        }
    }

    /// Answers what came but deliveries.
    fn look(&mut self) -> Outcome<()> {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::RemoteOpen if self.sender.is_none() => self.engine.connection().open()?,
                Event::SessionBegun(id) if self.engine.session(id)?.is_incoming() => {
                    self.engine.session(id)?.accept(SessionConfig::default())?;
                }
                Event::LinkAttached(id) => {
                    if self.engine.link(id)?.is_incoming() {
                        self.engine.link(id)?.accept()?;
                    }
                    match self.engine.receiver(id) {
                        Ok(mut receiver) => {
                            receiver.set_credit(self.options.credit)?;
                            self.receiver = Some(id);
                        }
                        Err(_) => self.sender = Some(id),
                    }
                }
                Event::Disconnected => return Err("the connection was lost".into()),
                _ => {}
            }
        }
        Ok(())
    }
}
