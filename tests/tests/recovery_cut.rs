//! Two engines whose line is cut, at every octet in turn, and whose links are recovered by two new ones: nothing is lost, and
//! nothing comes twice where the receiver settles second (2.6.12, 2.6.13).

use std::collections::BTreeSet;

use ferrion_engine::protocol::{ReceiverSettleMode, Role};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, LinkState, SessionConfig, Time};
use ferrion_tests::endpoint::{Cut, Endpoint, Trace};
use ferrion_tests::rng::Rng;

const NOW: Time = Time(1_000_000);

/// What a run is like.
#[derive(Clone, Copy)]
struct Plan {
    mode: ReceiverSettleMode,
    /// The client sends, or receives.
    client: Role,
    /// Where serial numbers start.
    start: u32,
    /// Octets are fed one by one.
    octets: bool,
}

/// Messages: small ones, and some that take several frames of 512 octets, full of what looks like sections.
fn messages() -> Vec<Vec<u8>> {
    let message = |n: u8, size: usize| {
        let mut octets = vec![0, 0x53, 0x70, 0xc0, 2, 1, 0x41, 0, 0x53, 0x75, 0xb0];
        octets.extend((size as u32).to_be_bytes());
        octets.extend([n, 0, 0x53, 0x75, 0xa0].iter().cycle().take(size));
        octets
    };
    vec![
        message(0, 3),
        message(1, 1300),
        message(2, 5),
        message(3, 700),
        message(4, 0),
    ]
}

/// One side: its engine, and what its application keeps whatever happens to the line.
struct Side {
    end: Endpoint,
    link: Option<LinkId>,
    /// What was left by the link of the last connection.
    kept: Vec<LinkState>,
    /// Sender: the next message to send. Both: what came of it.
    next: usize,
    settled: BTreeSet<usize>,
    inbox: Vec<Vec<u8>>,
}

struct World {
    plan: Plan,
    sides: [Side; 2],
    cut: Cut,
    trace: Trace,
}

fn fresh(is_client: bool) -> Endpoint {
    let mut config = Config::new("c");
    config.max_frame_size = 512;
    let mut engine = if is_client {
        Engine::client(config)
    } else {
        Engine::server(config)
    };
    engine.connection().open().unwrap();
    Endpoint::new(if is_client { "client" } else { "server" }, engine)
}

impl World {
    fn new(plan: Plan) -> Self {
        let side = |is_client| Side {
            end: fresh(is_client),
            link: None,
            kept: Vec::new(),
            next: 0,
            settled: BTreeSet::new(),
            inbox: Vec::new(),
        };
        let mut world = Self {
            plan,
            sides: [side(true), side(false)],
            cut: if plan.octets { Cut::Octets } else { Cut::Whole },
            trace: Trace::default(),
        };
        world.begin();
        world
    }

    fn session(&self) -> SessionConfig {
        SessionConfig {
            next_outgoing_id: self.plan.start,
            ..SessionConfig::default()
        }
    }

    /// The client begins a session, and attaches the link or what is left of it.
    fn begin(&mut self) {
        let config = self.session();
        let client = &mut self.sides[0];
        let engine = &mut client.end.engine;
        let session = engine.connection().begin(config).unwrap();
        let mut session = engine.session(session).unwrap();
        let link = match (client.kept.pop(), self.plan.client) {
            (Some(state), _) => session.resume(&state),
            (None, role) => {
                let mut config = match role {
                    Role::Sender => LinkConfig::sender("l", "q"),
                    Role::Receiver => LinkConfig::receiver("l", "q"),
                };
                config.recoverable = true;
                config.rcv_settle_mode = self.plan.mode;
                config.initial_delivery_count = self.plan.start;
                match role {
                    Role::Sender => session.attach_sender(config),
                    Role::Receiver => session.attach_receiver(config),
                }
            }
        };
        client.link = Some(link.unwrap());
    }

    /// The line breaks: both engines are given up, and new ones go on with what they left.
    fn recover(&mut self) {
        for (index, side) in self.sides.iter_mut().enumerate() {
            side.end.engine.recv_eof(NOW);
            side.kept.extend(side.end.engine.link_states());
            side.end = fresh(index == 0);
            side.link = None;
        }
        self.begin();
    }

