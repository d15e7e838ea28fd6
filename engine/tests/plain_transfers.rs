//! Transfers in their usual form are handled on a way of their own. That it leads to the same place as the way of all others
//! is shown by two engines of which one hears everything in a form that nobody uses.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Condition, DeliveryState, ReceiverSettleMode, conditions};
use ferrion_engine::{
    Config, DeliveryId, Engine, Event, LinkConfig, LinkId, SendOptions, SessionConfig, SessionId,
    Time, UsageError,
};
use proptest::prelude::*;

const NOW: Time = Time(1);
const TRANSFER: u8 = 0x14;
const LIST8: u8 = 0xc0;
const LIST32: u8 = 0xd0;
const NULL: u8 = 0x40;
const TRUE: u8 = 0x41;
const UINT_ZERO: u8 = 0x43;
const UINT_SMALL: u8 = 0x52;
const UINT: u8 = 0x70;

/// Everything that `engine` has to say.
fn output(engine: &mut Engine) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let mut output = engine.transmit(NOW);
        if !output.has_remaining() {
            return octets;
        }
        while output.has_remaining() {
            let length = output.chunk().len();
            octets.extend_from_slice(output.chunk());
            output.advance(length);
        }
    }
}

fn hear(engine: &mut Engine, octets: &[u8]) {
    engine.recv(NOW, &mut BytesMut::from(octets));
}

/// The frames in these octets; what comes before the first is a protocol header.
fn frames(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = octets;
    let mut frames = Vec::new();
    while rest.len() >= 8 {
        let size = match rest {
            [b'A', b'M', b'Q', b'P', ..] => 8,
            [a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]) as usize,
            _ => unreachable!("there are eight octets"),
        };
        frames.push(rest[..size].to_vec());
        rest = &rest[size..];
    }
    frames
}

fn is_transfer(frame: &[u8]) -> bool {
    frame.get(8..11) == Some(&[0x00, 0x53, TRANSFER])
}

/// The same transfer, its list with a size and a count of four octets each.
fn widened(frame: &[u8]) -> Vec<u8> {
    let [LIST8, size, count] = frame[11..14] else {
        panic!("not the usual form: {frame:?}");
    };
    let mut wide = frame[..11].to_vec();
    wide.push(LIST32);
    wide.extend_from_slice(&(u32::from(size) + 3).to_be_bytes());
    wide.extend_from_slice(&u32::from(count).to_be_bytes());
    wide.extend_from_slice(&frame[14..]);
    let whole = (wide.len() as u32).to_be_bytes();
    wide[..4].copy_from_slice(&whole);
    wide
}

/// The same transfer, these its fields, the first of them in the list.
fn with_fields(frame: &[u8], count: u8, fields: &[u8]) -> Vec<u8> {
    let payload = &frame[13 + usize::from(frame[12])..];
    let size = u8::try_from(fields.len() + 1).expect("a short list");
    let mut other = [&frame[..12], &[size, count], fields, payload].concat();
    let whole = (other.len() as u32).to_be_bytes();
    other[..4].copy_from_slice(&whole);
    other
}

fn fields(frame: &[u8]) -> (u8, &[u8]) {
    (frame[13], &frame[14..13 + usize::from(frame[12])])
}

/// The same transfer, of whose delivery more is to come.
fn unfinished(frame: &[u8]) -> Vec<u8> {
    const SETTLED_TO_BATCHABLE: usize = 7;
    let (count, fields) = fields(frame);
    let mut fields = fields.to_vec();
    match count {
        4 => fields.extend([NULL, TRUE]),
        5 => fields.push(TRUE),
        _ => {
            let more = fields.len() - SETTLED_TO_BATCHABLE + 1;
            fields[more] = TRUE;
        }
    }
    with_fields(frame, count.max(6), &fields)
}

/// The same transfer with a delivery-id that is higher. Those that are written here, and the handles, have one or two octets.
fn renumbered(frame: &[u8], by: u8) -> Vec<u8> {
    let (count, fields) = fields(frame);
    let (handle, fields) = fields.split_at(if fields[0] == UINT_ZERO { 1 } else { 2 });
    let (number, rest) = match fields {
        [UINT_ZERO, rest @ ..] => (0, rest),
        [UINT_SMALL, number, rest @ ..] => (*number, rest),
        _ => panic!("a small delivery-id: {fields:?}"),
    };
    let number = u32::from(number) + u32::from(by) * 2;
    let fields = [handle, &[UINT], &number.to_be_bytes()[..], rest].concat();
    with_fields(frame, count, &fields)
}

