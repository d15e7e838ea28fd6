//! States that a peer tells of deliveries: what is kept of them, for how long they count, and what is left without room.

use allocation_counter::measure;
use bytes::{Buf, BytesMut};
use ferrion_engine::codec::Symbol;
use ferrion_engine::protocol::{Condition, DeliveryState, Role as Side, Source, Tag};
use ferrion_engine::{
    Config, Engine, LinkConfig, LinkId, LinkState, SessionConfig, SessionId, Time,
    UnsettledDelivery, Update,
};
use ferrion_tests::build::{
    Build, Role, attach, begin, close, composite, detach, disposition, end, open, rejected, source,
    target,
};
use ferrion_tests::oracle::{AMQP_HEADER, V};
use ferrion_tests::peer::{Peer, Wired, client, client_with, server};

const EXCEEDED: &str = "amqp:resource-limit-exceeded";

fn limited(connection_octets: u64) -> Config {
    let mut config = Config::new("engine");
    config.limits.connection_octets = connection_octets;
    config
}

/// Rejected, with a condition and a text of so many octets.
fn refusal(condition: usize, text: usize) -> V {
    let mut error = composite(0x1d).set("condition", V::sym(&"c".repeat(condition)));
    if text > 0 {
        error = error.description(&"x".repeat(text));
    }
    rejected().error(error.v()).v()
}

fn told(number: u32, state: V) -> Build {
    disposition()
        .role(Role::Receiver)
        .first(number)
        .settled(false)
        .state(state)
}

/// How many of these states came with their text.
fn whole(updates: &[Update]) -> usize {
    let has_text = |update: &&Update| match &update.state {
        Some(DeliveryState::Rejected(Some(error))) => error.description.is_some(),
        other => panic!("{other:?}"),
    };
    updates.iter().filter(has_text).count()
}

#[test]
fn states_with_details_do_not_keep_what_they_came_with() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 1);
        p.send(&link, b"t", b"x");
        p.expect_transfer();
        let error = composite(0x1d)
            .set("condition", V::sym("script:no"))
            .description(&"why ".repeat(20));
        let rejected = ferrion_tests::build::rejected().error(error.v());
        let told = ferrion_tests::build::disposition()
            .role(Role::Receiver)
            .first(0)
            .settled(true)
            .state(rejected.v());
        p.inject(told);
        let updates = p.updates(&link);
        assert!(format!("{updates:?}").contains("why why"));
        p.inject(close());
        p.expect_close();
    });
}

#[test]
fn states_count_until_they_were_asked_for_and_without_room_come_without_their_text() {
    let config = limited(30_000);
    client_with(config, |p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 30);
        let mut number = 0;
        for _ in 0..2 {
            for _ in 0..10 {
                p.send(&link, format!("t{number}").as_bytes(), b"x");
                p.expect_transfer();
                let error = composite(0x1d)
                    .set("condition", V::sym("script:no"))
                    .description(&"x".repeat(5_000));
                let rejected = ferrion_tests::build::rejected().error(error.v());
                let told = ferrion_tests::build::disposition()
                    .role(Role::Receiver)
                    .first(number)
                    .settled(true)
                    .state(rejected.v());
                p.inject(told);
                number += 1;
            }
            let told: Vec<bool> = p
                .updates(&link)
                .iter()
                .map(|update| {
                    let Some(DeliveryState::Rejected(Some(error))) = &update.state else {
                        panic!("{update:?}");
                    };
                    assert_eq!(error.condition, "script:no");
                    error.description.is_some()
                })
                .collect();
            assert_eq!(told.len(), 10);
            let whole = told.iter().filter(|whole| **whole).count();
            assert!((3..6).contains(&whole), "{whole} with their text");
        }
        p.expect_nothing();
    });
}

