//! Two ferrion engines in one process, octets carried from one's output to the other's input by memory: one session.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use bytes::BytesMut;
use ferrion_engine::Engine;

use crate::ends::{NOW, Sink, Source, carry, carry_through};
use crate::work::{Clock, Options, Outcome, Ring, ensure, report};

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut pair = Pair::new(options, &ring)?;
    pair.attach(options.links)?;
    // The warm-up ends exactly at its count, so that the clock starts on an empty pipe.
    pair.exchange(options.warmup)?;
    let clock = Clock::start();
    pair.exchange(options.total())?;
    let time = clock.elapsed();
    report(options.count, time, ring.octets as u64, pair.sink.check);
    Ok(())
}

/// What no pair can be quicker than, if each message is copied once: its octets, copied.
pub(crate) fn copy(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut buffer = BytesMut::with_capacity(ring.octets);
    let mut copy = |range: std::ops::Range<u64>| {
        for index in range {
            buffer.clear();
            buffer.extend_from_slice(ring.payload(index));
            black_box(&mut buffer);
        }
    };
    copy(0..options.warmup);
    let clock = Clock::start();
    copy(options.warmup..options.total());
    report(options.count, clock.elapsed(), ring.octets as u64, 0);
    Ok(())
}

/// See the module's description.
pub(crate) struct Pair<'a> {
    options: &'a Options,
    pub(crate) source: Source<'a>,
    pub(crate) sink: Sink<'a>,
    /// What the engines get their octets in, where they do not have buffers of their own.
    shared: Option<Rc<RefCell<BytesMut>>>,
}

impl<'a> Pair<'a> {
    /// With an open session.
    pub(crate) fn new(options: &'a Options, ring: &'a Ring) -> Outcome<Self> {
        let mut pair = Self {
            options,
            source: Source::new(options, ring)?,
            sink: Sink::new(options, ring),
            shared: None,
        };
        while pair.pump()? {}
        Ok(pair)
    }

    /// From now on octets go through this buffer.
    pub(crate) fn share(&mut self, buffer: &Rc<RefCell<BytesMut>>) {
        self.shared = Some(Rc::clone(buffer));
    }

    /// Attaches so many more links.
    pub(crate) fn attach(&mut self, count: u64) -> Outcome<()> {
        self.source.attach(count)?;
        while self.pump()? {}
        ensure!(self.source.is_up()?, "the links are not up");
        Ok(())
    }

    /// Sends until `total` messages have been received, and acknowledged if they are to be.
    pub(crate) fn exchange(&mut self, total: u64) -> Outcome<()> {
        let acknowledged = self.options.acknowledged(total);
        while self.sink.received < total || self.source.acknowledged < acknowledged {
            self.source.send_batch(total)?;
            self.pump()?;
        }
        while self.pump()? {}
        ensure!(self.source.sent == total, "not every message was sent");
        ensure!(
            self.source.acknowledged == acknowledged,
            "another number of messages was acknowledged than was to be"
        );
        Ok(())
    }

    /// Moves everything there is one way and then the other, looked at each time, as the program in C does; `false` if there
    /// was nothing.
    pub(crate) fn pump(&mut self) -> Outcome<bool> {
        let (source, sink) = (&mut self.source, &mut self.sink);
        let carry = |from: &mut Engine, to: &mut Engine| match &self.shared {
            None => Ok(carry(from, to, NOW)),
            Some(buffer) => carry_through(&mut buffer.borrow_mut(), from, to, NOW),
        };
        let mut moved = false;
        while carry(&mut source.engine, &mut sink.engine)? {
            sink.look()?;
            moved = true;
        }
        while carry(&mut sink.engine, &mut source.engine)? {
            source.look()?;
            moved = true;
        }
        Ok(moved)
    }
}
