//! Two ferrion engines in two processes, with a socket over loopback between them; and the limit of that: the same
//! octets in the same writes, of which nobody makes anything.

use std::io::{Read, Write};

use crate::ends::{Sink, Source};
use crate::pair::Pair;
use crate::wire::{Wire, pull_with};
use crate::work::{Clock, Options, Outcome, Ring, ensure, report};

pub(crate) fn recv(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut sink = Sink::new(options, &ring);
    let mut wire = Wire::accepted()?;
    let mut clock = Clock::start();
    while sink.received < options.total() {
        let warm = sink.received < options.warmup;
        wire.feed(&mut sink.engine)?;
        sink.look()?;
        wire.pull(&mut sink.engine)?;
        if warm {
            clock = Clock::start();
        }
    }
    let time = clock.elapsed();
    wire.wait_for_end()?;
    report(options.count, time, ring.octets as u64, sink.check);
    Ok(())
}

/// The clock runs from when the warm-up is known to have arrived until all the rest is.
pub(crate) fn send(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut source = Source::new(options, &ring)?;
    source.attach(1)?;
    let mut wire = Wire::connected(options.port)?;
    while !source.is_up()? {
        wire.pull(&mut source.engine)?;
        wire.feed(&mut source.engine)?;
        source.look()?;
    }
    exchange(&mut source, &mut wire, options.warmup)?;
    let clock = Clock::start();
    exchange(&mut source, &mut wire, options.total())?;
    report(options.count, clock.elapsed(), ring.octets as u64, 0);
    Ok(())
}

/// Sends until `total` messages are known to have arrived.
fn exchange(source: &mut Source<'_>, wire: &mut Wire, total: u64) -> Outcome<()> {
    while source.acknowledged < source.options.acknowledged(total) {
        source.send_batch(total)?;
        wire.pull(&mut source.engine)?;
        // What the receiver says is looked at when there is need of it: it is there then, since credit comes at half.
        if source.must_wait(total)? {
            wire.feed(&mut source.engine)?;
            source.look()?;
        }
    }
    Ok(())
}

/// Reads as [`recv`] does, and tells when all of the warm-up is there, and all of the rest.
pub(crate) fn bare_recv(options: &Options) -> Outcome<()> {
    let batches = writes_of_batches(options)?;
    let mut wire = Wire::accepted()?;
    let mut clock = Clock::start();
    for messages in [options.warmup, options.count] {
        clock = Clock::start();
        let writes = writes_of(&batches, messages / options.batch);
        let due: usize = writes.map(Vec::len).sum();
        let mut read = 0;
        while read < due {
            let more = wire.stream.read(&mut wire.buffer)?;
            ensure!(more > 0, "the sender left early");
            read += more;
        }
        ensure!(read == due, "more came than was sent");
        wire.stream.write_all(&[1])?;
    }
    let time = clock.elapsed();
    wire.wait_for_end()?;
    report(options.count, time, octets_each(&batches, options), 0);
    Ok(())
}

/// Writes what [`send`] writes.
pub(crate) fn bare_send(options: &Options) -> Outcome<()> {
    let batches = writes_of_batches(options)?;
    let mut wire = Wire::connected(options.port)?;
    let mut clock = Clock::start();
    for messages in [options.warmup, options.count] {
        clock = Clock::start();
        for octets in writes_of(&batches, messages / options.batch) {
            wire.stream.write_all(octets)?;
        }
        wire.stream.read_exact(&mut [0])?;
    }
    let time = clock.elapsed();
    report(options.count, time, octets_each(&batches, options), 0);
    Ok(())
}

/// The writes of a batch.
type Batch = Vec<Vec<u8>>;

/// The writes of so many batches, one after the other and from the beginning again.
fn writes_of(batches: &[Batch], count: u64) -> impl Iterator<Item = &Vec<u8>> {
    batches.iter().cycle().take(count as usize).flatten()
}

/// Octets of a message, with the frames around it.
fn octets_each(batches: &[Batch], options: &Options) -> u64 {
    let octets: usize = batches.iter().flatten().map(Vec::len).sum();
    octets as u64 / (batches.len() as u64 * options.batch)
}

/// What [`send`] writes for all batches until it begins with the ring of payloads anew, octet for octet but for the numbers of
/// deliveries, which count up. With fewer the limit would read from a nearer cache than what is measured.
fn writes_of_batches(options: &Options) -> Outcome<Vec<Batch>> {
    ensure!(
        options.count.is_multiple_of(options.batch) && options.warmup.is_multiple_of(options.batch),
        "batches are to be whole"
    );
    let ring = Ring::new(options.body);
    let slots = ring.len();
    ensure!(
        slots.is_multiple_of(options.batch) || options.batch.is_multiple_of(slots),
        "batches are to go through the ring of {slots} payloads evenly"
    );
    let mut pair = Pair::new(options, &ring)?;
    pair.attach(1)?;
    let mut batches = Vec::new();
    for _ in 0..ring.len().div_ceil(options.batch) {
        let mut writes = Vec::new();
        let due = pair.source.sent + options.batch;
        pair.source.send_batch(due)?;
        ensure!(
            pair.source.sent == due,
            "the credit is to last for all payloads"
        );
        pull_with(&mut pair.source.engine, |pieces| {
            let octets: Vec<u8> = pieces
                .iter()
                .flat_map(|piece| piece.iter().copied())
                .collect();
            let count = octets.len();
            writes.push(octets);
            Ok(count)
        })?;
        batches.push(writes);
    }
    Ok(batches)
}