#[test]
fn a_large_default_outcome_is_kept_once_and_not_for_each_delivery_that_ends_with_it() {
    const DELIVERIES: u32 = 50;
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let text = V::Str("x".repeat(20_000));
        let outcome = V::Described(Box::new(V::sym("script:gone")), Box::new(text));
        let link = attach()
            .name("in")
            .handle(0)
            .role(Role::Receiver)
            .source(source().default_outcome(outcome).v())
            .target(target().v());
        let link = p.attached_by_script(link);
        p.grant(&link, DELIVERIES);
        for number in 0..DELIVERIES {
            p.send(&link, &number.to_be_bytes(), b"x");
            p.expect_transfer();
        }
        let settled = disposition()
            .role(Role::Receiver)
            .range(0, DELIVERIES - 1)
            .settled(true);
        let kept = measure(|| p.inject(settled)).bytes_current;
        let updates = p.updates(&link);
        assert_eq!(updates.len(), DELIVERIES as usize);
        for update in updates {
            let said = format!("{:?}", update.state);
            assert!(said.len() > 20_000, "{said}");
        }
        assert!(kept < 60_000, "{kept} octets");
    });
}

#[test]
fn a_state_for_which_there_is_no_room_is_not_told_as_the_default_outcome() {
    let config = limited(20_000);
    client_with(config, |p| {
        p.opened();
        let session = p.begun();
        let source = Source {
            default_outcome: Some(DeliveryState::Accepted),
            ..Source::default()
        };
        let mut config = LinkConfig::sender("out", "q");
        config.source = Some(Box::new(source));
        let link = p.sender_with(session, config, |b| b);
        p.grant(&link, 1);
        p.send(&link, b"t", b"x");
        p.expect_transfer();
        let error = composite(0x1d).set("condition", V::sym(&"c".repeat(20_000)));
        let told = disposition()
            .role(Role::Receiver)
            .first(0)
            .settled(true)
            .state(rejected().error(error.v()).v());
        p.inject(told);
        p.expect_detach().condition(EXCEEDED);
        assert_eq!(p.updates(&link), []);
    });
}

#[test]
fn a_state_for_which_there_is_no_room_leaves_what_was_told_before() {
    let config = limited(20_000);
    client_with(config, |p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 1);
        p.send(&link, b"t", b"x");
        p.expect_transfer();
        let told = |condition: &str| {
            let error = composite(0x1d).set("condition", V::sym(condition));
            disposition()
                .role(Role::Receiver)
                .first(0)
                .settled(false)
                .state(rejected().error(error.v()).v())
        };
        p.inject(told("script:no"));
        p.inject(told(&"c".repeat(20_000)));
        p.expect_detach().condition(EXCEEDED);
        let [update] = p.updates(&link).try_into().expect("one update");
        let no = Condition::new(Symbol::from_static("script:no"));
        assert_eq!(update.state, Some(DeliveryState::rejected(no)));
    });
}

#[test]
fn a_disposition_that_ends_before_it_begins_leaves_what_was_told_before() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 3);
        for tag in [b"a", b"b", b"c"] {
            p.send(&link, tag, b"x");
            p.expect_transfer();
        }
        let error = |text: &str| {
            let error = composite(0x1d)
                .set("condition", V::sym("script:no"))
                .description(text);
            rejected().error(error.v()).v()
        };
        let told = |first, last, text: &str| {
            disposition()
                .role(Role::Receiver)
                .range(first, last)
                .settled(false)
                .state(error(text))
        };
        p.inject(told(0, 2, &"before ".repeat(20)));
        // It begins as far behind the last as can be, which is before the first.
        p.inject(told((1 << 31) + 1, 2, &"after ".repeat(20)));
        p.expect_end().condition("amqp:invalid-field");
        let updates = p.updates(&link);
        assert_eq!(updates.len(), 3);
        for update in updates {
            let said = format!("{:?}", update.state);
            assert!(said.contains("before"), "{said}");
        }
    });
}

