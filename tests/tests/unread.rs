//! Who asks and does not read the answers is not heard until it does; and nobody waits for that for ever.

use std::collections::VecDeque;

use bytes::Buf;
use ferrion_engine::{
    Config, Engine, Event, Failure, LinkConfig, Origin, Reason, SessionConfig, Time,
};
use ferrion_tests::build::{
    Build, Role, attach, begin, close, composite, detach, end, flow, open, source, target,
};
use ferrion_tests::oracle::{AMQP_HEADER, FrameReader, Perf, V, What};

const EXCEEDED: &str = "amqp:resource-limit-exceeded";

fn script_sender(name: &str, handle: u32) -> Build {
    attach()
        .name(name)
        .handle(handle)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().v())
        .target(target().v())
}

/// A link that comes and goes.
fn round(number: usize) -> Vec<u8> {
    let attach = script_sender(&format!("l{number}"), 0);
    let detach = detach().handle(0).closed(true);
    [attach.octets(0), detach.octets(0)].concat()
}

fn echo() -> Build {
    flow()
        .incoming_window(9)
        .next_outgoing_id(0)
        .outgoing_window(9)
        .next_incoming_id(0)
        .echo(true)
}

fn small() -> Config {
    let mut config = Config::new("engine");
    config.limits.control_octets = 4_096;
    config.limits.pending_replies = 50;
    config
}

/// A server with a session, whose program accepts and closes whatever links come; and how many came.
struct Deaf {
    engine: Engine,
    attached: usize,
    /// What was read of its output and not looked at.
    said: FrameReader,
}

impl Deaf {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = small();
        change(&mut config);
        let mut deaf = Self {
            engine: Engine::server(config),
            attached: 0,
            said: FrameReader::new(),
        };
        let begin = begin()
            .next_outgoing_id(0)
            .incoming_window(9)
            .outgoing_window(9);
        let octets = [
            &AMQP_HEADER[..],
            &open().container_id("script").octets(0),
            &begin.octets(0),
        ];
        deaf.hear(&octets.concat());
        deaf.read();
        deaf
    }

    fn hear(&mut self, octets: &[u8]) {
        self.take(octets);
        self.work();
    }

    fn take(&mut self, octets: &[u8]) {
        self.engine
            .recv_buffer(octets.len())
            .extend_from_slice(octets);
        self.engine.recv_filled(Time(0));
    }

    /// Gets links that come and go until it hears no more. Answers how many.
    fn fill(&mut self) -> usize {
        let mut number = 0;
        while !self.engine.is_blocked() {
            assert!(number < 1_000, "it is heard for ever");
            self.hear(&round(number));
            number += 1;
        }
        number
    }

    fn work(&mut self) {
        self.look();
        self.engine.transmit(Time(0));
    }

    fn look(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::RemoteOpen => self.engine.connection().open().unwrap(),
                Event::SessionBegun(id) => {
                    let mut session = self.engine.session(id).unwrap();
                    session.accept(SessionConfig::default()).unwrap();
                }
                Event::LinkAttached(id) => {
                    self.attached += 1;
                    self.engine.link(id).unwrap().accept().unwrap();
                }
                Event::LinkDetached(id) => {
                    // The engine has, if the fault was found here.
                    let _ = self.engine.link(id).unwrap().close(None);
                }
                _ => {}
            }
        }
    }

    /// The flows among what was read.
    fn flows(&mut self) -> Vec<Perf> {
        let pieces = std::iter::from_fn(|| self.said.next_piece().unwrap());
        let performatives = pieces.filter_map(|piece| match piece.what {
            What::Frame(frame) => frame.perf,
            What::Header(_) => None,
        });
        performatives.filter(|one| one.name() == "flow").collect()
    }

    /// Takes all output there is. Answers how much it was.
    fn read(&mut self) -> usize {
        let mut read = 0;
        loop {
            let mut output = self.engine.transmit(Time(0));
            let count = output.remaining();
            self.said.push(&output.copy_to_bytes(count));
            self.work();
            read += count;
            if count == 0 {
                return read;
            }
        }
    }
}