/// One that is sent to, and does what its plan says with what comes.
struct Server {
    engine: Engine,
    links: Vec<LinkId>,
    /// Deliveries that were answered.
    answered: usize,
    /// Accepts by the call that takes nothing for usual.
    at_once: bool,
    seen: Vec<String>,
}

/// What a case is about.
#[derive(Clone, Debug)]
struct Plan {
    credit: u32,
    automatic: bool,
    window: u32,
    max_message_size: Option<u64>,
    /// What the server keeps at most.
    delivery_octets: u64,
    unsettled: u32,
    link_octets: u64,
    connection_octets: u64,
    second: bool,
    /// The second link is on a session of its own.
    apart: bool,
    /// The server keeps a trace.
    traced: bool,
    /// What the server answers to deliveries, in turn, and whether to those of one link after those of the other.
    answers: Vec<Answer>,
    link_by_link: bool,
    /// Messages that are on their way at once.
    together: usize,
    /// The server accepts the last of those that came first.
    backwards: bool,
    messages: Vec<Message>,
}

#[derive(Clone, Debug)]
struct Message {
    /// Which link it is sent on, and what is done to.
    link: usize,
    tag: Vec<u8>,
    size: usize,
    settled: bool,
    batchable: bool,
    format: u32,
    /// What becomes of the transfer on its way.
    fate: Fate,
    /// Whether the server takes and settles what has come by then, and what it does before.
    takes: bool,
    deed: Deed,
    /// Before it, the sender settles the oldest that is not.
    settles: bool,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Accepts,
    Releases,
    /// Tells that it will accept.
    TellsBefore,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    /// More of it is said to follow.
    Unfinished,
    /// Its delivery is called by a number so much higher.
    Leaps(u8),
}

/// What the server does before a message comes.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Nothing,
    Drains,
    TakesCreditBack,
    Streams(bool),
    ClosesGracefully,
    ClosesWithError,
    Detaches,
    EndsSession,
    ClosesConnection,
}

impl Server {
    fn new(plan: &Plan, at_once: bool) -> Self {
        let mut config = Config::new("server");
        config.limits.delivery_octets = plan.delivery_octets;
        config.limits.unsettled_per_session = plan.unsettled;
        config.limits.link_octets = plan.link_octets;
        config.limits.connection_octets = plan.connection_octets;
        let mut engine = Engine::server(config);
        engine.set_tracing(plan.traced);
        engine.connection().open().expect("a new connection");
        Self {
            engine,
            links: Vec::new(),
            answered: 0,
            at_once,
            seen: Vec::new(),
        }
    }

    fn react(&mut self, plan: &Plan) {
        while let Some(event) = self.engine.poll_event() {
            self.seen.push(format!("{event:?}"));
            match event {
                Event::SessionBegun(id) => {
                    let config = SessionConfig {
                        incoming_window: plan.window,
                        ..SessionConfig::default()
                    };
                    // Whichever the limits have ended already refuses.
                    let session = self.engine.session(id);
                    let done = session.and_then(|mut session| session.accept(config));
                    self.seen.push(format!("{done:?}"));
                }
                Event::LinkAttached(id) => {
                    let done = self.attach(plan, id);
                    self.seen.push(format!("{done:?}"));
                    self.links.push(id);
                }
                _ => {}
            }
        }
        while let Some(line) = self.engine.poll_trace() {
            self.seen.push(line);
        }
    }

    fn attach(&mut self, plan: &Plan, id: LinkId) -> Result<(), UsageError> {
        let mut link = self.engine.link(id)?;
        let mut config = link.offer().ok_or(UsageError::StaleHandle)?;
        config.max_message_size = plan.max_message_size;
        link.accept_with(config)?;
        let mut receiver = self.engine.receiver(id)?;
        if plan.automatic {
            receiver.set_automatic_credit(plan.credit)
        } else {
            receiver.set_credit(plan.credit)
        }
    }