/// A sender with deliveries of these numbers, which the peer has.
fn sending(p: &mut Peer, session: SessionId, name: &str, numbers: std::ops::Range<u32>) -> Wired {
    let link = p.sender(session, name);
    p.grant(&link, 10);
    for number in numbers {
        p.send(&link, &number.to_be_bytes(), b"x");
        p.expect_transfer();
    }
    link
}

/// Room for a session, a link, what its attach says, and five states of 5,000 octets.
const FIVE: u64 = 31_000;

#[test]
fn a_link_that_ends_with_states_that_nobody_asked_for_gives_their_room_back() {
    client_with(limited(FIVE), |p| {
        p.opened();
        let session = p.begun();
        let link = sending(p, session, "first", 0..10);
        for number in 0..10 {
            p.inject(told(number, refusal(3, 5_000)));
        }
        p.inject(detach().handle(link.theirs).closed(true));
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_detach();
        p.events();
        let link = sending(p, session, "second", 10..20);
        for number in 10..20 {
            p.inject(told(number, refusal(3, 5_000)));
        }
        let updates = p.updates(&link);
        assert_eq!((updates.len(), whole(&updates)), (10, 5));
    });
}

#[test]
fn a_session_that_ends_with_states_that_nobody_asked_for_gives_their_room_back() {
    client_with(limited(FIVE), |p| {
        p.opened();
        let session = p.begun();
        sending(p, session, "first", 0..10);
        for number in 0..10 {
            p.inject(told(number, refusal(3, 5_000)));
        }
        p.inject(end());
        p.expect_end();
        p.events();
        let session = p.begun();
        let link = sending(p, session, "second", 0..10);
        for number in 0..10 {
            p.inject(told(number, refusal(3, 5_000)));
        }
        let updates = p.updates(&link);
        assert_eq!((updates.len(), whole(&updates)), (10, 5));
    });
}

#[test]
fn a_state_that_takes_the_place_of_another_counts_alone() {
    client_with(limited(FIVE), |p| {
        p.opened();
        let session = p.begun();
        let link = sending(p, session, "out", 0..10);
        // Each time with another text, of which the last one counts.
        for round in 0..10 {
            for number in 0..5 {
                p.inject(told(number, refusal(3, 4_000 + 100 * round)));
            }
        }
        // One that is a word takes away what was told before.
        p.inject(told(0, ferrion_tests::build::released().v()));
        p.inject(told(5, refusal(3, 5_000)));
        p.inject(told(6, refusal(3, 5_000)));
        let mut updates = p.updates(&link);
        assert_eq!(updates.remove(0).state, Some(DeliveryState::Released));
        assert_eq!((updates.len(), whole(&updates)), (6, 5));
    });
}

/// A sender with so many deliveries from before.
fn before(count: u32) -> LinkState {
    let delivery = |n: u32| UnsettledDelivery::new(Tag::new(&n.to_be_bytes()).unwrap());
    LinkState {
        unsettled: (0..count).map(delivery).collect(),
        ..LinkState::new(Side::Sender, LinkConfig::sender("l", "q"))
    }
}

/// The peer's attach of the link `l` that the engine resumes, which remembers so many deliveries, each with this state.
fn remembering(count: u32, told: &V) -> Build {
    let entry = |n: u32| (V::Bin(n.to_be_bytes().to_vec()), told.clone());
    attach()
        .name("l")
        .handle(HANDLE)
        .role(Role::Receiver)
        .source(source().v())
        .target(target().v())
        .unsettled(V::Map((0..count).map(entry).collect()))
}

const HANDLE: u32 = 40;

/// An engine that resumes a link, and its peer's attach with what that remembers, as [`remembering`] has it.
struct Resumed {
    engine: Engine,
    link: LinkId,
    /// Octets that were allocated for what the peer said: at most at one moment, and those that stayed.
    most: u64,
    kept: i64,
}

