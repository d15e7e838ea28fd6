//! The two ends of the work that engines do: one that sends, one that receives. Who carries the octets from one to the
//! other, by memory or by a socket, is not their business.

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{DeliveryState, SenderSettleMode};
use ferrion_engine::{
    Config, Engine, Event, Limits, LinkConfig, LinkId, Payload, SendPayload, SessionConfig,
    SessionId, Time,
};

use crate::work::{Options, Outcome, Ring, ensure, fold_payload};

/// Nothing here depends on time.
pub(crate) const NOW: Time = Time(0);

/// From this size a payload is shared with the engine instead of copied into its output.
const SHARE: usize = 4096;

const NOT_WHOLE: &str = "a payload did not arrive whole";
const NOT_UNCHANGED: &str = "a payload did not arrive unchanged";

/// As much as is asked for, whatever that is.
fn config(name: &'static str) -> Config {
    let mut limits = Limits::default();
    limits.links_per_session = u32::MAX;
    limits.unsettled_per_session = u32::MAX;
    let mut config = Config::new(name);
    config.limits = limits;
    config
}

/// The end that sends, on each of its links in turn.
pub(crate) struct Source<'a> {
    pub(crate) engine: Engine,
    pub(crate) options: &'a Options,
    ring: &'a Ring,
    session: SessionId,
    pub(crate) links: Vec<LinkId>,
    /// Whose turn it is.
    next: usize,
    pub(crate) sent: u64,
    /// Accepted and settled, seen by the sender.
    pub(crate) acknowledged: u64,
}

impl<'a> Source<'a> {
    /// With a connection and a session that are to be opened.
    pub(crate) fn new(options: &'a Options, ring: &'a Ring) -> Outcome<Self> {
        let mut engine = Engine::client(config("client"));
        engine.connection().open()?;
        let session = engine.connection().begin(SessionConfig::default())?;
        Ok(Self {
            engine,
            options,
            ring,
            session,
            links: Vec::new(),
            next: 0,
            sent: 0,
            acknowledged: 0,
        })
    }

    /// Asks for so many more links.
    pub(crate) fn attach(&mut self, count: u64) -> Outcome<()> {
        for _ in 0..count {
            let name = format!("link-{}", self.links.len());
            let mut link = LinkConfig::sender(name, "queue");
            link.snd_settle_mode = if self.options.settled {
                SenderSettleMode::Mixed
            } else {
                SenderSettleMode::Unsettled
            };
            let id = self.engine.session(self.session)?.attach_sender(link)?;
            self.links.push(id);
        }
        Ok(())
    }