#[test]
fn a_peer_that_attaches_and_detaches_and_reads_nothing_is_not_heard_until_it_reads() {
    let mut deaf = Deaf::new();
    let mut sent = 0;
    while !deaf.engine.is_blocked() {
        assert!(sent < 1_000, "it is heard for ever");
        deaf.hear(&round(sent));
        sent += 1;
    }
    let waiting = deaf.engine.transmit(Time(0)).remaining();
    assert!((4_096..5_120).contains(&waiting), "{waiting} octets wait");
    // What comes now stays where it is.
    let links = deaf.engine.census().links;
    for number in 0..10 {
        deaf.hear(&round(sent + number));
    }
    assert_eq!(deaf.engine.census().links, links);
    assert_eq!(deaf.attached, sent);
    // And once it reads, everything goes on from there, whatever is called in between.
    let mut output = deaf.engine.transmit(Time(0));
    output.advance(output.remaining());
    deaf.engine.handle_timeout(Time(0));
    deaf.read();
    assert!(!deaf.engine.is_blocked());
    assert_eq!(deaf.attached, sent + 10);
    assert_eq!(deaf.engine.census().links, 0);
}

#[test]
fn one_that_asks_for_replies_and_reads_nothing_gets_one_of_each_kind() {
    let mut deaf = Deaf::new();
    for _ in 0..10_000 {
        let octets = echo().octets(0);
        deaf.engine.recv_buffer(64).extend_from_slice(&octets);
        deaf.engine.recv_filled(Time(0));
    }
    assert!(deaf.read() < 64);
}

// ---- what asks for a flow (2.7.4)

/// What a flow can be asked of: the session, a receiver of the engine's, and a sender of its.
const WHOLE: Option<u32> = None;
const RECEIVER: Option<u32> = Some(10);
const SENDER: Option<u32> = Some(11);

/// The peer asks for a flow, and tells what credit it gives, if it is one to give.
fn ask(of: Option<u32>, credit: u32) -> Vec<u8> {
    match of {
        None => echo().octets(0),
        Some(handle) => {
            let echo = echo().handle(handle).delivery_count(0);
            echo.link_credit(credit).octets(0)
        }
    }
}

/// One with a link of either role, of whose output a little waits, and so all of what comes next.
fn full() -> Deaf {
    let mut deaf = Deaf::with(|config| config.limits.control_octets = 1);
    let receiver = attach()
        .name("out")
        .handle(11)
        .role(Role::Receiver)
        .source(source().v())
        .target(target().v());
    let sender = script_sender("in", 10);
    deaf.hear(&[sender.octets(0), receiver.octets(0)].concat());
    deaf.read();
    deaf.hear(&ask(WHOLE, 0));
    deaf
}

#[test]
fn whatever_a_flow_is_asked_of_its_answer_is_none_of_the_replies_that_are_counted() {
    let without = full().fill();
    for asked in [
        vec![WHOLE],
        vec![RECEIVER],
        vec![SENDER],
        vec![WHOLE, RECEIVER, SENDER],
    ] {
        let mut deaf = full();
        for of in asked.iter().cycle().take(1_000) {
            deaf.hear(&ask(*of, 0));
        }
        assert_eq!(deaf.fill(), without, "{asked:?}");
    }
}

/// Whether the output is only full, or nothing is heard because of that.
#[test]
fn what_is_asked_in_vain_is_answered_once_and_with_what_is_true_then() {
    for is_heard in [true, false] {
        for (of, handle, given) in [
            (WHOLE, None, None),
            (RECEIVER, Some(0), Some(0)),
            (SENDER, Some(1), Some(1_000)),
        ] {
            let mut deaf = full();
            if !is_heard {
                deaf.fill();
            }
            for credit in 1..=1_000 {
                deaf.hear(&ask(of, credit));
            }
            deaf.read();
            // Behind what waited.
            let flows = deaf.flows();
            let [_, answer] = flows.as_slice() else {
                panic!("{of:?}: {flows:?}");
            };
            let said = ["handle", "link-credit"].map(|name| answer.uint(name));
            assert_eq!((said, answer.flag("echo")), ([handle, given], false));
        }
    }
}

#[test]
fn a_close_does_not_wait_for_a_peer_to_read() {
    let mut deaf = Deaf::new();
    deaf.fill();
    deaf.engine.connection().close(None).unwrap();
    // What comes of the peer's wish after it does not stand in its way.
    deaf.hear(&echo().handle(0).octets(0));
    deaf.engine.transmit(Time(0));
    // It was written, so the wait for the answer has begun.
    let deadline = deaf.engine.poll_timeout().expect("a deadline");
    deaf.engine.handle_timeout(deadline.at);
    assert_eq!(deaf.engine.failure(), Some(&Failure::HandshakeTimeout));
}