    fn take(&mut self, plan: &Plan) {
        let mut unsettled = Vec::new();
        for (index, id) in self.links.iter().enumerate() {
            let Ok(mut receiver) = self.engine.receiver(*id) else {
                continue;
            };
            let read = receiver.read_partial();
            self.seen.push(format!("{read:?}"));
            // By turns with the other link, or not.
            let mut turn = 0;
            while let Some(delivery) = receiver.next_delivery() {
                self.seen.push(format!("{delivery:?}"));
                turn += usize::from(!plan.link_by_link);
                unsettled.extend(delivery.id.map(|delivery| (turn, index, *id, delivery)));
            }
        }
        unsettled.sort_by_key(|(turn, index, ..)| (*turn, *index));
        if plan.backwards {
            unsettled.reverse();
        }
        for (_, _, link, delivery) in unsettled {
            self.answer(plan, link, delivery);
        }
        for id in &self.links {
            if let Ok(receiver) = self.engine.receiver(*id) {
                let (credit, available) = (receiver.credit(), receiver.available());
                self.seen.push(format!("{credit} {available}"));
            }
        }
    }

    fn answer(&mut self, plan: &Plan, link: LinkId, id: DeliveryId) {
        let Ok(mut receiver) = self.engine.receiver(link) else {
            return;
        };
        let answer = plan.answers[self.answered % plan.answers.len()];
        self.answered += 1;
        if matches!(answer, Answer::TellsBefore) {
            let told = receiver.update(id, DeliveryState::Accepted);
            self.seen.push(format!("{told:?}"));
        }
        let released = matches!(answer, Answer::Releases).then_some(DeliveryState::Released);
        let done = match (released, self.at_once) {
            (None, false) => receiver.accept(id),
            (None, true) => receiver.settle_at_once(id, Some(DeliveryState::Accepted)),
            (Some(released), false) => receiver.settle(id, released),
            (released, true) => receiver.settle_at_once(id, released),
        };
        self.seen.push(format!("{answer:?}: {done:?}"));
    }

    fn carry_out(&mut self, deed: Deed, link: usize) {
        let Some(id) = self.links.get(link).copied() else {
            return;
        };
        let Ok(link) = self.engine.link(id) else {
            return;
        };
        let session = link.session();
        let error = Condition::new(conditions::INTERNAL_ERROR);
        let done = match deed {
            Deed::Nothing => return,
            Deed::Drains => self.engine.receiver(id).and_then(|mut r| r.drain()),
            Deed::TakesCreditBack => self.engine.receiver(id).and_then(|mut r| r.set_credit(0)),
            Deed::Streams(on) => self.engine.receiver(id).map(|mut r| r.set_streaming(on)),
            Deed::ClosesGracefully => self
                .engine
                .link(id)
                .and_then(|mut l| l.close_by(Time(1000))),
            Deed::ClosesWithError => self.engine.link(id).and_then(|mut l| l.close(Some(error))),
            Deed::Detaches => self.engine.link(id).and_then(|mut l| l.detach()),
            Deed::EndsSession => session
                .ok_or(UsageError::StaleHandle)
                .and_then(|id| self.engine.session(id)?.end(None)),
            Deed::ClosesConnection => self.engine.connection().close(None),
        };
        self.seen.push(format!("{deed:?}: {done:?}"));
    }
}

struct Client {
    engine: Engine,
    links: Vec<(SessionId, LinkId)>,
    /// What was sent and is not settled by the sender, and on which link.
    sent: VecDeque<(usize, DeliveryId)>,
}

impl Client {
    fn new(plan: &Plan) -> Self {
        let mut engine = Engine::client(Config::new("client"));
        engine.connection().open().expect("a new connection");
        let mut begin = || engine.connection().begin(SessionConfig::default());
        let first = begin().expect("an open connection");
        let second = if plan.apart {
            begin().expect("an open connection")
        } else {
            first
        };
        let mut attach = |id, name| {
            let mut config = LinkConfig::sender(name, "queue");
            if plan.second {
                config.rcv_settle_mode = ReceiverSettleMode::Second;
            }
            let mut session = engine.session(id).expect("begun");
            (id, session.attach_sender(config).expect("a session"))
        };
        let links = vec![attach(first, "first"), attach(second, "second")];
        Self {
            engine,
            links,
            sent: VecDeque::new(),
        }
    }

    fn send(&mut self, message: &Message) {
        let options = SendOptions {
            message_format: message.format,
            settled: message.settled,
            batchable: message.batchable,
            ..SendOptions::default()
        };
        // Without credit, or once link or session have ended, there is nothing to be compared.
        if message.settles
            && let Some((link, delivery)) = self.sent.pop_front()
            && let Ok(mut sender) = self.engine.sender(self.links[link].1)
        {
            let _ = sender.settle(delivery);
        }
        let (session, link) = self.links[message.link];
        if self.engine.session(session).is_ok()
            && let Ok(mut sender) = self.engine.sender(link)
            && let Ok(sent) = sender.send_with(&message.tag, &options, vec![7; message.size])
        {
            self.sent.extend(sent.map(|sent| (message.link, sent)));
        }
    }
}