    /// Whether every link is attached and has its credit.
    pub(crate) fn is_up(&mut self) -> Outcome<bool> {
        for link in &self.links {
            if self.engine.sender(*link)?.credit() != self.options.credit {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands over a batch on the link whose turn it is, as far as it has credit, and no more than `total` in all.
    pub(crate) fn send_batch(&mut self, total: u64) -> Outcome<()> {
        let link = *self.links.get(self.next).ok_or("there are no links")?;
        self.next = (self.next + 1) % self.links.len();
        let mut sender = self.engine.sender(link)?;
        let batch = self
            .options
            .batch
            .min(total - self.sent)
            .min(u64::from(sender.credit()));
        for _ in 0..batch {
            let tag = self.sent.to_ne_bytes();
            let payload = self.ring.payload(self.sent);
            let payload: SendPayload<'_> = if payload.len() < SHARE || self.options.copied {
                payload[..].into()
            } else {
                payload.clone().into()
            };
            self.sent += 1;
            if self.options.is_settled(self.sent) {
                sender.send_settled(&tag, payload)?;
            } else {
                sender.send(&tag, payload)?;
            }
        }
        Ok(())
    }

    /// Whether all that can be sent now, of `total` messages, is on its way.
    pub(crate) fn must_wait(&mut self, total: u64) -> Outcome<bool> {
        let link = *self.links.get(self.next).ok_or("there are no links")?;
        let sender = self.engine.sender(link)?;
        Ok(self.sent == total || sender.credit() == 0 || sender.queued() > 0)
    }

    /// Looks at what came.
    pub(crate) fn look(&mut self) -> Outcome<()> {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Updates(id) => {
                    while let Some(update) = self.engine.link(id)?.next_update() {
                        ensure!(
                            update.state == Some(DeliveryState::Accepted),
                            "a delivery was not accepted"
                        );
                        // What its receiver settled is settled here too; otherwise it is ours to do.
                        if !update.settled {
                            self.engine.sender(id)?.settle(update.delivery)?;
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

/// The end that receives, accepts, and replenishes credit at half.
pub(crate) struct Sink<'a> {
    pub(crate) engine: Engine,
    options: &'a Options,
    ring: &'a Ring,
    /// The last link that was attached.
    pub(crate) link: Option<LinkId>,
    pub(crate) received: u64,
    seen: Seen,
    pub(crate) check: u64,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(options: &'a Options, ring: &'a Ring) -> Self {
        Self {
            engine: Engine::server(config("server")),
            options,
            ring,
            link: None,
            received: 0,
            seen: Seen::default(),
            check: 0,
        }
    }

    /// Looks at what came.
    pub(crate) fn look(&mut self) -> Outcome<()> {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::RemoteOpen => self.engine.connection().open()?,
                Event::SessionBegun(id) => {
                    self.engine.session(id)?.accept(SessionConfig::default())?;
                }
                Event::LinkAttached(id) => {
                    self.engine.link(id)?.accept()?;
                    let mut receiver = self.engine.receiver(id)?;
                    receiver.set_streaming(self.options.streaming);
                    receiver.set_credit(self.options.credit)?;
                    self.link = Some(id);
                }
                Event::Deliveries(id) => self.take(id)?,
                Event::Disconnected => return Err("the connection was lost".into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, link: LinkId) -> Outcome<()> {
        let mut receiver = self.engine.receiver(link)?;
        while let Some(delivery) = receiver.next_delivery() {
            let payload = &delivery.payload;
            if self.options.streaming {
                let timed = self.received >= self.options.warmup;
                self.seen.take(payload, self.ring, self.received, timed)?;
                ensure!(self.seen.length == self.ring.octets, NOT_WHOLE);
                if timed {
                    self.check = self.seen.fold(self.check);
                }
                self.seen = Seen::default();
            } else {
                ensure!(payload.len() == self.ring.octets, NOT_WHOLE);
                if self.received < self.options.warmup {
                    let expected = self.ring.payload(self.received);
                    let same = payload.clone().into_bytes() == *expected;
                    ensure!(same, NOT_UNCHANGED);
                } else {
                    let first = payload
                        .chunks()
                        .next()
                        .map_or(&[][..], |piece| &piece[self.ring.overhead..]);
                    let last = payload.chunks().last().map_or(&[][..], |piece| &piece[..]);
                    self.check = fold_payload(self.check, payload.len(), first, last);
                }
            }
            self.received += 1;
            // A delivery that its sender settled has no id: there is nothing left to say about it.
            if let Some(id) = delivery.id
                && self.received > self.options.held
            {
                receiver.accept(id)?;
            }
            let credit = receiver.credit();
            if credit <= self.options.credit / 2 {
                receiver.set_credit(self.options.credit)?;
            }
        }
        if self.options.streaming
            && let Some(part) = receiver.read_partial()
        {
            let timed = self.received >= self.options.warmup;
            self.seen.take(&part, self.ring, self.received, timed)?;
        }
        Ok(())
    }
}

/// What was seen of the message that is coming in, where it is taken in parts.
#[derive(Default)]
struct Seen {
    length: usize,
    /// First and last octets of the body.
    first: [u8; 8],
    last: [u8; 8],
}

impl Seen {
    /// Looks at what came: at all of it, or, while the clock runs, at its ends.
    fn take(&mut self, part: &Payload, ring: &Ring, index: u64, timed: bool) -> Outcome<()> {
        let expected = ring.payload(index);
        for piece in part.chunks() {
            if self.length == 0 {
                let first = piece
                    .get(ring.overhead..)
                    .and_then(|body| body.first_chunk());
                self.first = *first.ok_or("the first piece is too short")?;
            }
            if let Some(last) = piece.last_chunk() {
                self.last = *last;
            } else {
                // Some of the last octets came before.
                self.last.rotate_left(piece.len());
                self.last[8 - piece.len()..].copy_from_slice(piece);
            }
            let end = self.length + piece.len();
            let same = timed || expected.get(self.length..end) == Some(piece);
            ensure!(same, NOT_UNCHANGED);
            self.length = end;
        }
        Ok(())
    }

    fn fold(&self, sum: u64) -> u64 {
        fold_payload(sum, self.length, &self.first, &self.last)
    }
}

/// Moves what `from` has encoded, or encodes at once, into `to`, by copy; `false` if it was nothing.
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

/// The same by way of a buffer that many engines share, as a thread reads from one socket after the other.
pub(crate) fn carry_through(
    buffer: &mut BytesMut,
    from: &mut Engine,
    to: &mut Engine,
    now: Time,
) -> Outcome<bool> {
    let mut output = from.transmit(now);
    let octets = output.remaining();
    if octets == 0 {
        return Ok(false);
    }
    buffer.reserve(octets);
    while output.has_remaining() {
        let piece = output.chunk();
        let length = piece.len();
        buffer.extend_from_slice(piece);
        output.advance(length);
    }
    to.recv(now, buffer);
    ensure!(buffer.is_empty(), "the beginning of a frame was left over");
    Ok(true)
}
