//! Transfers in their usual form are handled on a way of their own. That it leads to the same place as the way of all others
//! is shown by two engines of which one hears everything in a form that nobody uses.
#![forbid(unsafe_code)]

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Condition, DeliveryState, ReceiverSettleMode, conditions};
use ferrion_engine::{
    Config, Engine, Event, LinkConfig, LinkId, SendOptions, SessionConfig, SessionId, Time,
    UsageError,
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

/// The same transfer with a delivery-id that is higher. Those that are written here, and handle 0, have one or two octets.
fn renumbered(frame: &[u8], by: u8) -> Vec<u8> {
    let (count, fields) = fields(frame);
    let (number, rest) = match fields {
        [UINT_ZERO, UINT_ZERO, rest @ ..] => (0, rest),
        [UINT_ZERO, UINT_SMALL, number, rest @ ..] => (*number, rest),
        _ => panic!("handle 0 and a small delivery-id: {fields:?}"),
    };
    let number = u32::from(number) + u32::from(by) * 2;
    let fields = [&[UINT_ZERO, UINT], &number.to_be_bytes()[..], rest].concat();
    with_fields(frame, count, &fields)
}

/// One that is sent to, and does what its plan says with what comes.
struct Server {
    engine: Engine,
    link: Option<LinkId>,
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
    second: bool,
    /// Messages that are on their way at once.
    together: usize,
    /// The server accepts the last of those that came first.
    backwards: bool,
    messages: Vec<Message>,
}

#[derive(Clone, Debug)]
struct Message {
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
        let mut engine = Engine::server(config);
        engine.connection().open().expect("a new connection");
        Self {
            engine,
            link: None,
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
                    let mut session = self.engine.session(id).expect("a session");
                    session.accept(config).expect("not accepted yet");
                }
                Event::LinkAttached(id) => {
                    let mut link = self.engine.link(id).expect("a link");
                    let mut config = link.offer().expect("an offer");
                    config.max_message_size = plan.max_message_size;
                    link.accept_with(config).expect("not accepted yet");
                    let mut receiver = self.engine.receiver(id).expect("a receiver");
                    if plan.automatic {
                        receiver.set_automatic_credit(plan.credit).expect("ours");
                    } else {
                        receiver.set_credit(plan.credit).expect("ours");
                    }
                    self.link = Some(id);
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, plan: &Plan) {
        let Some(Ok(mut receiver)) = self.link.map(|id| self.engine.receiver(id)) else {
            return;
        };
        let read = receiver.read_partial();
        self.seen.push(format!("{read:?}"));
        let mut unsettled = Vec::new();
        while let Some(delivery) = receiver.next_delivery() {
            self.seen.push(format!("{delivery:?}"));
            unsettled.extend(delivery.id);
        }
        if plan.backwards {
            unsettled.reverse();
        }
        for id in unsettled {
            let accepted = if self.at_once {
                receiver.settle_at_once(id, Some(DeliveryState::Accepted))
            } else {
                receiver.accept(id)
            };
            self.seen.push(format!("{accepted:?}"));
        }
        let (credit, available) = (receiver.credit(), receiver.available());
        self.seen.push(format!("{credit} {available}"));
    }

    fn carry_out(&mut self, deed: Deed) {
        let Some(id) = self.link else { return };
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
    session: SessionId,
    link: LinkId,
}

impl Client {
    fn new(plan: &Plan) -> Self {
        let mut engine = Engine::client(Config::new("client"));
        engine.connection().open().expect("a new connection");
        let session = engine.connection().begin(SessionConfig::default());
        let session = session.expect("an open connection");
        let mut config = LinkConfig::sender("link", "queue");
        if plan.second {
            config.rcv_settle_mode = ReceiverSettleMode::Second;
        }
        let link = engine
            .session(session)
            .expect("begun")
            .attach_sender(config);
        Self {
            engine,
            session,
            link: link.expect("a session"),
        }
    }

    fn send(&mut self, message: &Message) {
        let options = SendOptions {
            message_format: message.format,
            settled: message.settled,
            batchable: message.batchable,
            ..SendOptions::default()
        };
        if self.engine.session(self.session).is_ok()
            && let Ok(mut sender) = self.engine.sender(self.link)
        {
            // Without credit, or once it has ended, there is nothing to be compared.
            let _ = sender.send_with(&message.tag, &options, vec![7; message.size]);
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
    )
        .prop_map(
            |(tag, size, (settled, batchable), format, fate, (takes, deed))| Message {
                tag,
                size,
                settled,
                batchable,
                format,
                fate,
                takes,
                deed,
            },
        )
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        1u32..12,
        any::<bool>(),
        1u32..12,
        prop_oneof![3 => Just(None), 1 => (0u64..300).prop_map(Some)],
        prop_oneof![3 => Just((u64::MAX, u32::MAX)), 1 => (100u64..300, 0u32..6)],
        any::<bool>(),
        (1usize..6, any::<bool>()),
        prop::collection::vec(messages(), 1..30),
    )
        .prop_map(
            |(
                credit,
                automatic,
                window,
                max_message_size,
                limits,
                second,
                (together, backwards),
                messages,
            )| {
                Plan {
                    credit,
                    automatic,
                    window,
                    max_message_size,
                    delivery_octets: limits.0,
                    unsettled: limits.1,
                    second,
                    together,
                    backwards,
                    messages,
                }
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
            usual.carry_out(message.deed);
            wide.carry_out(message.deed);
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

#[test]
fn messages_of_a_plan_without_mishaps_are_all_compared() {
    let message = |number: u8| Message {
        tag: vec![number],
        size: usize::from(number),
        settled: number.is_multiple_of(2),
        batchable: number.is_multiple_of(3),
        format: 0,
        fate: Fate::Arrives,
        takes: true,
        deed: Deed::Nothing,
    };
    let plan = Plan {
        credit: 4,
        automatic: true,
        window: 4,
        max_message_size: None,
        delivery_octets: u64::MAX,
        unsettled: u32::MAX,
        second: false,
        together: 1,
        backwards: false,
        messages: (0..100).map(message).collect(),
    };
    assert_eq!(compare(&plan).expect("no difference"), 100);
}
