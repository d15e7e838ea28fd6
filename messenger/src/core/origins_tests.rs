//! What it costs that links go on, are forgotten, or end, beside much that is of others.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Condition, TargetArchetype, conditions};

use super::credit::Credit;
use super::names_tests::cost::cost;
use super::names_tests::{NOW, costs_the_same, server};
use super::pool::ConnKey;
use super::recovery_tests::{core, pass};
use super::{Action, Core, SourceKey};
use crate::recovery::LinkRecovery;

/// Links that return or end, or peers with a link that do not.
const LINKS: usize = 300;
/// Messages of others.
const FEW: usize = 300;
const MANY: usize = 100_000;

/// A peer that connects, and may come back.
struct Guest {
    core: Core,
    conn: ConnKey,
    peer: ConnKey,
}

impl Guest {
    fn new(name: &str, server: (&mut Core, SourceKey)) -> Self {
        Self::of_instance(0, name, server)
    }

    /// One of several that have the same name, and other links.
    fn of_instance(number: u64, name: &str, server: (&mut Core, SourceKey)) -> Self {
        let mut core = core(name, Some(LinkRecovery::default()));
        core.set_instance(number);
        core.put(&message("wait-0")).unwrap();
        let (conn, peer) = connect(&mut core, server);
        Self { core, conn, peer }
    }

    fn talk(&mut self, server: &mut Core) {
        talk((&mut self.core, self.conn), (server, self.peer));
    }

    /// Sends so many messages, by turns to so many nodes with names that begin like that.
    fn send(&mut self, to: &str, nodes: usize, messages: usize, server: &mut Core) {
        let before = server.incoming();
        for n in 0..messages {
            let message = message(&format!("{to}-{}", n % nodes));
            self.core.put(&message).unwrap();
            if n % 100 == 0 {
                self.talk(server);
            }
        }
        for _ in 0..1000 {
            if server.incoming() >= before + messages {
                return;
            }
            self.talk(server);
        }
        panic!("{} came", server.incoming());
    }

    fn cut(&mut self, server: &mut Core) {
        self.core.lost(self.conn, NOW, "cut".to_owned());
        self.core.pump(NOW);
        while self.core.next_action().is_some() {}
        server.lost(self.peer, NOW, "cut".to_owned());
        server.pump(NOW);
    }

    /// Connects again.
    fn come_back(&mut self, server: (&mut Core, SourceKey)) {
        while self.core.actions.is_empty() {
            let due = self.core.deadline().unwrap();
            self.core.handle_timeout(due);
        }
        (self.conn, self.peer) = connect(&mut self.core, server);
    }
}

fn message(node: &str) -> Message {
    let mut message = Message::with_body("x");
    message.set_address(format!("amqp://s/{node}"));
    message
}

fn connect(core: &mut Core, (server, listener): (&mut Core, SourceKey)) -> (ConnKey, ConnKey) {
    core.pump(NOW);
    let Some(Action::Connect { conn, .. }) = core.next_action() else {
        panic!("it connects");
    };
    let peer = server.accepted(listener, "c".to_owned()).unwrap();
    core.connected(conn, NOW, None);
    server.connected(peer, NOW, None);
    talk((core, conn), (server, peer));
    (conn, peer)
}

fn talk(client: (&mut Core, ConnKey), server: (&mut Core, ConnKey)) {
    for _ in 0..4 {
        pass((client.0, client.1), (server.0, server.1), NOW);
        pass((server.0, server.1), (client.0, client.1), NOW);
    }
}

/// A server, and so many messages of a peer that wait there.
fn server_with(messages: usize) -> (Core, SourceKey, Guest) {
    let (mut server, listener) = server();
    server.set_incoming_high_water(usize::MAX, usize::MAX);
    server.request(Credit::Explicit(messages as u32 + 1));
    let mut guest = Guest::new("first", (&mut server, listener));
    guest.send("wait", 1, messages, &mut server);
    server.request(Credit::All);
    (server, listener, guest)
}

fn get_all(server: &mut Core) {
    let mut got = Message::new();
    while server.get(&mut got).is_ok() {}
}

fn least(measured: impl FnMut(usize) -> Duration) -> Duration {
    (0..3).map(measured).min().unwrap()
}

