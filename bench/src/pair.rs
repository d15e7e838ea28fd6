//! Two ferrion engines in one process, octets carried from one's output to the other's input by memory: one
//! session, one link, credit replenished at half.

use bytes::Buf;
use ferrion_engine::protocol::{DeliveryState, SenderSettleMode};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SendPayload, SessionConfig, Time};

use crate::work::{Clock, Options, Outcome, Ring, ensure, fold_payload, report};

/// Nothing here depends on time.
const NOW: Time = Time(0);

/// From this size a payload is shared with the engine instead of copied into its output.
const SHARE: usize = 4096;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let mut pair = Pair::establish(options)?;
    // The warm-up ends exactly at its count, so that the clock starts on an empty pipe.
    pair.exchange(options.warmup)?;
    let clock = Clock::start();
    pair.exchange(options.total())?;
    let time = clock.elapsed();
    ensure!(pair.sent == options.total(), "every message was sent");
    report(options.count, time, pair.ring.octets as u64, pair.check);
    Ok(())
}

/// Two engines, and a link from one to the other.
pub(crate) struct Pair<'a> {
    options: &'a Options,
    pub(crate) ring: Ring,
    pub(crate) client: Engine,
    pub(crate) server: Engine,
    pub(crate) sender: LinkId,
    pub(crate) receiver: Option<LinkId>,
    sent: u64,
    received: u64,
    /// Accepted and settled, seen by the sender.
    acknowledged: u64,
    check: u64,
}

impl<'a> Pair<'a> {
    pub(crate) fn establish(options: &'a Options) -> Outcome<Self> {
        let mut client = Engine::client(Config::new("client"));
        let server = Engine::server(Config::new("server"));
        client.connection().open()?;
        let session = client.connection().begin(SessionConfig::default())?;
        let mut link = LinkConfig::sender("bench", "queue");
        link.snd_settle_mode = if options.settled {
            SenderSettleMode::Settled
        } else {
            SenderSettleMode::Unsettled
        };
        let sender = client.session(session)?.attach_sender(link)?;
        let ring = Ring::new(options.body);
        let mut pair = Self {
            options,
            ring,
            client,
            server,
            sender,
            receiver: None,
            sent: 0,
            received: 0,
            acknowledged: 0,
            check: 0,
        };
        while pair.pump()? {}
        ensure!(
            pair.client.sender(sender)?.credit() == options.credit,
            "the link is not up"
        );
        Ok(pair)
    }

    /// Sends until `total` messages have been received, and acknowledged if they are to be.
    fn exchange(&mut self, total: u64) -> Outcome<()> {
        while self.received < total || (!self.options.settled && self.acknowledged < total) {
            self.send_batch(total)?;
            self.pump()?;
        }
        while self.pump()? {}
        Ok(())
    }

    fn send_batch(&mut self, total: u64) -> Outcome<()> {
        let mut sender = self.client.sender(self.sender)?;
        let batch = self
            .options
            .batch
            .min(total - self.sent)
            .min(u64::from(sender.credit()));
        for _ in 0..batch {
            let tag = self.sent.to_ne_bytes();
            let payload = self.ring.payload(self.sent);
            let payload: SendPayload<'_> = if payload.len() < SHARE {
                payload[..].into()
            } else {
                payload.clone().into()
            };
            if self.options.settled {
                sender.send_settled(&tag, payload)?;
            } else {
                sender.send(&tag, payload)?;
            }
            self.sent += 1;
        }
        Ok(())
    }

    /// Moves what there is both ways; `false` if there was nothing.
    fn pump(&mut self) -> Outcome<bool> {
        let there = carry(&mut self.client, &mut self.server, NOW);
        self.server_events()?;
        let back = carry(&mut self.server, &mut self.client, NOW);
        self.client_events()?;
        Ok(there || back)
    }

    fn server_events(&mut self) -> Outcome<()> {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::RemoteOpen => self.server.connection().open()?,
                Event::SessionBegun(id) => {
                    self.server.session(id)?.accept(SessionConfig::default())?;
                }
                Event::LinkAttached(id) => {
                    self.server.link(id)?.accept()?;
                    self.server.receiver(id)?.set_credit(self.options.credit)?;
                    self.receiver = Some(id);
                }
                Event::Deliveries(id) => self.take(id)?,
                Event::Disconnected => return Err("the connection was lost".into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, link: LinkId) -> Outcome<()> {
        let mut receiver = self.server.receiver(link)?;
        while let Some(delivery) = receiver.next_delivery() {
            let payload = &delivery.payload;
            ensure!(
                payload.len() == self.ring.octets,
                "a payload did not arrive whole"
            );
            if self.received < self.options.warmup {
                let expected = self.ring.payload(self.received);
                let same = payload.clone().into_bytes() == *expected;
                ensure!(same, "a payload did not arrive unchanged");
            } else {
                let first = payload
                    .chunks()
                    .next()
                    .map_or(&[][..], |piece| &piece[self.ring.overhead..]);
                let last = payload.chunks().last().map_or(&[][..], |piece| &piece[..]);
                self.check = fold_payload(self.check, payload.len(), first, last);
            }
            self.received += 1;
            // A delivery that its sender settled has no id: there is nothing left to say about it.
            ensure!(
                delivery.id.is_none() == self.options.settled,
                "a delivery is not settled as its sender said"
            );
            if let Some(id) = delivery.id {
                receiver.accept(id)?;
            }
            let credit = receiver.credit();
            if credit <= self.options.credit / 2 {
                receiver.set_credit(self.options.credit)?;
            }
        }
        Ok(())
    }

    fn client_events(&mut self) -> Outcome<()> {
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Updates(id) => {
                    while let Some(update) = self.client.link(id)?.next_update() {
                        ensure!(
                            update.state == Some(DeliveryState::Accepted),
                            "a delivery was not accepted"
                        );
                        // What its receiver settled is settled here too; otherwise it is ours to do.
                        if !update.settled {
                            self.client.sender(id)?.settle(update.delivery)?;
                        }
                        self.acknowledged += 1;
                    }
                }
                Event::Disconnected => return Err("the connection was lost".into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Moves everything `from` has to say into `to`, by copy.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine, now: Time) -> bool {
    let mut output = from.transmit(now);
    let octets = output.remaining();
    if octets == 0 {
        return false;
    }
    let input = to.recv_buffer(octets);
    while output.has_remaining() {
        let piece = output.chunk();
        let length = piece.len();
        input.extend_from_slice(piece);
        output.advance(length);
    }
    to.recv_filled(now);
    true
}
