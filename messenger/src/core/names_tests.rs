//! What it costs to find the links of who comes back.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use ferrion_engine::Time;

use super::pool::ConnKey;
use super::recovery_tests::{core, listen, pass};
use super::{Action, Core, SourceKey};
use crate::recovery::LinkRecovery;
use crate::subscribe::SubscribeOptions;

#[path = "../../tests/support/cost.rs"]
pub(super) mod cost;
use cost::cost;

pub(super) const NOW: Time = Time(5);
/// Links whose attaching is measured.
const MEASURED: usize = 100;

/// A server that keeps as many links as there are.
pub(super) fn server() -> (Core, SourceKey) {
    let recovery = LinkRecovery {
        max_links: 1 << 20,
        ..LinkRecovery::default()
    };
    let mut server = core("server", Some(recovery));
    let listener = listen(&mut server);
    (server, listener)
}

/// One of several connections of the same peer, whose links have other names than those of the others.
struct Guest {
    core: Core,
    conn: ConnKey,
    peer: ConnKey,
}

impl Guest {
    fn new(number: u64, (server, listener): (&mut Core, SourceKey)) -> Self {
        let mut core = core("client", Some(LinkRecovery::default()));
        core.set_instance(number);
        core.subscribe("amqp://s/first", &SubscribeOptions::new())
            .unwrap();
        let Some(Action::Connect { conn, .. }) = core.next_action() else {
            panic!("it connects");
        };
        let peer = server.accepted(listener, "c".to_owned()).unwrap();
        core.connected(conn, NOW, None);
        server.connected(peer, NOW, None);
        let mut guest = Self { core, conn, peer };
        guest.talk(server);
        guest
    }

    fn talk(&mut self, server: &mut Core) {
        for _ in 0..8 {
            pass((&mut self.core, self.conn), (server, self.peer), NOW);
            pass((server, self.peer), (&mut self.core, self.conn), NOW);
        }
    }

    /// Attaches so many links.
    fn attach(&mut self, count: usize, server: &mut Core) {
        for n in 0..count {
            let address = format!("amqp://s/{n}");
            self.core
                .subscribe(&address, &SubscribeOptions::new())
                .unwrap();
            if n % 50 == 0 {
                self.talk(server);
            }
        }
        self.talk(server);
    }
}

/// What it costs to attach some links on another connection of a peer that has, or had, so many connections with so many links.
fn attach_beside(conns: u64, links: usize, are_lost: bool) -> Duration {
    let (mut server, listener) = server();
    let mut crowd = Vec::new();
    for number in 0..conns {
        let mut guest = Guest::new(number, (&mut server, listener));
        guest.attach(links, &mut server);
        if are_lost {
            server.lost(guest.peer, NOW, "cut".to_owned());
            server.pump(NOW);
        }
        crowd.push(guest);
    }
    let measured = |number| {
        let mut guest = Guest::new(number, (&mut server, listener));
        cost(|| guest.attach(MEASURED, &mut server))
    };
    let least = (conns..conns + 3).map(measured).min();
    least.unwrap()
}

pub(super) fn costs_the_same(few: Duration, many: Duration) {
    assert!(many < few * 4, "{few:?} beside few, {many:?} beside many");
}

#[test]
fn to_attach_a_link_costs_the_same_however_many_others_the_peer_has() {
    let few = attach_beside(1, 50, false);
    costs_the_same(few, attach_beside(1, 4000, false));
}

#[test]
fn to_attach_a_link_costs_the_same_however_many_are_kept_for_the_peer() {
    let few = attach_beside(1, 50, true);
    costs_the_same(few, attach_beside(1, 4000, true));
}

#[test]
fn to_attach_a_link_costs_the_same_however_many_connections_the_peer_has() {
    let few = attach_beside(10, 1, false);
    costs_the_same(few, attach_beside(600, 1, false));
}

#[test]
fn names_are_known_for_as_long_as_their_links_are_there() {
    let (mut server, listener) = server();
    // Who came before recovery was wanted is known by its links as well.
    server.pool = super::pool::Pool::new();
    let mut guest = Guest::new(1, (&mut server, listener));
    guest.attach(20, &mut server);
    assert_eq!(server.pool.named_links(), 0);
    server.set_link_recovery(Some(LinkRecovery::default()));
    assert_eq!(server.pool.named_links(), 21);
    server.lost(guest.peer, NOW, "cut".to_owned());
    server.pump(NOW);
    assert_eq!(server.pool.named_links(), 21);
    let until = Time(NOW.0 + 120_000);
    server.handle_timeout(until);
    server.pump(until);
    assert_eq!(server.pool.named_links(), 0);
}
