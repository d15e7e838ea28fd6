//! Links closed gracefully: what the close waits for, what it does meanwhile, and when it waits no longer (2.6.5, 2.6.7).

use ferrion_engine::protocol::{DeliveryState, ReceiverSettleMode};
use ferrion_engine::{
    Census, Closing, Deadline, Event, LinkConfig, Reason, SendError, SendOptions, SessionId,
    UsageError,
};
use ferrion_tests::build::{Build, Role, detach, disposition, end, released, transfer};
use ferrion_tests::pair::{At, Pair};
use ferrion_tests::peer::{Peer, Wired, client};

const PATIENCE: u64 = 5_000;

fn with_receiver(p: &mut Peer) -> (SessionId, Wired) {
    p.opened();
    let session = p.begun();
    let link = p.receiver(session, "in");
    (session, link)
}

fn with_sender(p: &mut Peer) -> (SessionId, Wired) {
    p.opened();
    let session = p.begun();
    let link = p.sender(session, "out");
    (session, link)
}

fn close_by(p: &mut Peer, link: &Wired) {
    let by = p.now().after(PATIENCE);
    p.engine().link(link.id).unwrap().close_by(by).unwrap();
}

fn closing(p: &mut Peer, link: &Wired) -> Option<Closing> {
    p.engine().link(link.id).unwrap().closing()
}

/// The script's sender has used or given back all of its credit.
fn drained(p: &Peer, link: &Wired, count: u32) -> Build {
    p.flow()
        .handle(link.theirs)
        .delivery_count(count)
        .link_credit(0)
        .drain(true)
}

/// The engine's detach comes and is answered; nothing of the link is left.
fn ends(p: &mut Peer, link: &Wired) {
    p.expect_detach()
        .handle(link.ours)
        .closed(true)
        .no_error()
        .respond();
    p.event_where("LinkDetached", |e| {
        (e == Event::LinkDetached(link.id)).then_some(())
    });
    assert_eq!(p.next_event(), None);
    assert_eq!(p.engine().poll_timeout(), None);
    let of_the_session = Census {
        sessions: 1,
        ..Census::default()
    };
    assert_eq!(p.engine().census(), of_the_session);
    p.expect_nothing();
}

/// Two messages wait for credit, which was given and taken back while the window was shut.
fn starve(p: &mut Peer, link: &Wired) {
    let shut = p.link_flow(link).link_credit(2).incoming_window(0);
    p.inject(shut);
    p.send(link, b"1", b"x");
    p.send(link, b"2", b"x");
    p.grant(link, 0);
    p.expect_nothing();
    p.events();
}

// ---- receivers

#[test]
fn a_receiver_drains_releases_what_waits_and_detaches_once_the_rest_is_settled() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 10);
        for id in 0..3 {
            let delivery = p.delivery(&link, id, b"x");
            p.inject(delivery);
        }
        let taken = p.take(&link);
        close_by(p, &link);
        p.expect_flow().handle(link.ours).link_credit(7).drain(true);
        p.expect_disposition()
            .role(Role::Receiver)
            .first(1)
            .last(2)
            .settled(true)
            .state(released().v());
        p.expect_nothing();
        p.expect_no_delivery(&link);
        assert_eq!(closing(p, &link), Some(Closing::Draining));
        let at = p.now().after(PATIENCE);
        let reason = Reason::LinkClose;
        assert_eq!(p.engine().poll_timeout(), Some(Deadline { at, reason }));

        let answer = drained(p, &link, 10);
        p.inject(answer);
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Settling));
        p.settle(&link, taken.id.unwrap(), Some(DeliveryState::Accepted));
        assert_eq!(closing(p, &link), Some(Closing::Complete));
        p.expect_disposition().first(0).settled(true).accepted();
        ends(p, &link);
    });
}

#[test]
fn a_receiver_that_nothing_can_come_to_detaches_at_once() {
    client(|p| {
        let (session, link) = with_receiver(p);
        close_by(p, &link);
        ends(p, &link);
        // The peer has not heard of this credit.
        let link = p.receiver(session, "another");
        let mut receiver = p.engine().receiver(link.id).unwrap();
        receiver.set_automatic_credit(10).unwrap();
        close_by(p, &link);
        ends(p, &link);
    });
}

#[test]
fn credit_that_was_taken_back_may_be_in_use_and_is_asked_for_too() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 10);
        p.take_credit(&link, 0);
        close_by(p, &link);
        p.expect_flow().link_credit(10).drain(true);
        let under_way = p.delivery(&link, 0, b"x");
        let answer = drained(p, &link, 10);
        p.inject_all([under_way, answer]);
        p.expect_disposition().first(0).state(released().v());
        ends(p, &link);
    });
}