#[test]
fn the_limit_also_holds_for_a_program_that_pulls_nothing_while_it_cannot_write() {
    let mut deaf = Deaf::new();
    let mut sent = 0;
    while !deaf.engine.is_blocked() {
        assert!(sent < 1_000, "it is heard for ever");
        deaf.take(&round(sent));
        deaf.look();
        sent += 1;
    }
    for number in 0..10 {
        deaf.take(&round(sent + number));
        deaf.look();
    }
    assert_eq!(deaf.attached, sent);
    deaf.read();
    assert_eq!(deaf.attached, sent + 10);
}

#[test]
fn what_gathered_while_nothing_was_heard_is_not_heard_all_at_once() {
    let mut deaf = Deaf::new();
    deaf.fill();
    let before = deaf.engine.census().links;
    // Without initial-delivery-count they are refused at once, with an attach and a detach.
    let bad = |number: u32| {
        attach()
            .name(&format!("l{number}"))
            .handle(number)
            .role(Role::Sender)
            .source(source().v())
            .target(target().v())
            .octets(0)
    };
    let octets: Vec<u8> = (1_000..3_000).flat_map(bad).collect();
    deaf.take(&octets);
    assert_eq!(deaf.engine.census().links, before);
    // It reads once, and not again.
    let mut output = deaf.engine.transmit(Time(0));
    output.advance(output.remaining());
    deaf.engine.transmit(Time(0));
    assert!(deaf.engine.is_blocked());
    // Those that came and went are told of first.
    let heard = deaf.engine.census().links;
    assert!((10..300).contains(&heard), "{heard} were heard");
    deaf.read();
    assert_eq!(deaf.engine.census().links, 2_000);
}

#[test]
fn what_was_not_heard_yet_counts_at_the_end() {
    let mut deaf = Deaf::new();
    deaf.fill();
    let error = composite(0x1d).set("condition", V::sym("script:over"));
    deaf.hear(&close().error(error.v()).octets(0));
    assert_eq!(deaf.engine.failure(), None);
    deaf.engine.recv_eof(Time(1));
    let Some(Failure::Condition { origin, condition }) = deaf.engine.failure() else {
        panic!("{:?}", deaf.engine.failure());
    };
    assert_eq!(
        (*origin, condition.condition.as_str()),
        (Origin::Remote, "script:over")
    );
}

#[test]
fn a_peer_that_is_not_heard_is_not_silent() {
    let mut deaf = Deaf::with(|config| config.idle_time_out = Some(1_000));
    deaf.fill();
    let deadline = deaf.engine.poll_timeout().unwrap();
    assert_eq!(
        (deadline.at, deadline.reason),
        (Time(30_000), Reason::PeerNotReading)
    );
    deaf.engine.handle_timeout(Time(29_999));
    assert_eq!(deaf.engine.failure(), None);
    // It takes a little, which is a sign of life, and then everything.
    deaf.engine.transmit(Time(29_999)).advance(1);
    deaf.engine.handle_timeout(Time(30_500));
    assert_eq!(deaf.engine.poll_timeout().unwrap().at, Time(59_999));
    loop {
        let mut output = deaf.engine.transmit(Time(40_000));
        let count = output.remaining();
        output.advance(count);
        if count == 0 {
            break;
        }
    }
    assert!(!deaf.engine.is_blocked());
    let deadline = deaf.engine.poll_timeout().unwrap();
    assert_eq!(
        (deadline.at, deadline.reason),
        (Time(41_000), Reason::PeerSilent)
    );
    deaf.engine.handle_timeout(Time(41_000));
    assert!(deaf.engine.failure().is_some());
}

#[test]
fn a_peer_that_never_reads_is_given_up_and_that_is_why() {
    let mut deaf = Deaf::new();
    deaf.fill();
    let deadline = deaf.engine.poll_timeout().unwrap();
    assert_eq!(deadline.reason, Reason::PeerNotReading);
    deaf.engine.handle_timeout(deadline.at);
    let Some(Failure::Condition { origin, condition }) = deaf.engine.failure() else {
        panic!("{:?}", deaf.engine.failure());
    };
    assert_eq!(
        (*origin, condition.condition.as_str()),
        (Origin::Local, EXCEEDED)
    );
    assert_eq!(
        condition.description.as_deref(),
        Some("the peer asks, and has read no answer for 30000 ms")
    );
    deaf.engine.transmit(deadline.at);
    let events: Vec<Event> = std::iter::from_fn(|| deaf.engine.poll_event()).collect();
    assert_eq!(events.last(), Some(&Event::Disconnected), "{events:?}");
}

// ---- two engines over a wire that holds little

const WIRE: usize = 1_000;
const LINKS: usize = 300;