fn messages() -> impl Strategy<Value = Message> {
    let fate = prop_oneof![
        40 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Unfinished),
        1 => any::<u8>().prop_map(Fate::Leaps),
    ];
    let deed = prop_oneof![
        40 => Just(Deed::Nothing),
        4 => Just(Deed::Drains),
        4 => Just(Deed::TakesCreditBack),
        2 => any::<bool>().prop_map(Deed::Streams),
        1 => Just(Deed::ClosesGracefully),
        1 => Just(Deed::ClosesWithError),
        1 => Just(Deed::Detaches),
        1 => Just(Deed::EndsSession),
        1 => Just(Deed::ClosesConnection),
    ];
    (
        prop::collection::vec(any::<u8>(), 0..33),
        0usize..300,
        any::<(bool, bool)>(),
        prop_oneof![Just(0), any::<u32>()],
        fate,
        (any::<bool>(), deed),
        (0usize..2, prop::bool::weighted(0.1)),
    )
        .prop_map(
            |(tag, size, (settled, batchable), format, fate, (takes, deed), (link, settles))| {
                Message {
                    link,
                    tag,
                    size,
                    settled,
                    batchable,
                    format,
                    fate,
                    takes,
                    deed,
                    settles,
                }
            },
        )
}

fn plans() -> impl Strategy<Value = Plan> {
    let limits = (
        prop_oneof![3 => Just((u64::MAX, u32::MAX)), 1 => (100u64..300, 0u32..6)],
        prop_oneof![3 => Just(u64::MAX), 1 => 0u64..1500],
        // Sessions and links count, too.
        prop_oneof![3 => Just(u64::MAX), 1 => 9_000u64..14_000],
    );
    let answer = prop_oneof![
        6 => Just(Answer::Accepts),
        1 => Just(Answer::Releases),
        1 => Just(Answer::TellsBefore),
    ];
    (
        (1u32..12, any::<bool>()),
        1u32..12,
        prop_oneof![3 => Just(None), 1 => (0u64..300).prop_map(Some)],
        limits,
        any::<[bool; 5]>(),
        1usize..6,
        prop::collection::vec(answer, 1..8),
        prop::collection::vec(messages(), 1..30),
    )
        .prop_map(
            |(
                (credit, automatic),
                window,
                max_message_size,
                ((delivery_octets, unsettled), link_octets, connection_octets),
                [second, apart, traced, backwards, link_by_link],
                together,
                answers,
                messages,
            )| Plan {
                credit,
                automatic,
                window,
                max_message_size,
                delivery_octets,
                unsettled,
                link_octets,
                connection_octets,
                second,
                apart,
                traced,
                answers,
                link_by_link,
                together,
                backwards,
                messages,
            },
        )
}

/// Carries out a plan with two servers; answers how many transfers they heard.
fn compare(plan: &Plan) -> Result<usize, TestCaseError> {
    let mut client = Client::new(plan);
    let (mut usual, mut wide) = (Server::new(plan, false), Server::new(plan, !plan.second));
    let mut transfers = 0;
    let batches = plan.messages.chunks(plan.together);
    for messages in std::iter::once(&[][..]).chain(batches) {
        for message in messages {
            client.send(message);
            usual.carry_out(message.deed, message.link);
            wide.carry_out(message.deed, message.link);
        }
        for _ in 0..3 {
            let mut fates = messages.iter().map(|message| message.fate);
            let (mut plain, mut widest) = (Vec::new(), Vec::new());
            for frame in frames(&output(&mut client.engine)) {
                if !is_transfer(&frame) {
                    plain.extend_from_slice(&frame);
                    widest.extend_from_slice(&frame);
                    continue;
                }
                let fate = fates.next().unwrap_or(Fate::Arrives);
                let frame = match fate {
                    Fate::Unfinished => unfinished(&frame),
                    Fate::Leaps(by) => renumbered(&frame, by),
                    _ => frame,
                };
                let times = match fate {
                    Fate::Lost => 0,
                    Fate::Twice => 2,
                    _ => 1,
                };
                for _ in 0..times {
                    transfers += 1;
                    plain.extend_from_slice(&frame);
                    widest.extend_from_slice(&widened(&frame));
                }
            }
            hear(&mut usual.engine, &plain);
            hear(&mut wide.engine, &widest);
            usual.react(plan);
            wide.react(plan);
            if messages.iter().any(|message| message.takes) {
                usual.take(plan);
                wide.take(plan);
            }
            let said = output(&mut usual.engine);
            prop_assert_eq!(&said, &output(&mut wide.engine));
            hear(&mut client.engine, &said);
            while client.engine.poll_event().is_some() {}
        }
        prop_assert_eq!(usual.engine.census(), wide.engine.census());
        prop_assert_eq!(usual.engine.failure(), wide.engine.failure());
    }
    prop_assert_eq!(&usual.seen, &wide.seen);
    Ok(transfers)
}