#[test]
fn a_sender_that_uses_up_its_credit_need_not_say_so() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 2);
        close_by(p, &link);
        p.expect_flow().link_credit(2).drain(true);
        let deliveries = [p.delivery(&link, 0, b"x"), p.delivery(&link, 1, b"x")];
        p.inject_all(deliveries);
        p.expect_disposition()
            .first(0)
            .last(1)
            .state(released().v());
        ends(p, &link);
    });
}

#[test]
fn of_what_comes_during_the_drain_only_what_cannot_be_given_back_is_handed_over() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 3);
        close_by(p, &link);
        p.expect_flow().drain(true);
        let unsettled = p.delivery(&link, 0, b"goes back");
        let settled = p.delivery(&link, 1, b"ours now").settled(true);
        p.inject_all([unsettled, settled]);
        p.expect_disposition().first(0).state(released().v());
        p.expect_events(&[Event::Deliveries(link.id)]);
        assert_eq!(p.take(&link).payload.into_bytes(), "ours now");
        p.expect_no_delivery(&link);
        let answer = drained(p, &link, 3);
        p.inject(answer);
        ends(p, &link);
    });
}

#[test]
fn a_sender_that_never_answers_is_waited_for_no_longer_than_was_said() {
    client(|p| {
        let (session, link) = with_receiver(p);
        let other = p.receiver(session, "other");
        p.take_credit(&link, 1000);
        p.take_credit(&other, 1);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let taken = p.take(&link).id.unwrap();
        close_by(p, &link);
        p.expect_flow().drain(true);
        p.advance(PATIENCE - 1);
        p.expect_nothing();
        p.advance(1);
        p.expect_detach().handle(link.ours).closed(true).no_error();
        assert_eq!(closing(p, &link), Some(Closing::Overdue));
        assert_eq!(p.engine().poll_timeout(), None);
        // What was under way is for nobody, and in nobody's way.
        for id in 1..=600 {
            let late = p.delivery(&link, id, b"late");
            p.inject(late);
        }
        p.expect_no_delivery(&link);
        let next = p.delivery(&other, 601, b"on time");
        p.inject(next);
        assert_eq!(p.take(&other).payload.into_bytes(), "on time");
        p.events();
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_events(&[Event::LinkDetached(link.id)]);
        assert_eq!(p.next_event(), None);
        let settled = p.engine().receiver(other.id).unwrap().accept(taken);
        assert_eq!(settled, Err(UsageError::StaleHandle));
        assert_eq!(p.engine().census().incoming_deliveries, 1);
    });
}

#[test]
fn a_caller_that_never_settles_is_waited_for_no_longer_than_was_said() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 1);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.take(&link);
        p.events();
        close_by(p, &link);
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Settling));
        p.oversleep(PATIENCE + 100);
        ends(p, &link);
    });
}

#[test]
fn a_sender_that_detaches_meanwhile_is_answered_by_the_engine() {
    for by_sender in [true, false] {
        client(|p| {
            let (_, link) = with_receiver(p);
            p.take_credit(&link, 5);
            let part = p.delivery(&link, 0, b"par").more(true);
            p.inject(part);
            close_by(p, &link);
            p.expect_flow().drain(true);
            p.inject(detach().handle(link.theirs).closed(by_sender));
            p.expect_detach().closed(true).no_error();
            p.expect_events(&[Event::LinkDetached(link.id)]);
            assert_eq!(p.next_event(), None);
            assert_eq!(p.engine().poll_timeout(), None);
            assert_eq!(p.engine().census().links, 0);
            assert_eq!(p.engine().census().incoming_deliveries, 0);
        });
    }
}

#[test]
fn a_delivery_that_came_in_part_is_waited_for_and_given_back_whole() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 5);
        let part = p.delivery(&link, 0, b"one ").more(true);
        p.inject(part);
        close_by(p, &link);
        p.expect_flow().link_credit(4).drain(true);
        let answer = drained(p, &link, 5);
        p.inject(answer);
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Draining));
        p.inject(transfer().handle(link.theirs).payload(b"two"));
        p.expect_disposition().first(0).state(released().v());
        ends(p, &link);
    });
}

#[test]
fn a_delivery_that_came_in_part_may_also_be_taken_back() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 1);
        let part = p.delivery(&link, 0, b"one ").more(true);
        p.inject(part);
        close_by(p, &link);
        p.expect_nothing();
        p.inject(transfer().handle(link.theirs).aborted(true));
        ends(p, &link);
    });
}