/// Both begin sessions or attach links, and accept those of the other; what is under way is in the wires, one each way.
struct Both {
    engines: [Engine; 2],
    wires: [VecDeque<u8>; 2],
    begun: [usize; 2],
    attached: [usize; 2],
}

impl Both {
    /// Each asks for a session with many links.
    fn with_links(pending_replies: u32) -> Self {
        let mut both = Self::new(pending_replies);
        for (side, engine) in both.engines.iter_mut().enumerate() {
            let session = engine.connection().begin(SessionConfig::default()).unwrap();
            for number in 0..LINKS {
                let config = LinkConfig::sender(format!("{side}-{number}"), "q");
                let mut session = engine.session(session).unwrap();
                session.attach_sender(config).unwrap();
            }
        }
        both
    }

    /// Each asks for many sessions, with a link on each.
    fn with_sessions(pending_replies: u32) -> Self {
        let mut both = Self::new(pending_replies);
        for (side, engine) in both.engines.iter_mut().enumerate() {
            for number in 0..LINKS {
                let session = engine.connection().begin(SessionConfig::default()).unwrap();
                let config = LinkConfig::sender(format!("{side}-{number}"), "q");
                let mut session = engine.session(session).unwrap();
                session.attach_sender(config).unwrap();
            }
        }
        both
    }

    fn new(pending_replies: u32) -> Self {
        let config = |name: &str| {
            let mut config = Config::new(name);
            config.limits.control_octets = 4_096;
            config.limits.pending_replies = pending_replies;
            config
        };
        let mut both = Self {
            engines: [Engine::client(config("a")), Engine::server(config("b"))],
            wires: Default::default(),
            begun: [0; 2],
            attached: [0; 2],
        };
        for engine in &mut both.engines {
            engine.connection().open().unwrap();
        }
        while both.step() {}
        both
    }

    /// Each writes what fits and then reads if it may. `false`: nothing moves.
    fn step(&mut self) -> bool {
        let mut moved = false;
        for side in 0..2 {
            let engine = &mut self.engines[side];
            let wire = &mut self.wires[side];
            loop {
                let mut output = engine.transmit(Time(0));
                let count = output.chunk().len().min(WIRE - wire.len());
                if count == 0 {
                    break;
                }
                wire.extend(&output.chunk()[..count]);
                output.advance(count);
                moved = true;
            }
            let wire = &mut self.wires[1 - side];
            if !engine.is_blocked() && !wire.is_empty() {
                engine.recv_buffer(WIRE).extend(wire.drain(..));
                engine.recv_filled(Time(0));
                moved = true;
            }
            while let Some(event) = engine.poll_event() {
                match event {
                    Event::SessionBegun(id) => {
                        self.begun[side] += 1;
                        let _ = engine.session(id).unwrap().accept(SessionConfig::default());
                    }
                    Event::LinkAttached(id) => {
                        self.attached[side] += 1;
                        let _ = engine.link(id).unwrap().accept();
                    }
                    _ => {}
                }
            }
        }
        moved
    }
}

#[test]
fn what_both_sides_ask_for_keeps_neither_from_hearing_the_other() {
    let mut both = Both::with_links(LINKS as u32 + 1);
    while both.step() {}
    // Its own and the other's.
    assert_eq!(both.attached, [2 * LINKS; 2]);
}

#[test]
fn two_that_both_ask_for_more_than_may_wait_hear_each_other() {
    for pending_replies in [1, 50] {
        for mut both in [
            Both::with_links(pending_replies),
            Both::with_sessions(pending_replies),
        ] {
            while both.step() {}
            assert_eq!(both.attached, [2 * LINKS; 2]);
        }
    }
}

/// What has come and gone makes no room for more.
#[test]
fn a_peer_that_begins_and_ends_sessions_and_reads_nothing_is_not_heard_until_it_reads() {
    let mut deaf = Deaf::new();
    let begin = begin()
        .next_outgoing_id(0)
        .incoming_window(9)
        .outgoing_window(9);
    let mut sent = 0;
    while !deaf.engine.is_blocked() {
        assert!(sent < 1_000, "it is heard for ever");
        deaf.hear(&begin.octets(1));
        deaf.hear(&end().octets(1));
        sent += 1;
    }
    // Each is answered with two frames, and the output has room for some.
    assert!(sent < 200, "{sent} were heard");
    deaf.read();
    assert!(!deaf.engine.is_blocked());
    assert_eq!(deaf.engine.census().sessions, 1);
}
