//! How the engine's costs grow: with links, with deliveries that stay unsettled, with connections that take turns, and with
//! engines that idle. Nothing is compared with a peer here: a cost that is flat is its own measure.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use ferrion_engine::{Config, Engine, Event, Time};
use serde_json::{Value, json};

use crate::ends::carry;
use crate::pair::Pair;
use crate::work::{Options, Outcome, Ring, ensure};

/// Messages that are sent on one link before output is moved.
const BATCH: u64 = 100;
/// Each measurement is made this often, and links are attached; the medians are told.
const ROUNDS: usize = 25;
const OPENINGS: usize = 5;
/// What the peer of an idle engine asks for: something at least this often, in milliseconds.
const SILENCE: u32 = 400_000;

/// Measures everything, prints it, and writes it to `scale.json` in the folder of `--out`.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let mut out = String::from("target/bench");
    // Everything that is counted is divided by this.
    let mut divisor = 1;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => divisor = 10,
            "--out" => out.clone_from(rest.next().ok_or("--out takes a folder")?),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    std::fs::create_dir_all(&out)?;
    let report = json!({
        "nanos_a_message_by_size": by_size(divisor)?,
        "nanos_a_message_by_links": by_links(divisor)?,
        "nanos_a_message_by_unsettled": by_unsettled(divisor)?,
        "nanos_a_message_by_connections": by_connections(divisor)?,
        "opening_links": opening(divisor)?,
        "idle_engines": idle(100_000 / divisor)?,
    });
    let file = format!("{out}/scale.json");
    std::fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("\nMachine-readable: {file}");
    Ok(ExitCode::SUCCESS)
}

/// Accepted and settled, with a payload of so many octets.
fn by_size(divisor: u64) -> Outcome<Value> {
    println!("\nmessages of so many octets, accepted, on one link");
    let kinds = [10, 100, 1000, 10_000, 100_000, 1_000_000].map(|octets| {
        let options = Options {
            body: octets as usize,
            batch: (200_000 / octets).clamp(1, BATCH),
            ..options(0)
        };
        let ring = Ring::new(options.body);
        (octets, options, ring)
    });
    let mut table = Table::new("octets");
    for (octets, options, ring) in &kinds {
        let mut pair = Pair::new(options, ring)?;
        pair.attach(1)?;
        // As many as copy so many octets, but not fewer than say something.
        let count = (1_000_000_000 / divisor / octets).clamp(1000, 200_000 / divisor);
        pair.exchange(count)?;
        table.row(*octets, move || timed(&mut pair, count));
    }
    table.measure()
}

/// 100 octets, accepted and settled, on each of so many links in turn.
fn by_links(divisor: u64) -> Outcome<Value> {
    println!("\nmessages of 100 octets, accepted, on so many links in turn");
    let options = options(0);
    let ring = Ring::new(options.body);
    let mut table = Table::new("links");
    for links in [1, 10, 100, 1000, 10_000] {
        let count = (200_000 / divisor).max(links * BATCH);
        let mut pair = Pair::new(&options, &ring)?;
        pair.attach(links)?;
        pair.exchange(count)?;
        table.row(links, move || timed(&mut pair, count));
    }
    table.measure()
}

/// The same on one link, while so many older deliveries stay unsettled.
fn by_unsettled(divisor: u64) -> Outcome<Value> {
    println!("\nthe same on one link, while so many deliveries stay unsettled");
    let kinds = [1, 100, 10_000, 1_000_000].map(|unsettled| (unsettled, options(unsettled)));
    let ring = Ring::new(options(0).body);
    let count = 200_000 / divisor;
    let mut table = Table::new("unsettled");
    for (unsettled, options) in &kinds {
        let mut pair = Pair::new(options, &ring)?;
        pair.attach(1)?;
        pair.exchange(unsettled + count)?;
        table.row(*unsettled, move || timed(&mut pair, count));
    }
    table.measure()
}

/// The same on one link of each of so many connections in turn, all on one thread, which hands each what comes for it in one
/// buffer, as if it were read from one socket after the other.
fn by_connections(divisor: u64) -> Outcome<Value> {
    println!("\nthe same on so many connections in turn, on one thread");
    let options = options(0);
    let ring = Ring::new(options.body);
    let mut table = Table::new("connections");
    for connections in [1, 10, 100, 1000] {
        let buffer = Rc::new(RefCell::new(BytesMut::new()));
        let mut pairs = Vec::new();
        for _ in 0..connections {
            let mut pair = Pair::new(&options, &ring)?;
            pair.attach(1)?;
            pair.share(&buffer);
            pairs.push(pair);
        }
        let turns = (400_000 / divisor / BATCH / connections).max(4);
        let mut all = move || -> Outcome<f64> {
            let start = Instant::now();
            for _ in 0..turns {
                for pair in &mut pairs {
                    pair.exchange(pair.source.sent + BATCH)?;
                }
            }
            let count = turns * connections * BATCH;
            Ok(start.elapsed().as_nanos() as f64 / count as f64)
        };
        all()?;
        table.row(connections, all);
    }
    table.measure()
}