#[test]
fn a_delivery_that_was_read_in_part_is_the_callers_to_the_end() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.engine().receiver(link.id).unwrap().set_streaming(true);
        p.take_credit(&link, 1);
        let part = p.delivery(&link, 0, b"one ").more(true);
        p.inject(part);
        let read = p.engine().receiver(link.id).unwrap().read_partial();
        assert_eq!(read.unwrap().into_bytes(), "one ");
        close_by(p, &link);
        p.expect_nothing();
        p.inject(transfer().handle(link.theirs).payload(b"two"));
        p.expect_nothing();
        let rest = p.take(&link);
        assert_eq!(rest.payload.into_bytes(), "two");
        p.settle(&link, rest.id.unwrap(), Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).accepted();
        ends(p, &link);
    });
}

#[test]
fn where_the_receiver_settles_second_the_sender_settles_what_is_given_back() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = LinkConfig::receiver("in", "in");
        config.rcv_settle_mode = ReceiverSettleMode::Second;
        let link = p.receiver_with(session, config, |a| a);
        p.take_credit(&link, 1);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.events();
        close_by(p, &link);
        p.expect_disposition()
            .first(0)
            .settled(false)
            .state(released().v());
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Settling));
        p.inject(disposition().role(Role::Sender).first(0).settled(true));
        ends(p, &link);
    });
}

#[test]
fn a_session_that_ends_meanwhile_takes_the_close_with_it() {
    for by_script in [true, false] {
        client(|p| {
            let (session, link) = with_receiver(p);
            p.take_credit(&link, 5);
            close_by(p, &link);
            p.expect_flow().drain(true);
            if by_script {
                p.inject(end());
                p.expect_end();
            } else {
                p.engine().session(session).unwrap().end(None).unwrap();
                p.expect_end().respond();
            }
            p.expect_events(&[Event::LinkDetached(link.id), Event::SessionEnded(session)]);
            assert_eq!(p.next_event(), None);
            assert_eq!(p.engine().poll_timeout(), None);
            p.advance(2 * PATIENCE);
            p.expect_nothing();
            assert_eq!(p.engine().census(), Census::default());
        });
    }
}

#[test]
fn a_connection_that_closes_meanwhile_has_no_deadline_for_its_links() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 5);
        close_by(p, &link);
        p.expect_flow().drain(true);
        p.engine().connection().close(None).unwrap();
        p.expect_close();
        assert_eq!(p.engine().poll_timeout().unwrap().reason, Reason::Close);
        p.advance(PATIENCE);
        p.expect_nothing();
    });
}

// ---- senders

#[test]
fn a_sender_without_credit_is_detached_when_its_time_is_up() {
    client(|p| {
        let (_, link) = with_sender(p);
        starve(p, &link);
        close_by(p, &link);
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Sending));
        p.advance(PATIENCE);
        assert_eq!(closing(p, &link), Some(Closing::Overdue));
        p.events();
        ends(p, &link);
    });
}

#[test]
fn a_close_that_waits_for_credit_can_be_given_a_moment_to_end_at() {
    client(|p| {
        let (session, link) = with_sender(p);
        for close in [true, false] {
            let link = if close {
                link
            } else {
                p.sender(session, "again")
            };
            starve(p, &link);
            let mut view = p.engine().link(link.id).unwrap();
            if close {
                view.close(None).unwrap();
            } else {
                view.detach().unwrap();
            }
            p.advance(10 * PATIENCE);
            p.expect_nothing();
            close_by(p, &link);
            p.advance(PATIENCE);
            p.events();
            ends(p, &link);
        }
    });
}

#[test]
fn a_sender_detaches_once_the_peer_has_settled_what_it_sent() {
    client(|p| {
        let (_, link) = with_sender(p);
        starve(p, &link);
        close_by(p, &link);
        let refused = p.engine().sender(link.id).unwrap().send(b"3", b"x");
        assert_eq!(
            refused,
            Err(SendError::Usage(UsageError::WrongState(
                "the link is being closed"
            )))
        );
        p.grant(&link, 2);
        p.expect_transfer().delivery_tag(b"1");
        p.expect_transfer().delivery_tag(b"2");
        p.expect_nothing();
        assert_eq!(closing(p, &link), Some(Closing::Settling));
        let accept = disposition().role(Role::Receiver).settled(true).accepted();
        p.inject(accept.range(0, 1));
        assert_eq!(p.updates(&link).len(), 2);
        p.events();
        ends(p, &link);
    });
}