impl Resumed {
    fn new(connection_octets: u64, ours: u32, theirs: u32, told: &V) -> Self {
        let mut engine = Engine::client(limited(connection_octets));
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let mut ours_of = engine.session(session).unwrap();
        let link = ours_of.resume(&before(ours)).unwrap();
        let begin = begin()
            .remote_channel(0)
            .next_outgoing_id(0)
            .incoming_window(9)
            .outgoing_window(9);
        let octets = [
            &AMQP_HEADER[..],
            &open().container_id("script").octets(0),
            &begin.octets(0),
        ];
        let mut input = BytesMut::from(&octets.concat()[..]);
        engine.recv(Time(0), &mut input);
        drain(&mut engine);
        let mut input = BytesMut::from(&remembering(theirs, told).octets(0)[..]);
        let cost = measure(|| engine.recv(Time(0), &mut input));
        Self {
            engine,
            link,
            most: cost.bytes_max,
            kept: cost.bytes_current,
        }
    }

    fn updates(&mut self) -> Vec<Update> {
        let mut link = self.engine.link(self.link).unwrap();
        std::iter::from_fn(|| link.next_update()).collect()
    }
}

fn drain(engine: &mut Engine) {
    loop {
        let mut output = engine.transmit(Time(0));
        let count = output.remaining();
        if count == 0 {
            return;
        }
        output.advance(count);
    }
}

#[test]
fn states_of_an_attach_count_beside_it_until_their_deliveries_are_settled() {
    // Room for an attach of 20,000 octets, what it says of deliveries, that said back, and three states of 5,000 octets.
    client_with(limited(89_000), |p| {
        p.opened();
        let session = p.begun();
        let other = sending(p, session, "other", 0..8);
        let id = p.resume(session, before(20)).unwrap();
        p.expect_attach();
        p.inject(remembering(20, &refusal(3, 1_000)));
        for number in 0..4 {
            p.inject(told(number, refusal(3, 5_000)).settled(true));
        }
        assert_eq!(whole(&p.updates(&other)), 3);
        let link = Wired {
            id,
            ours: 1,
            theirs: HANDLE,
        };
        let updates = p.updates(&link);
        assert_eq!((updates.len(), whole(&updates)), (20, 20));
        for update in updates {
            let mut sender = p.engine().sender(link.id).unwrap();
            sender.settle(update.delivery).unwrap();
        }
        for number in 4..8 {
            p.inject(told(number, refusal(3, 5_000)).settled(true));
        }
        let updates = p.updates(&other);
        assert_eq!((updates.len(), whole(&updates)), (4, 4));
    });
}

#[test]
fn states_of_an_attach_for_which_there_is_no_room_come_without_their_text() {
    let mut resumed = Resumed::new(80_000, 20, 20, &refusal(100, 2_500));
    assert!(resumed.kept < 88_000, "{} octets were kept", resumed.kept);
    let updates = resumed.updates();
    assert_eq!((updates.len(), whole(&updates)), (20, 0));
}

#[test]
fn an_attach_whose_states_have_no_room_whatever_is_left_out_is_refused_before_they_are_told() {
    let mut resumed = Resumed::new(80_000, 20, 20, &refusal(2_500, 0));
    assert!(resumed.kept < 88_000, "{} octets were kept", resumed.kept);
    assert_eq!(resumed.updates(), []);
    let link = resumed.engine.link(resumed.link).unwrap();
    assert_eq!(link.error().unwrap().condition.condition, EXCEEDED);
    // They are what they were, for the link to be resumed where there is more room.
    assert_eq!(link.state().unwrap().unsettled.len(), 20);
}

#[test]
fn deliveries_that_only_the_peer_remembers_cost_no_more_than_what_it_says_of_them() {
    let mut resumed = Resumed::new(1 << 30, 1, 1_500, &refusal(1, 0));
    // With some forty octets a key for a moment, in which it is seen that no two are the same.
    assert!(resumed.most < 330_000, "{} at most", resumed.most);
    assert_eq!(resumed.updates().len(), 1);
}
