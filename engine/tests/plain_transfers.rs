//! Transfers in their usual form are handled on a way of their own. That it leads to the same place as the way of all others
//! is shown by two engines of which one hears everything in a form that nobody uses.
#![forbid(unsafe_code)]

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::ReceiverSettleMode;
use ferrion_engine::{
    Config, Engine, Event, LinkConfig, LinkId, SendOptions, SessionConfig, SessionId, Time,
};
use proptest::prelude::*;

const NOW: Time = Time(1);
const TRANSFER: u8 = 0x14;
const LIST8: u8 = 0xc0;
const LIST32: u8 = 0xd0;

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

/// One that is sent to, and does what its plan says with what comes.
struct Server {
    engine: Engine,
    link: Option<LinkId>,
    seen: Vec<String>,
}

/// What a case is about.
#[derive(Clone, Debug)]
struct Plan {
    credit: u32,
    automatic: bool,
    window: u32,
    max_message_size: Option<u64>,
    second: bool,
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
    /// Whether the server takes and settles what has come by then, and asks for all credit to be used.
    takes: bool,
    drains: bool,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Twice,
}

impl Server {
    fn new() -> Self {
        let mut engine = Engine::server(Config::new("server"));
        engine.connection().open().expect("a new connection");
        Self {
            engine,
            link: None,
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

    fn take(&mut self) {
        let Some(Ok(mut receiver)) = self.link.map(|id| self.engine.receiver(id)) else {
            return;
        };
        while let Some(delivery) = receiver.next_delivery() {
            self.seen.push(format!("{delivery:?}"));
            if let Some(id) = delivery.id {
                let accepted = receiver.accept(id);
                self.seen.push(format!("{accepted:?}"));
            }
        }
        let (credit, available) = (receiver.credit(), receiver.available());
        self.seen.push(format!("{credit} {available}"));
    }

    fn drain(&mut self) {
        if let Some(Ok(mut receiver)) = self.link.map(|id| self.engine.receiver(id)) {
            let drained = receiver.drain();
            self.seen.push(format!("{drained:?}"));
        }
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
    let fate =
        prop_oneof![20 => Just(Fate::Arrives), 1 => Just(Fate::Lost), 1 => Just(Fate::Twice)];
    (
        prop::collection::vec(any::<u8>(), 0..33),
        0usize..300,
        any::<(bool, bool)>(),
        prop_oneof![Just(0), any::<u32>()],
        fate,
        (any::<bool>(), prop::bool::weighted(0.1)),
    )
        .prop_map(
            |(tag, size, (settled, batchable), format, fate, (takes, drains))| Message {
                tag,
                size,
                settled,
                batchable,
                format,
                fate,
                takes,
                drains,
            },
        )
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        1u32..12,
        any::<bool>(),
        1u32..12,
        prop_oneof![3 => Just(None), 1 => (0u64..300).prop_map(Some)],
        any::<bool>(),
        prop::collection::vec(messages(), 1..30),
    )
        .prop_map(
            |(credit, automatic, window, max_message_size, second, messages)| Plan {
                credit,
                automatic,
                window,
                max_message_size,
                second,
                messages,
            },
        )
}

/// Carries out a plan with two servers; answers how many transfers they heard.
fn compare(plan: &Plan) -> Result<usize, TestCaseError> {
    let mut client = Client::new(plan);
    let (mut usual, mut wide) = (Server::new(), Server::new());
    let mut transfers = 0;
    for message in std::iter::once(None).chain(plan.messages.iter().map(Some)) {
        if let Some(message) = message {
            client.send(message);
            if message.drains {
                usual.drain();
                wide.drain();
            }
        }
        for _ in 0..3 {
            for frame in frames(&output(&mut client.engine)) {
                let fate = message.map_or(Fate::Arrives, |message| message.fate);
                let (times, other) = match (is_transfer(&frame), fate) {
                    (true, Fate::Arrives) => (1, widened(&frame)),
                    (true, Fate::Lost) => (0, widened(&frame)),
                    (true, Fate::Twice) => (2, widened(&frame)),
                    (false, _) => (1, frame.clone()),
                };
                for _ in 0..times {
                    transfers += usize::from(is_transfer(&frame));
                    hear(&mut usual.engine, &frame);
                    hear(&mut wide.engine, &other);
                }
            }
            usual.react(plan);
            wide.react(plan);
            if message.is_some_and(|message| message.takes) {
                usual.take();
                wide.take();
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
        drains: false,
    };
    let plan = Plan {
        credit: 4,
        automatic: true,
        window: 4,
        max_message_size: None,
        second: false,
        messages: (0..100).map(message).collect(),
    };
    assert_eq!(compare(&plan).expect("no difference"), 100);
}