#[test]
fn a_sender_that_settles_by_itself_detaches_after_telling_so() {
    client(|p| {
        let (_, link) = with_sender(p);
        p.grant(&link, 1);
        let id = p.send(&link, b"1", b"x");
        p.expect_transfer();
        close_by(p, &link);
        p.inject(disposition().role(Role::Receiver).first(0).accepted());
        p.expect_nothing();
        p.events();
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_disposition()
            .role(Role::Sender)
            .first(0)
            .settled(true);
        ends(p, &link);
    });
}

#[test]
fn a_delivery_that_is_being_written_can_be_finished_or_taken_back_while_its_link_closes() {
    for abort in [true, false] {
        client(|p| {
            let (_, link) = with_sender(p);
            p.grant(&link, 1);
            let mut sender = p.engine().sender(link.id).unwrap();
            let id = sender.stream(b"t", &SendOptions::settled()).unwrap();
            sender.write(id, &b"one "[..]).unwrap();
            p.expect_transfer().more(true);
            close_by(p, &link);
            p.expect_nothing();
            let mut sender = p.engine().sender(link.id).unwrap();
            if abort {
                sender.abort(id).unwrap();
                p.expect_transfer().aborted(true);
            } else {
                sender.write(id, &b"two"[..]).unwrap();
                sender.finish(id).unwrap();
                p.expect_transfer().more(false).payload(b"two");
            }
            p.events();
            ends(p, &link);
        });
    }
}

#[test]
fn a_delivery_that_is_still_being_written_when_the_time_is_up_is_cut_off() {
    client(|p| {
        let (_, link) = with_sender(p);
        p.grant(&link, 1);
        let mut sender = p.engine().sender(link.id).unwrap();
        let id = sender.stream(b"t", &SendOptions::default()).unwrap();
        sender.write(id, &b"one "[..]).unwrap();
        p.expect_transfer().more(true);
        close_by(p, &link);
        p.advance(PATIENCE);
        let refused = p.engine().sender(link.id).unwrap().finish(id);
        assert!(refused.is_err());
        p.events();
        ends(p, &link);
    });
}

#[test]
fn a_drain_that_comes_to_a_sender_that_is_closing_is_answered() {
    client(|p| {
        let (_, link) = with_sender(p);
        p.grant(&link, 1);
        p.send(&link, b"1", b"x");
        p.expect_transfer();
        close_by(p, &link);
        let flow = p.link_flow(&link).link_credit(5).drain(true);
        p.inject(flow);
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.expect_flow().delivery_count(6).link_credit(0);
        p.inject(
            disposition()
                .role(Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        p.events();
        ends(p, &link);
    });
}

// ---- both

#[test]
fn the_moment_can_be_moved_and_the_earliest_of_all_is_the_deadline() {
    client(|p| {
        let (session, a) = with_receiver(p);
        let b = p.receiver(session, "b");
        p.take_credit(&a, 1);
        p.take_credit(&b, 1);
        let now = p.now();
        let by = |p: &mut Peer, link: &Wired, ms| {
            let mut view = p.engine().link(link.id).unwrap();
            view.close_by(now.after(ms)).unwrap();
        };
        by(p, &a, 1_000);
        by(p, &b, 2_000);
        by(p, &a, 3_000);
        assert_eq!(p.engine().poll_timeout().unwrap().at, now.after(2_000));
        p.expect_flow().handle(a.ours);
        p.expect_flow().handle(b.ours);
        p.advance(2_000);
        p.expect_detach().handle(b.ours);
        assert_eq!(p.engine().poll_timeout().unwrap().at, now.after(3_000));
        // A moment in the past is now.
        by(p, &a, 0);
        p.advance(0);
        p.expect_detach().handle(a.ours);
        assert_eq!(p.engine().poll_timeout(), None);
    });
}

#[test]
fn an_ordinary_close_takes_the_place_of_a_graceful_one() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 5);
        close_by(p, &link);
        p.expect_flow().drain(true);
        p.engine().link(link.id).unwrap().close(None).unwrap();
        assert_eq!(closing(p, &link), None);
        ends(p, &link);
    });
}

#[test]
fn what_cannot_be_closed_gracefully_says_why_and_stays_as_it_is() {
    client(|p| {
        let (_, link) = with_receiver(p);
        p.take_credit(&link, 1);
        close_by(p, &link);
        let mut receiver = p.engine().receiver(link.id).unwrap();
        let being_closed = Err(UsageError::WrongState("the link is being closed"));
        assert_eq!(receiver.set_credit(5), being_closed);
        assert_eq!(receiver.drain(), being_closed);
        assert_eq!(receiver.credit(), 1);
        p.expect_flow();
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_detach();
        let now = p.now();
        let again = p.engine().link(link.id).unwrap().close_by(now);
        assert_eq!(
            again,
            Err(UsageError::WrongState("the link was detached before"))
        );
        p.expect_nothing();
    });
}

