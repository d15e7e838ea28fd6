//! Each kind of call by itself: the exchange of `pair`, with one kind of call at a time for a whole batch, and a clock for
//! each kind. `bench/abi/calls.c` does the same by the C header.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{DeliveryId, Engine, Link, Receiver, Sender};

use crate::ends::{NOW, carry};
use crate::pair::Pair;
use crate::work::{Options, Outcome, Ring, ensure, fold_payload};

/// The kinds of calls, in the order in which they are made.
pub(crate) const KINDS: [&str; 5] = ["send", "next_delivery", "credit", "accept", "next_update"];

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut pair = Pair::new(options, &ring)?;
    pair.attach(1)?;
    let (client, server) = (&mut pair.source.engine, &mut pair.sink.engine);
    let sending = *pair.source.links.first().ok_or("the link is not up")?;
    let receiving = pair.sink.link.ok_or("the link is not up")?;
    let batch = options.batch as usize;
    let mut ids = Vec::with_capacity(batch);
    let (mut sent, mut counted, mut check) = (0, 0, 0);
    let mut times = [Duration::ZERO; KINDS.len()];
    while counted < options.count {
        let mut laps = Laps::start();
        phase_send(&mut client.sender(sending)?, &ring, sent, batch)?;
        laps.lap();
        sent += options.batch;
        carry(client, server, NOW);
        events(server);
        let mut receiver = server.receiver(receiving)?;
        ids.clear();
        laps.resume();
        check = phase_next_delivery(&mut receiver, &ring, &mut ids, check);
        laps.lap();
        check ^= u64::from(phase_credit(&receiver, batch));
        laps.lap();
        phase_accept(&mut receiver, &ids)?;
        laps.lap();
        ensure!(ids.len() == batch, "not all deliveries arrived");
        receiver.set_credit(options.credit)?;
        carry(server, client, NOW);
        events(client);
        let mut link = client.link(sending)?;
        laps.resume();
        let updates = phase_next_update(&mut link)?;
        laps.lap();
        ensure!(updates == batch, "not all outcomes arrived");
        if sent > options.warmup {
            counted += options.batch;
            times
                .iter_mut()
                .zip(laps.taken)
                .for_each(|(time, lap)| *time += lap);
        }
    }
    black_box(check);
    for (kind, time) in KINDS.iter().zip(times) {
        let nanos = time.as_nanos();
        println!("{{\"call\":\"{kind}\",\"count\":{counted},\"nanos\":{nanos}}}");
    }
    Ok(())
}

/// One kind after the other, with pauses.
struct Laps {
    since: Instant,
    taken: Vec<Duration>,
}

impl Laps {
    fn start() -> Self {
        Self {
            taken: Vec::with_capacity(KINDS.len()),
            since: Instant::now(),
        }
    }

    fn lap(&mut self) {
        let now = Instant::now();
        self.taken.push(now - self.since);
        self.since = now;
    }

    fn resume(&mut self) {
        self.since = Instant::now();
    }
}

// The phases are kept apart from what is around them, so that an instruction profile tells of each. As a Rust program does,
// they look a link up once for many calls.

#[inline(never)]
fn phase_send(sender: &mut Sender<'_>, ring: &Ring, from: u64, n: usize) -> Outcome<()> {
    for index in from..from + n as u64 {
        sender.send(&index.to_ne_bytes(), &ring.payload(index)[..])?;
    }
    Ok(())
}

#[inline(never)]
fn phase_next_delivery(
    receiver: &mut Receiver<'_>,
    ring: &Ring,
    ids: &mut Vec<DeliveryId>,
    mut check: u64,
) -> u64 {
    while let Some(mut delivery) = receiver.next_delivery() {
        let payload = delivery.payload.make_contiguous();
        let body = payload.get(ring.overhead..).unwrap_or_default();
        check = fold_payload(check, payload.len(), body, payload);
        ids.extend(delivery.id);
    }
    check
}

#[inline(never)]
fn phase_credit(receiver: &Receiver<'_>, n: usize) -> u32 {
    // As often as it is asked: nothing changes meanwhile, which the compiler would see.
    (0..n).fold(0, |sum: u32, _| {
        sum.wrapping_add(black_box(receiver).credit())
    })
}

#[inline(never)]
fn phase_accept(receiver: &mut Receiver<'_>, ids: &[DeliveryId]) -> Outcome<()> {
    for id in ids {
        receiver.accept(*id)?;
    }
    Ok(())
}

#[inline(never)]
fn phase_next_update(link: &mut Link<'_>) -> Outcome<usize> {
    let mut n = 0;
    while let Some(update) = link.next_update() {
        let accepted = update.state == Some(DeliveryState::Accepted) && update.settled;
        ensure!(accepted, "a delivery was not accepted");
        n += 1;
    }
    Ok(n)
}

/// What is told of is fetched without asking.
fn events(engine: &mut Engine) {
    while engine.poll_event().is_some() {}
}
