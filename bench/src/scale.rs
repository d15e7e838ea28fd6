//! How the engine's costs grow: with links, with deliveries that stay unsettled, with connections that take turns, and with
//! engines that idle. Nothing is compared with a peer here: a cost that is flat is its own measure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::process::ExitCode;
use std::time::Instant;

use bytes::Buf;
use ferrion_engine::{
    Config, Engine, Event, Limits, LinkConfig, LinkId, SessionConfig, SessionId, Time,
};
use serde_json::{Value, json};

use crate::pair::carry;
use crate::work::{Outcome, ensure};

/// Messages that are sent on one link before output is moved.
const BATCH: u64 = 100;
/// Each measurement is made this often; the medians are told.
const ROUNDS: usize = 5;
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

/// 100 octets, accepted and settled, on each of so many links in turn.
fn by_links(divisor: u64) -> Outcome<Value> {
    println!("\nmessages of 100 octets, accepted, on so many links in turn");
    let mut table = Table::new("links");
    for links in [1, 10, 100, 1000, 10_000] {
        let mut world = World::new(links, 0)?;
        let count = (1_000_000 / divisor).max(2 * links * BATCH);
        world.exchange(count)?;
        table.row(links, || world.timed(count))?;
    }
    Ok(table.done())
}

/// The same on one link, while so many older deliveries stay unsettled.
fn by_unsettled(divisor: u64) -> Outcome<Value> {
    println!("\nthe same on one link, while so many deliveries stay unsettled");
    let mut table = Table::new("unsettled");
    for unsettled in [1, 100, 10_000, 1_000_000] {
        let mut world = World::new(1, unsettled)?;
        let count = 200_000 / divisor;
        world.exchange(unsettled + count)?;
        table.row(unsettled, || world.timed(count))?;
    }
    Ok(table.done())
}

/// The same on one link of each of so many connections in turn, all on one thread.
fn by_connections(divisor: u64) -> Outcome<Value> {
    println!("\nthe same on so many connections in turn, on one thread");
    let mut table = Table::new("connections");
    for connections in [1, 10, 100, 1000] {
        let worlds: Outcome<Vec<World>> = (0..connections).map(|_| World::new(1, 0)).collect();
        let mut worlds = worlds?;
        let turns = (400_000 / divisor / BATCH / connections).max(4);
        let mut all = || -> Outcome<u64> {
            for _ in 0..turns {
                for world in &mut worlds {
                    world.exchange(BATCH)?;
                }
            }
            Ok(turns * connections * BATCH)
        };
        all()?;
        table.row(connections, || {
            let start = Instant::now();
            let count = all()?;
            Ok(start.elapsed().as_nanos() as f64 / count as f64)
        })?;
    }
    Ok(table.done())
}