proptest! {
    #[test]
    fn a_transfer_means_the_same_in_whichever_form_it_comes(plan in plans()) {
        compare(&plan)?;
    }
}

/// Messages on both links to whom nothing happens.
fn without_mishaps(count: u8) -> Plan {
    let message = |number: u8| Message {
        link: usize::from(number % 5 > 2),
        tag: vec![number],
        size: usize::from(number),
        settled: number.is_multiple_of(2),
        batchable: number.is_multiple_of(3),
        format: 0,
        fate: Fate::Arrives,
        takes: true,
        deed: Deed::Nothing,
        settles: false,
    };
    Plan {
        credit: 4,
        automatic: true,
        window: 4,
        max_message_size: None,
        delivery_octets: u64::MAX,
        unsettled: u32::MAX,
        link_octets: u64::MAX,
        connection_octets: u64::MAX,
        second: false,
        apart: false,
        traced: false,
        answers: vec![Answer::Accepts],
        link_by_link: false,
        together: 1,
        backwards: false,
        messages: (0..count).map(message).collect(),
    }
}

#[test]
fn messages_of_a_plan_without_mishaps_are_all_compared() {
    for traced in [false, true] {
        let plan = Plan {
            traced,
            ..without_mishaps(100)
        };
        assert_eq!(compare(&plan).expect("no difference"), 100);
    }
}

/// Wherever what a connection may hold ends, the page that a delivery is found on among it: both ways find room, or neither.
#[test]
fn both_ways_end_at_the_same_octet_of_what_a_connection_may_hold() {
    for connection_octets in 7_000..14_000 {
        let plan = Plan {
            connection_octets,
            ..without_mishaps(4)
        };
        compare(&plan).expect("no difference");
    }
}

/// How many deliveries are taken of those that come in one read or one after the other, and what is answered.
fn taken(plan: &Plan, in_one_read: bool) -> (usize, Vec<u8>) {
    let (mut client, mut server) = (Client::new(plan), Server::new(plan, false));
    for _ in 0..3 {
        let said = output(&mut client.engine);
        hear(&mut server.engine, &said);
        server.react(plan);
        hear(&mut client.engine, &output(&mut server.engine));
    }
    for message in &plan.messages {
        client.send(message);
    }
    let transfers = frames(&output(&mut client.engine));
    assert_eq!(transfers.len(), plan.messages.len(), "there was credit");
    if in_one_read {
        hear(&mut server.engine, &transfers.concat());
    } else {
        for transfer in &transfers {
            hear(&mut server.engine, transfer);
        }
    }
    let mut count = 0;
    for id in server.links.clone() {
        if let Ok(mut receiver) = server.engine.receiver(id) {
            count += std::iter::from_fn(|| receiver.next_delivery()).count();
        }
    }
    (count, output(&mut server.engine))
}

#[test]
fn one_large_read_stops_at_the_same_limits_as_many_small_ones() {
    let unlimited = Plan {
        credit: 100,
        automatic: false,
        window: 100,
        ..without_mishaps(40)
    };
    assert_eq!(taken(&unlimited, true).0, 40);
    let one_link = |mut plan: Plan| {
        for message in &mut plan.messages {
            message.link = 0;
        }
        plan
    };
    for connection_octets in (10_000..20_000).step_by(500) {
        let plan = Plan {
            connection_octets,
            ..unlimited.clone()
        };
        for plan in [plan.clone(), one_link(plan)] {
            let (count, said) = taken(&plan, true);
            assert!(count < 40, "{count} within {connection_octets} octets");
            assert_eq!((count, said), taken(&plan, false), "{connection_octets}");
        }
    }
    for link_octets in (0..300).step_by(20) {
        let plan = Plan {
            link_octets,
            ..unlimited.clone()
        };
        let (count, said) = taken(&plan, true);
        assert!(count < 40, "{count} within {link_octets} octets");
        assert_eq!((count, said), taken(&plan, false), "{link_octets}");
    }
}