    /// An application suspends its link, if it is attached.
    fn suspend(&mut self, index: usize) {
        let side = &mut self.sides[index];
        if let Some(mut link) = side.link.and_then(|id| side.end.engine.link(id).ok())
            && link.is_attached()
        {
            link.detach().unwrap();
        }
    }

    /// Lets both work until nothing moves, or so many octets have. Answers how many did.
    fn work(&mut self, most: usize) -> usize {
        let mut moved = 0;
        loop {
            let before = moved;
            for index in [0, 1] {
                self.answer(index);
                let left = most - moved;
                let octets = self.sides[index].end.take_some(NOW, left, &mut self.cut);
                moved += octets.len();
                let verdict = self.sides[index]
                    .end
                    .observe_output(NOW, &octets, &mut self.trace);
                if let Err(why) = verdict {
                    panic!("{why}\n{}", self.trace.text());
                }
                let other = &mut self.sides[1 - index].end;
                other.feed_beside_output(NOW, &octets, &mut self.cut, &mut self.trace);
            }
            if moved == before || moved == most {
                self.answer(0);
                self.answer(1);
                return moved;
            }
        }
    }

    /// What an application does when it looks at its engine.
    fn answer(&mut self, index: usize) {
        let (config, start) = (self.session(), self.plan.start);
        let side = &mut self.sides[index];
        while let Some(event) = side.end.poll_event(NOW, &mut self.trace) {
            let engine = &mut side.end.engine;
            match event {
                Event::SessionBegun(id) if index == 1 => {
                    engine.session(id).unwrap().accept(config.clone()).unwrap();
                }
                Event::LinkAttached(id) => {
                    let mut link = engine.link(id).unwrap();
                    if index == 1 {
                        match side.kept.pop() {
                            Some(state) => link.resume(&state).unwrap(),
                            None => {
                                let mut config = link.offer().unwrap();
                                config.recoverable = true;
                                config.initial_delivery_count = start;
                                link.accept_with(config).unwrap();
                            }
                        }
                        side.link = Some(id);
                    }
                    if let Ok(mut receiver) = engine.receiver(id) {
                        receiver.set_automatic_credit(4).unwrap();
                    }
                }
                Event::Deliveries(id) => {
                    // What came before the link was suspended is in its state.
                    let Ok(mut receiver) = engine.receiver(id) else {
                        continue;
                    };
                    while let Some(delivery) = receiver.next_delivery() {
                        side.inbox.push(delivery.payload.into_bytes().to_vec());
                        if let Some(id) = delivery.id {
                            receiver.accept(id).unwrap();
                        }
                    }
                }
                Event::Updates(id) => {
                    while let Ok(mut link) = engine.link(id)
                        && let Some(update) = link.next_update()
                    {
                        if !update.settled {
                            engine.sender(id).unwrap().settle(update.delivery).unwrap();
                        }
                        side.settled.insert(usize::from(update.tag[0]));
                    }
                }
                Event::LinkDetached(id) => {
                    // One of the two suspended it. The client goes on at once, the server when it is asked to.
                    let mut link = engine.link(id).unwrap();
                    assert_eq!(link.error(), None, "{}", self.trace.text());
                    let (session, state) = (link.session().unwrap(), link.state().unwrap());
                    if link.awaits_detach() {
                        link.detach().unwrap();
                    }
                    side.link = None;
                    if index == 1 {
                        side.kept.push(state);
                    } else {
                        let again = engine.session(session).unwrap().resume(&state);
                        side.link = Some(again.unwrap());
                    }
                }
                _ => {}
            }
        }
        if let Some(link) = side.link
            && let Ok(mut sender) = side.end.engine.sender(link)
        {
            for message in messages().into_iter().skip(side.next) {
                let Ok(_) = sender.send(&[side.next as u8], message) else {
                    break;
                };
                side.next += 1;
            }
        }
    }