/// Links attached on one session, at both ends.
fn opening(divisor: u64) -> Outcome<Value> {
    println!("\nlinks attached on one session, both ends together");
    let mut rows = Vec::new();
    for links in [1000, 10_000, 100_000].map(|links| links / divisor) {
        let mut seconds = Vec::new();
        for _ in 0..ROUNDS {
            let mut world = World::new(0, 0)?;
            let start = Instant::now();
            world.attach(links)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        let seconds = median(&mut seconds);
        let each = seconds * 1e9 / links as f64;
        println!("{links:>12} links{seconds:>12.4} s{each:>12.0} ns a link");
        rows.push(json!({ "links": links, "seconds": seconds }));
    }
    Ok(rows.into())
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

/// What was measured at each size, and how far that is from the first one.
struct Table {
    what: &'static str,
    first: Option<f64>,
    rows: Vec<Value>,
}

impl Table {
    const fn new(what: &'static str) -> Self {
        Self {
            what,
            first: None,
            rows: Vec::new(),
        }
    }

    fn row(&mut self, size: u64, mut measure: impl FnMut() -> Outcome<f64>) -> Outcome<()> {
        let samples: Outcome<Vec<f64>> = (0..ROUNDS).map(|_| measure()).collect();
        let nanos = median(&mut samples?);
        let first = *self.first.get_or_insert(nanos);
        let change = (nanos / first - 1.0) * 100.0;
        println!(
            "{size:>12} {:<12}{nanos:>9.0} ns{change:>+9.0} %",
            self.what
        );
        self.rows.push(json!({ self.what: size, "nanos": nanos }));
        Ok(())
    }

    fn done(self) -> Value {
        self.rows.into()
    }
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Two engines with a session on which links are made.
struct World {
    client: Engine,
    server: Engine,
    session: SessionId,
    links: Vec<LinkId>,
    /// Whose turn it is.
    next: usize,
    sent: u64,
    received: u64,
    acknowledged: u64,
    /// So many deliveries, the first, are never settled.
    held: u64,
}

impl World {
    fn new(links: u64, held: u64) -> Outcome<Self> {
        let mut limits = Limits::default();
        limits.links_per_session = u32::MAX;
        limits.unsettled_per_session = u32::MAX;
        let config = |name: &'static str| {
            let mut config = Config::new(name);
            config.limits = limits.clone();
            config
        };
        let mut client = Engine::client(config("client"));
        client.connection().open()?;
        let session = client.connection().begin(SessionConfig::default())?;
        let mut world = Self {
            client,
            server: Engine::server(config("server")),
            session,
            links: Vec::new(),
            next: 0,
            sent: 0,
            received: 0,
            acknowledged: 0,
            held,
        };
        while world.pump()? {}
        world.attach(links)?;
        Ok(world)
    }

    fn attach(&mut self, count: u64) -> Outcome<()> {
        for number in 0..count {
            let name = format!("link-{number}");
            let mut session = self.client.session(self.session)?;
            self.links
                .push(session.attach_sender(LinkConfig::sender(name, "queue"))?);
        }
        while self.pump()? {}
        ensure!(
            self.server.census().links as u64 == count,
            "not every link was attached"
        );
        Ok(())
    }

    /// Nanoseconds for each of so many more messages.
    fn timed(&mut self, count: u64) -> Outcome<f64> {
        let start = Instant::now();
        self.exchange(count)?;
        Ok(start.elapsed().as_nanos() as f64 / count as f64)
    }

    /// Sends so many more messages, a batch on each link in turn, until they are acknowledged as far as they are to be.
    fn exchange(&mut self, count: u64) -> Outcome<()> {
        let total = self.sent + count;
        while self.sent < total {
            let link = *self.links.get(self.next).ok_or("there are no links")?;
            self.next = (self.next + 1) % self.links.len();
            let mut sender = self.client.sender(link)?;
            for _ in 0..BATCH.min(total - self.sent) {
                sender.send(&self.sent.to_ne_bytes(), &[7; 100])?;
                self.sent += 1;
            }
            self.pump()?;
        }
        while self.pump()? {}
        ensure!(self.received == total, "not every message arrived");
        let acknowledged = total.saturating_sub(self.held);
        ensure!(
            self.acknowledged == acknowledged,
            "not every message was acknowledged"
        );
        Ok(())
    }

    /// Moves what there is both ways; `false` if there was nothing.
    fn pump(&mut self) -> Outcome<bool> {
        const NOW: Time = Time(0);
        let there = carry(&mut self.client, &mut self.server, NOW);
        self.serve()?;
        let back = carry(&mut self.server, &mut self.client, NOW);
        while let Some(event) = self.client.poll_event() {
            if let Event::Updates(id) = event {
                let mut link = self.client.link(id)?;
                while let Some(update) = link.next_update() {
                    ensure!(update.settled, "a delivery was not settled");
                    self.acknowledged += 1;
                }
            }
        }
        Ok(there || back)
    }

    fn serve(&mut self) -> Outcome<()> {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::RemoteOpen => self.server.connection().open()?,
                Event::SessionBegun(id) => {
                    self.server.session(id)?.accept(SessionConfig::default())?;
                }
                Event::LinkAttached(id) => {
                    self.server.link(id)?.accept()?;
                    self.server.receiver(id)?.set_automatic_credit(1000)?;
                }
                Event::Deliveries(id) => {
                    let mut receiver = self.server.receiver(id)?;
                    while let Some(delivery) = receiver.next_delivery() {
                        self.received += 1;
                        if self.received > self.held
                            && let Some(id) = delivery.id
                        {
                            receiver.accept(id)?;
                        }
                    }
                }
                Event::Disconnected => return Err("the connection was lost".into()),
                _ => {}
            }
        }
        Ok(())
    }
}