/// Links attached on one session, at both ends.
fn opening(divisor: u64) -> Outcome<Value> {
    println!("\nlinks attached on one session, both ends together");
    let options = options(0);
    let ring = Ring::new(options.body);
    let mut rows = Vec::new();
    for links in [1000, 10_000, 100_000].map(|links| links / divisor) {
        let mut seconds = Vec::new();
        for _ in 0..OPENINGS {
            let mut pair = Pair::new(&options, &ring)?;
            let start = Instant::now();
            pair.attach(links)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        let seconds = median(seconds.into_iter());
        let each = seconds * 1e9 / links as f64;
        println!("{links:>12} links{seconds:>12.4} s{each:>12.0} ns a link");
        rows.push(json!({ "links": links, "seconds": seconds }));
    }
    Ok(rows.into())
}

/// 100 octets, accepted and settled, but for so many of the first.
fn options(held: u64) -> Options {
    Options {
        batch: BATCH,
        warmup: 0,
        held,
        ..Options::default()
    }
}

/// Nanoseconds for each of so many more messages.
fn timed(pair: &mut Pair<'_>, count: u64) -> Outcome<f64> {
    let start = Instant::now();
    pair.exchange(pair.source.sent + count)?;
    Ok(start.elapsed().as_nanos() as f64 / count as f64)
}

/// Engines with nothing to do but to be heard of in time, the caller keeping their deadlines in a heap.
fn idle(count: u64) -> Outcome<Value> {
    println!("\n{count} idle connections whose peers want to hear of them every {SILENCE} ms");
    let before = resident()?;
    let mut engines = Vec::new();
    for number in 0..count {
        engines.push(opened(Time(number))?);
    }
    let octets = resident()?.saturating_sub(before) / count.max(1);
    println!("{octets:>12} octets of resident memory each");
    let mut deadlines = BinaryHeap::new();
    for (index, engine) in engines.iter().enumerate() {
        let deadline = engine.poll_timeout().ok_or("no heartbeat is due")?;
        deadlines.push(Reverse((deadline.at, index)));
    }
    let mut ticks = Vec::new();
    for due in [0, count / 100, count / 10, count] {
        // As far as that many are due, counted from those that were due before.
        let Some(Reverse((first, _))) = deadlines.peek().copied() else {
            break;
        };
        let now = Time(first.0 + due).max(Time(1)).0 - 1;
        let start = Instant::now();
        let mut heard = 0u64;
        while let Some(Reverse((at, index))) = deadlines.peek().copied()
            && at.0 <= now
        {
            deadlines.pop();
            let engine = engines.get_mut(index).ok_or("no such engine")?;
            engine.handle_timeout(Time(now));
            let mut output = engine.transmit(Time(now));
            let octets = output.remaining();
            output.advance(octets);
            heard += u64::from(octets > 0);
            let deadline = engine.poll_timeout().ok_or("no heartbeat is due")?;
            deadlines.push(Reverse((deadline.at, index)));
        }
        let time = start.elapsed().as_secs_f64();
        let each = time * 1e9 / heard.max(1) as f64;
        println!(
            "{heard:>12} heartbeats due{:>12.3} ms{each:>12.0} ns each",
            time * 1e3
        );
        ticks.push(json!({ "due": heard, "seconds": time }));
    }
    Ok(json!({ "engines": count, "resident_octets_each": octets, "ticks": ticks }))
}

/// An engine whose connection is open, to a peer that asked to hear of it.
fn opened(now: Time) -> Outcome<Engine> {
    let mut client = Engine::client(Config::new("client"));
    let mut config = Config::new("server");
    config.idle_time_out = Some(SILENCE);
    let mut server = Engine::server(config);
    client.connection().open()?;
    let mut open = false;
    while carry(&mut client, &mut server, now) | carry(&mut server, &mut client, now) {
        while let Some(event) = server.poll_event() {
            if event == Event::RemoteOpen {
                server.connection().open()?;
            }
        }
        while let Some(event) = client.poll_event() {
            open |= event == Event::RemoteOpen;
        }
    }
    ensure!(open, "the connection is not open");
    Ok(client)
}

/// Octets of memory that this process has from the system.
fn resident() -> Outcome<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages
        .split_whitespace()
        .nth(1)
        .ok_or("no resident pages are told")?
        .parse()?;
    Ok(pages * 4096)
}

/// What is measured at each size, and how far that is from the first one. All of it is measured in turn, so that a machine which
/// becomes faster or slower does so for all.
struct Table<'a> {
    what: &'static str,
    rows: Vec<(u64, Measure<'a>)>,
}

/// Nanoseconds for a message.
type Measure<'a> = Box<dyn FnMut() -> Outcome<f64> + 'a>;

impl<'a> Table<'a> {
    const fn new(what: &'static str) -> Self {
        let rows = Vec::new();
        Self { what, rows }
    }

    fn row(&mut self, size: u64, measure: impl FnMut() -> Outcome<f64> + 'a) {
        self.rows.push((size, Box::new(measure)));
    }

    fn measure(mut self) -> Outcome<Value> {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let round = self.rows.iter_mut().map(|(_, measure)| measure());
            rounds.push(round.collect::<Outcome<Vec<f64>>>()?);
        }
        let mut rows = Vec::new();
        for (index, (size, _)) in self.rows.iter().enumerate() {
            let nanos = median(rounds.iter().map(|round| round[index]));
            let of_first = median(rounds.iter().map(|round| round[index] / round[0]));
            let change = (of_first - 1.0) * 100.0;
            println!(
                "{size:>12} {:<12}{nanos:>9.0} ns{change:>+9.0} %",
                self.what
            );
            rows.push(json!({ self.what: size, "nanos": nanos, "of_first": of_first }));
        }
        Ok(rows.into())
    }
}

fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