    /// All that must hold once both are at rest.
    fn check(&self, what: &str) {
        let (sender, receiver) = match self.plan.client {
            Role::Sender => (&self.sides[0], &self.sides[1]),
            Role::Receiver => (&self.sides[1], &self.sides[0]),
        };
        let fail = |why: &str| panic!("{what}: {why}\n{}", self.trace.text());
        let all = messages();
        if self.plan.mode == ReceiverSettleMode::Second {
            if receiver.inbox != all {
                fail("not each message came once and in order");
            }
        } else {
            let mut once = receiver.inbox.clone();
            once.sort();
            once.dedup();
            if once.len() != all.len() || !all.iter().all(|message| once.contains(message)) {
                fail("not each message came at least once");
            }
        }
        if sender.settled.len() != all.len() {
            fail("not each message has an outcome");
        }
        for side in &self.sides {
            let census = side.end.engine.census();
            if census.outgoing_deliveries + census.incoming_deliveries > 0 {
                fail("something is left unsettled");
            }
            let states = side.end.engine.link_states();
            if states.len() != 1 || !states[0].unsettled.is_empty() {
                fail("the state of the link is not empty");
            }
        }
    }
}

/// Cuts the line at every octet of the exchange, some time later again, and looks at what comes of it.
fn cut_everywhere(plan: Plan, step: usize) {
    let mut undisturbed = World::new(plan);
    let octets = undisturbed.work(usize::MAX);
    undisturbed.check("without a cut");
    assert!(octets > 2000, "{octets} octets are too few to show much");
    for at in (0..=octets).step_by(step) {
        let mut world = World::new(plan);
        world.work(at);
        world.recover();
        // The second cut comes anywhere, mostly in the middle of recovering.
        if at % 3 > 0 {
            world.work(at * 7 % 1500);
            world.recover();
        }
        world.work(usize::MAX);
        world.check(&format!("cut at octet {at} of {octets}"));
    }
}

fn plan(mode: ReceiverSettleMode, client: Role) -> Plan {
    Plan {
        mode,
        client,
        start: 0xffff_fffe,
        octets: false,
    }
}

#[test]
fn a_sending_client_transfers_exactly_once_where_the_receiver_settles_second() {
    cut_everywhere(plan(ReceiverSettleMode::Second, Role::Sender), 1);
}

#[test]
fn a_receiving_client_is_given_exactly_once_where_it_settles_second() {
    cut_everywhere(plan(ReceiverSettleMode::Second, Role::Receiver), 1);
}

#[test]
fn a_sending_client_transfers_at_least_once_where_the_receiver_settles_first() {
    cut_everywhere(plan(ReceiverSettleMode::First, Role::Sender), 1);
}

#[test]
fn a_receiving_client_is_given_at_least_once_where_it_settles_first() {
    cut_everywhere(plan(ReceiverSettleMode::First, Role::Receiver), 1);
}

#[test]
fn octets_that_come_one_by_one_are_recovered_as_well() {
    let plan = Plan {
        octets: true,
        start: 0,
        ..plan(ReceiverSettleMode::Second, Role::Sender)
    };
    cut_everywhere(plan, 41);
}

#[test]
fn links_that_are_suspended_and_cut_at_random_are_recovered() {
    for seed in 0..1000 {
        let mut rng = Rng::new(seed);
        let modes = [ReceiverSettleMode::First, ReceiverSettleMode::Second];
        let roles = [Role::Sender, Role::Receiver];
        let mut world = World::new(plan(modes[rng.below(2)], roles[rng.below(2)]));
        world.cut = Cut::Random(Rng::new(rng.next_u64()));
        for _ in 0..rng.below(12) {
            world.work(rng.below(900));
            match rng.below(3) {
                0 => world.recover(),
                side => world.suspend(side - 1),
            }
        }
        world.work(usize::MAX);
        world.check(&format!("seed {seed}"));
    }
}

#[test]
fn what_arrived_of_a_large_message_is_not_sent_again() {
    let plan = plan(ReceiverSettleMode::Second, Role::Sender);
    let whole = World::new(plan).work(usize::MAX);
    let mut world = World::new(plan);
    // Most of the large message has arrived then.
    world.work(1600);
    world.recover();
    let after = world.work(usize::MAX);
    world.check("a cut in the middle");
    assert!(after + 700 < whole, "{after} octets, {whole} without a cut");
}