/// Whatever is under way when the receiver closes, the sender learns of every message what became of it.
#[test]
fn two_engines_agree_on_every_delivery_of_a_link_that_its_receiver_closes() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed);
        pair.latency = 20;
        pair.opened();
        let (session, _) = pair.begun();
        let link = pair.joined(At::Client, session, LinkConfig::sender("l", "node"));
        let mut receiver = pair.server.engine.receiver(link.receiver).unwrap();
        receiver.set_automatic_credit(10).unwrap();
        pair.run();
        let (mut sent, mut accepted, mut told) = (0u32, 0, [0, 0]);
        let mut taken = Vec::new();
        for round in 0..100 {
            let now = pair.now();
            let mut sender = pair.client.engine.sender(link.sender);
            while let Ok(sender) = &mut sender
                && sender.send(&sent.to_be_bytes(), vec![1; 700]).is_ok()
            {
                sent += 1;
            }
            if let Ok(mut receiver) = pair.server.engine.receiver(link.receiver) {
                taken.extend(receiver.next_delivery().and_then(|delivery| delivery.id));
                if (round > 20 || round % 3 == 0)
                    && let Some(id) = taken.pop()
                {
                    receiver.accept(id).unwrap();
                    accepted += 1;
                }
            }
            if round == 20 {
                let mut link = pair.server.engine.link(link.receiver).unwrap();
                link.close_by(now.after(60_000)).unwrap();
            }
            pair.step();
            while let Some(event) = pair.next_event(At::Client) {
                if let Ok(mut sender) = pair.client.engine.sender(link.sender) {
                    sender.drained().unwrap();
                    while let Some(update) = sender.next_update() {
                        assert!(update.settled);
                        told[usize::from(update.state == Some(DeliveryState::Accepted))] += 1;
                    }
                }
                if event == Event::LinkDetached(link.sender) {
                    let mut link = pair.client.engine.link(link.sender).unwrap();
                    link.close(None).unwrap();
                }
            }
            pair.run_for(15);
        }
        assert_eq!(
            pair.events(At::Server).last(),
            Some(&Event::LinkDetached(link.receiver))
        );
        pair.run_for(1_000);
        pair.events(At::Client);
        let ends = [At::Client, At::Server];
        let links = ends.map(|at| pair.engine(at).census().links);
        assert_eq!(links, [0, 0], "seed {seed}");
        assert!(sent > 10);
        assert_eq!(
            (told[0] + told[1], told[1]),
            (sent, accepted),
            "seed {seed}"
        );
    }
}

#[test]
fn two_engines_agree_on_every_delivery_of_a_link_that_its_sender_closes() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed);
        pair.latency = 20;
        pair.opened();
        let (session, _) = pair.begun();
        let link = pair.joined(At::Client, session, LinkConfig::sender("l", "node"));
        let mut receiver = pair.server.engine.receiver(link.receiver).unwrap();
        receiver.set_credit(50).unwrap();
        pair.run();
        let mut sender = pair.client.engine.sender(link.sender).unwrap();
        for n in 0..50u8 {
            sender.send(&[n], vec![n; 3000]).unwrap();
        }
        let by = pair.now().after(60_000);
        let mut view = pair.client.engine.link(link.sender).unwrap();
        view.close_by(by).unwrap();
        let mut told = 0;
        while pair.engine(At::Client).census().links > 0 {
            pair.step();
            if let Ok(mut receiver) = pair.server.engine.receiver(link.receiver)
                && let Some(delivery) = receiver.next_delivery()
            {
                receiver.accept(delivery.id.unwrap()).unwrap();
            }
            if pair
                .events(At::Server)
                .contains(&Event::LinkDetached(link.receiver))
            {
                let mut link = pair.server.engine.link(link.receiver).unwrap();
                link.close(None).unwrap();
            }
            if let Ok(mut sender) = pair.client.engine.sender(link.sender) {
                told += std::iter::from_fn(|| sender.next_update()).count();
            }
            pair.events(At::Client);
            pair.run_for(5);
            assert!(pair.now() < by, "seed {seed}: told of {told}");
        }
        assert_eq!(told, 50);
        pair.events(At::Server);
        assert_eq!(pair.engine(At::Server).census().links, 0);
    }
}