/// What it costs that a peer with many links is lost and comes back, beside so many messages of another peer that wait, or were
/// got and are not decided about.
fn return_beside(messages: usize, are_got: bool) -> Duration {
    let (mut server, listener, _other) = server_with(messages);
    let mut guest = Guest::new("guest", (&mut server, listener));
    guest.send("go", LINKS, LINKS, &mut server);
    if are_got {
        get_all(&mut server);
    }
    least(|_| {
        cost(|| {
            guest.cut(&mut server);
            guest.come_back((&mut server, listener));
            for _ in 0..4 {
                guest.talk(&mut server);
            }
            assert!(server.away.is_empty());
        })
    })
}

#[test]
fn links_that_return_cost_the_same_however_many_messages_of_others_wait() {
    let few = return_beside(FEW, false);
    costs_the_same(few, return_beside(MANY, false));
}

#[test]
fn links_that_return_cost_the_same_however_many_messages_of_others_are_undecided() {
    let few = return_beside(FEW, true);
    costs_the_same(few, return_beside(MANY, true));
}

/// What it costs that many peers of a message each do not come back, beside so many of another peer that nobody decided about.
fn forget_beside(messages: usize) -> Duration {
    let (mut server, listener, _other) = server_with(messages);
    least(|round| {
        for n in 0..LINKS {
            let name = format!("guest-{round}-{n}");
            let mut guest = Guest::new(&name, (&mut server, listener));
            guest.cut(&mut server);
        }
        get_all(&mut server);
        let away = server.away.iter().copied().collect::<Vec<_>>();
        assert_eq!(away.len(), LINKS);
        cost(|| {
            for key in away {
                server.forget_away(key);
            }
        })
    })
}

#[test]
fn peers_that_are_forgotten_cost_the_same_however_many_messages_of_others_are_undecided() {
    let few = forget_beside(FEW);
    costs_the_same(few, forget_beside(MANY));
}

/// What it costs that a peer ends many links with a message each that it has not answered, beside so many that another has not.
fn end_beside(messages: usize) -> Duration {
    let (mut server, _, mut guest) = server_with(messages);
    least(|_| {
        guest.send("end", LINKS, LINKS, &mut server);
        let conn = server.pool.get_mut(guest.peer).unwrap();
        let mut links: Vec<_> = conn.links.keys().copied().collect();
        links.retain(|id| {
            let link = conn.engine.link(*id).unwrap();
            let Some(TargetArchetype::Target(target)) = link.remote_target() else {
                return false;
            };
            target.address.as_ref().unwrap().starts_with("end")
        });
        assert_eq!(links.len(), LINKS);
        for id in links {
            let why = Condition::new(conditions::RESOURCE_DELETED);
            conn.engine.link(id).unwrap().close(Some(why)).unwrap();
        }
        server.pool.touch(guest.peer);
        let cost = cost(|| guest.talk(&mut server));
        let given_up = guest.core.take_send_error();
        assert!(given_up.is_some());
        cost
    })
}

#[test]
fn links_that_end_cost_the_same_however_many_messages_of_others_are_unanswered() {
    let few = end_beside(FEW);
    costs_the_same(few, end_beside(MANY));
}

/// What it costs that a peer that is there many times loses one of its connections, where so many others are away and there is
/// no room for more.
fn loss_beside(others: usize) -> Duration {
    let (mut server, listener) = server();
    server.set_link_recovery(Some(LinkRecovery {
        max_links: others,
        ..LinkRecovery::default()
    }));
    for n in 0..others {
        let mut guest = Guest::new(&format!("guest-{n}"), (&mut server, listener));
        guest.cut(&mut server);
    }
    let mut twins = Vec::new();
    for n in 0..LINKS as u64 {
        twins.push(Guest::of_instance(n, "twin", (&mut server, listener)));
    }
    least(|round| {
        let twins = twins.split_at_mut(round * 10).1.iter_mut();
        let cost = cost(|| {
            for twin in twins.take(10) {
                server.lost(twin.peer, NOW, "cut".to_owned());
                server.pump(NOW);
            }
        });
        assert_eq!(server.away.iter().count(), others);
        cost
    })
}

#[test]
fn a_loss_costs_the_same_however_many_others_are_away() {
    let few = loss_beside(20);
    costs_the_same(few, loss_beside(1000));
}
