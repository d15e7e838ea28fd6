//! Link credit, drain and echo (2.6.7, 2.7.4).

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{Event, LinkConfig, SendError, SessionConfig};
use ferrion_tests::build::{Role, attach};
use ferrion_tests::oracle::{V, What};
use ferrion_tests::peer::{Peer, Wired, client};

fn with_sender(p: &mut Peer) -> Wired {
    p.opened();
    let session = p.begun();
    p.sender(session, "out")
}

fn credit_of(p: &mut Peer, link: &Wired) -> u32 {
    p.engine().sender(link.id).unwrap().credit()
}

#[test]
fn a_grant_is_told_and_counted_down() {
    client(|p| {
        let link = with_sender(p);
        assert_eq!(credit_of(p, &link), 0);
        p.grant(&link, 3);
        p.expect_events(&[Event::Flow(link.id)]);
        assert_eq!(credit_of(p, &link), 3);
        p.send(&link, b"1", b"");
        assert_eq!(credit_of(p, &link), 2);
        p.expect_transfer();
        assert_eq!(credit_of(p, &link), 2);
    });
}

#[test]
fn credit_counts_from_what_the_receiver_has_seen() {
    client(|p| {
        let link = with_sender(p);
        p.grant(&link, 10);
        for i in 0..4u8 {
            p.send(&link, &[i], b"");
            p.expect_transfer();
        }
        // The receiver has seen one of four and wants five more after it: two are left.
        let flow = p
            .flow()
            .handle(link.theirs)
            .delivery_count(1)
            .link_credit(5);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 2);
    });
}

#[test]
fn credit_that_is_taken_back_below_what_is_under_way_is_zero() {
    client(|p| {
        let link = with_sender(p);
        p.grant(&link, 10);
        for i in 0..4u8 {
            p.send(&link, &[i], b"");
            p.expect_transfer();
        }
        let flow = p
            .flow()
            .handle(link.theirs)
            .delivery_count(1)
            .link_credit(2);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 0);
        let refused = p.engine().sender(link.id).unwrap().send(b"x", b"");
        assert!(matches!(refused, Err(SendError::NoCredit)));
        let flow = p
            .flow()
            .handle(link.theirs)
            .delivery_count(4)
            .link_credit(0);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 0);
        p.grant(&link, 1);
        assert_eq!(credit_of(p, &link), 1);
    });
}

#[test]
fn sends_that_lost_their_credit_wait_for_new_credit() {
    client(|p| {
        let link = with_sender(p);
        p.grant(&link, 2);
        p.send(&link, b"1", b"");
        p.expect_transfer();
        p.send(&link, b"2", b"");
        // The second is not written yet when its credit goes.
        let flow = p
            .flow()
            .handle(link.theirs)
            .delivery_count(1)
            .link_credit(0);
        p.inject(flow);
        let names = p.drain_names();
        if names.is_empty() {
            p.grant(&link, 1);
            p.expect_transfer().delivery_tag(b"2");
        }
        p.expect_nothing();
    });
}

#[test]
fn a_flow_without_link_credit_or_delivery_count_is_survived() {
    client(|p| {
        let link = with_sender(p);
        p.grant(&link, 3);
        let flow = p.flow().handle(link.theirs);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 3, "what is not said does not change");
        let flow = p.flow();
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 3);
        // Without a delivery-count the initial one counts.
        let flow = p.flow().handle(link.theirs).link_credit(5);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 5);
        p.expect_nothing();
    });
}

#[test]
fn credit_before_the_receiver_saw_our_attach_counts_from_our_initial_delivery_count() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = LinkConfig::sender("l", "q");
        config.initial_delivery_count = 1000;
        let link = p.sender_with(session, config, |b| b);
        let flow = p.flow().handle(link.theirs).link_credit(2);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 2);
        p.send(&link, b"1", b"");
        p.expect_transfer();
        // The same statement again: one of the two has been used.
        let flow = p.flow().handle(link.theirs).link_credit(2);
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 1);
    });
}

#[test]
fn a_receivers_credit_carries_the_delivery_count_of_the_senders_attach() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver_with(session, LinkConfig::receiver("l", "q"), |b| {
            b.initial_delivery_count(500)
        });
        p.engine()
            .receiver(link.id)
            .unwrap()
            .set_credit(10)
            .unwrap();
        p.expect_flow()
            .handle(link.ours)
            .delivery_count(500)
            .link_credit(10)
            .drain(false)
            .echo(false);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.take(&link);
        p.engine()
            .receiver(link.id)
            .unwrap()
            .set_credit(10)
            .unwrap();
        p.expect_flow().delivery_count(501).link_credit(10);
    });
}

#[test]
fn credit_before_the_senders_attach_has_no_delivery_count() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .attach_receiver(session, LinkConfig::receiver("l", "q"))
            .unwrap();
        p.engine().receiver(id).unwrap().set_credit(10).unwrap();
        p.expect_attach();
        // Whether it is told at once or only when the sender's attach is there: a count that is not known is not told.
        if let Some((piece, _)) = p.next_piece() {
            let What::Frame(frame) = piece.what else {
                panic!()
            };
            let flow = frame.perf.unwrap();
            assert_eq!(
                (flow.name().as_str(), flow.get("delivery-count")),
                ("flow", V::Null)
            );
        }
    });
}

#[test]
fn adding_credit_adds_to_what_is_left() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 3);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.engine().receiver(link.id).unwrap().add_credit(5).unwrap();
        p.expect_flow().delivery_count(1).link_credit(7);
        assert_eq!(p.engine().receiver(link.id).unwrap().credit(), 7);
    });
}

#[test]
fn several_grants_between_two_writes_are_one_flow() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        for credit in [1, 5, 9] {
            p.engine()
                .receiver(link.id)
                .unwrap()
                .set_credit(credit)
                .unwrap();
        }
        p.expect_flow().link_credit(9);
        p.expect_nothing();
    });
}

#[test]
fn a_delivery_without_credit_detaches_the_link_and_only_the_link() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        let other = p.receiver(session, "other");
        p.take_credit(&link, 1);
        p.take_credit(&other, 1);
        let (fine, excess) = (p.delivery(&link, 0, b"x"), p.delivery(&link, 1, b"y"));
        p.inject_all([fine, excess]);
        p.expect_detach()
            .handle(link.ours)
            .closed(true)
            .condition("amqp:link:transfer-limit-exceeded");
        let delivery = p.delivery(&other, 2, b"z");
        p.inject(delivery);
        assert_eq!(p.take(&other).payload.into_bytes(), "z");
        p.expect_nothing();
    });
}

#[test]
fn deliveries_under_way_when_credit_is_taken_back_are_still_taken() {
    // 2.6.7 allows to detach the link for it, but the sender did nothing wrong.
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        p.take_credit(&link, 0);
        // The script sends before it sees the second flow.
        let delivery = p.delivery(&link, 0, b"in flight");
        p.inject(delivery);
        assert_eq!(p.take(&link).payload.into_bytes(), "in flight");
        p.expect_nothing();
    });
}

#[test]
fn drain_is_told_with_credit_and_ends_with_the_senders_answer() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().handle(link.ours).link_credit(5).drain(true);
        let one = p.delivery(&link, 0, b"x");
        p.inject(one);
        p.expect_events(&[Event::Deliveries(link.id)]);
        let answer = p
            .flow()
            .handle(link.theirs)
            .delivery_count(5)
            .link_credit(0)
            .drain(true);
        p.inject(answer);
        p.expect_events(&[Event::Flow(link.id)]);
        assert_eq!(p.engine().receiver(link.id).unwrap().credit(), 0);
        // Credit stays at zero until it is given again, and then it is not a drain any more.
        p.expect_nothing();
        p.engine().receiver(link.id).unwrap().set_credit(2).unwrap();
        p.expect_flow()
            .delivery_count(5)
            .link_credit(2)
            .drain(false);
    });
}

/// Some senders answer a drain with the credit that was left; the delivery-count is what says that it is used.
#[test]
fn an_answer_to_a_drain_that_names_credit_does_no_harm() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().link_credit(5).drain(true);
        let answer = p.flow().handle(link.theirs).delivery_count(5);
        p.inject(answer.link_credit(5).drain(true));
        p.expect_events(&[Event::Flow(link.id)]);
        let receiver = p.engine().receiver(link.id).unwrap();
        assert_eq!((receiver.credit(), receiver.is_draining()), (0, false));
        p.expect_nothing();
    });
}

/// What credit is added to is a serial number, and to that no more than 2^31 - 1 can be added (RFC 1982).
#[test]
fn more_credit_than_can_be_counted_is_not_granted() {
    const MOST: u32 = i32::MAX as u32;
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        let mut view = p.engine().receiver(link.id).unwrap();
        view.set_credit(u32::MAX).unwrap();
        assert_eq!(view.credit(), MOST);
        p.expect_flow().link_credit(MOST);
        let mut view = p.engine().receiver(link.id).unwrap();
        view.add_credit(u32::MAX).unwrap();
        view.drain().unwrap();
        p.expect_flow().link_credit(MOST).drain(true);
        let answer = p.flow().handle(link.theirs).delivery_count(MOST);
        p.inject(answer.link_credit(0).drain(true));
        p.expect_events(&[Event::Flow(link.id)]);
        assert!(!p.engine().receiver(link.id).unwrap().is_draining());
        p.expect_nothing();
    });
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        let mut view = p.engine().receiver(link.id).unwrap();
        view.set_automatic_credit(u32::MAX).unwrap();
        p.expect_flow().link_credit(MOST);
        let delivery = p.delivery(&link, 0, b"x").settled(true);
        p.inject(delivery);
        p.take(&link);
        p.expect_nothing();
    });
}

/// With no credit left to give back, only the flag that the sender repeats tells its answer from what it said before it heard.
#[test]
fn a_drain_of_credit_that_was_taken_back_is_not_answered_by_what_was_under_way() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 2);
        p.take_credit(&link, 0);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().link_credit(0).drain(true);
        let says = p.flow().handle(link.theirs).delivery_count(0);
        p.inject(says.clone().link_credit(2).available(3));
        p.expect_events(&[]);
        assert!(p.engine().receiver(link.id).unwrap().is_draining());
        let one = p.delivery(&link, 0, b"x");
        p.inject(one);
        p.expect_events(&[Event::Deliveries(link.id)]);
        assert!(p.engine().receiver(link.id).unwrap().is_draining());
        p.inject(says.delivery_count(1).link_credit(0).drain(true));
        p.expect_events(&[Event::Flow(link.id)]);
        assert!(!p.engine().receiver(link.id).unwrap().is_draining());
    });
}

/// Not every sender answers a drain when it has nothing left to give back.
#[test]
fn a_drain_ends_with_the_delivery_that_uses_the_last_credit() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 2);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().link_credit(2).drain(true);
        let one = p.delivery(&link, 0, b"one");
        p.inject(one);
        let two = p.delivery(&link, 1, b"t").more(true);
        p.inject(two);
        assert!(p.engine().receiver(link.id).unwrap().is_draining());
        p.events();
        let rest = p.delivery(&link, 1, b"wo");
        p.inject(rest);
        p.expect_events(&[Event::Deliveries(link.id), Event::Flow(link.id)]);
        assert!(!p.engine().receiver(link.id).unwrap().is_draining());
        // The answer that comes all the same says nothing new.
        let answer = p
            .flow()
            .handle(link.theirs)
            .delivery_count(2)
            .link_credit(0)
            .drain(true);
        p.inject(answer);
        p.expect_events(&[]);
    });
}

#[test]
fn a_drain_ends_when_the_delivery_with_the_last_credit_is_taken_back() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().link_credit(1).drain(true);
        let begun = p.delivery(&link, 0, b"x").more(true);
        p.inject(begun);
        let aborted = p.delivery(&link, 0, b"").aborted(true);
        p.inject(aborted);
        p.expect_events(&[Event::Flow(link.id)]);
        assert!(!p.engine().receiver(link.id).unwrap().is_draining());
    });
}

/// There is nothing to give back, and not every sender would say so.
#[test]
fn a_drain_without_credit_is_over_at_once() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1);
        let one = p.delivery(&link, 0, b"x");
        p.inject(one);
        p.events();
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        assert!(!p.engine().receiver(link.id).unwrap().is_draining());
        p.expect_nothing();
        p.expect_events(&[Event::Flow(link.id)]);
        // What was taken back may be under way: that is asked for.
        p.engine().receiver(link.id).unwrap().set_credit(2).unwrap();
        p.expect_flow().link_credit(2);
        p.engine().receiver(link.id).unwrap().set_credit(0).unwrap();
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().link_credit(0).drain(true);
        assert!(p.engine().receiver(link.id).unwrap().is_draining());
    });
}

#[test]
fn a_drained_sender_answers_after_its_transfers_with_all_credit_used() {
    client(|p| {
        let link = with_sender(p);
        p.grant(&link, 10);
        p.send(&link, b"1", b"a");
        p.send(&link, b"2", b"b");
        let drain = p.link_flow(&link).link_credit(10).drain(true);
        p.inject(drain);
        assert!(p.engine().sender(link.id).unwrap().is_draining());
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.expect_transfer().delivery_tag(b"1");
        p.expect_transfer().delivery_tag(b"2");
        p.expect_flow()
            .handle(link.ours)
            .delivery_count(10)
            .link_credit(0)
            .drain(true);
        p.expect_nothing();
        assert_eq!(credit_of(p, &link), 0);
        assert!(!p.engine().sender(link.id).unwrap().is_draining());
    });
}

/// "The sender's value" of the flag is the receiver's (2.6.7): some receivers know the answer by it.
#[test]
fn a_sender_repeats_the_drain_flag_until_the_receiver_takes_it_back() {
    client(|p| {
        let link = with_sender(p);
        let drain = p.link_flow(&link).link_credit(7).drain(true);
        p.inject(drain);
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.expect_flow().delivery_count(7).drain(true);
        let echo = p
            .link_flow(&link)
            .delivery_count(7)
            .link_credit(0)
            .drain(true)
            .echo(true);
        p.inject(echo);
        p.expect_flow().delivery_count(7).drain(true);
        let more = p
            .link_flow(&link)
            .delivery_count(7)
            .link_credit(1)
            .echo(true);
        p.inject(more);
        p.expect_flow().link_credit(1).drain(false);
    });
}

#[test]
fn a_drain_with_nothing_to_send_is_answered_at_once() {
    client(|p| {
        let link = with_sender(p);
        let drain = p.link_flow(&link).link_credit(7).drain(true);
        p.inject(drain);
        p.expect_events(&[Event::Flow(link.id)]);
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.expect_flow().delivery_count(7).link_credit(0);
        p.grant(&link, 1);
        p.send(&link, b"1", b"");
        p.expect_transfer().delivery_id(0);
    });
}

#[test]
fn echo_is_answered_once_and_without_echo() {
    client(|p| {
        let link = with_sender(p);
        let ask = p.link_flow(&link).link_credit(3).echo(true);
        p.inject_all([ask.clone(), ask.clone(), ask]);
        p.expect_flow()
            .handle(link.ours)
            .delivery_count(0)
            .link_credit(3)
            .echo(false);
        p.expect_nothing();
    });
}

/// Its link has a state to tell once it is attached (2.7.4).
#[test]
fn echo_for_a_link_that_was_not_accepted_yet_is_answered_with_its_attach() {
    for accepted in [true, false] {
        client(|p| {
            p.opened();
            p.begun_by_script(Default::default(), |begin| begin);
            let ask = p.flow().handle(3).link_credit(5).echo(true);
            p.inject_all([
                attach().name("l").handle(3).role(Role::Receiver),
                ask.clone(),
                ask,
            ]);
            let link = p.event_where("LinkAttached", |e| match e {
                Event::LinkAttached(id) => Some(id),
                _ => None,
            });
            p.expect_nothing();
            if accepted {
                p.accept_link(link).unwrap();
                p.expect_attach();
                p.expect_flow().delivery_count(0).link_credit(5).echo(false);
                p.expect_nothing();
                let again = p.flow().handle(3).link_credit(4).delivery_count(0);
                p.inject(again.echo(true));
                p.expect_flow().link_credit(4);
            } else {
                p.engine_starts_at_zero();
                let why = Condition::new(conditions::NOT_FOUND);
                p.engine().link(link).unwrap().refuse(why).unwrap();
                assert_eq!(p.drain_names(), ["attach", "detach"]);
            }
        });
    }
}

#[test]
fn echo_without_a_handle_is_answered_for_the_session() {
    client(|p| {
        with_sender(p);
        let ask = p.flow().echo(true);
        p.inject_all([ask.clone(), ask]);
        p.expect_flow()
            .null("handle")
            .null("link-credit")
            .null("delivery-count")
            .null("available")
            .null("drain")
            .echo(false);
        p.expect_nothing();
    });
}

#[test]
fn echo_at_a_receiver_is_answered_with_its_credit() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        let ask = p.flow().handle(link.theirs).delivery_count(0).echo(true);
        p.inject(ask);
        p.expect_flow().handle(link.ours).link_credit(5).echo(false);
        p.expect_nothing();
    });
}

#[test]
fn a_link_without_credit_does_not_hold_up_another() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let dry = p.sender(session, "dry");
        let wet = p.sender(session, "wet");
        p.grant(&dry, 1);
        p.grant(&wet, 2);
        p.send(&dry, b"d", b"");
        p.expect_transfer();
        assert!(p.engine().sender(dry.id).unwrap().send(b"e", b"").is_err());
        p.send(&wet, b"w", b"");
        p.expect_transfer().handle(wet.ours);
    });
}

#[test]
fn available_is_what_the_sender_said_less_what_came_since() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        let flow = p.flow().handle(link.theirs).delivery_count(0);
        p.inject(flow.link_credit(5).available(2));
        for left in [1, 0, 0] {
            // The third is one more than the sender said it had, which it may send all the same.
            let number = p.engine().receiver(link.id).unwrap().waiting() as u32;
            let delivery = p.delivery(&link, number, b"x").settled(true);
            p.inject(delivery);
            assert_eq!(p.engine().receiver(link.id).unwrap().available(), left);
        }
        assert_eq!(p.engine().receiver(link.id).unwrap().waiting(), 3);
        let flow = p.flow().handle(link.theirs).delivery_count(3);
        p.inject(flow.available(u32::MAX));
        let available = p.engine().receiver(link.id).unwrap().available();
        assert_eq!(available, u32::MAX);
        p.expect_nothing();
    });
}

#[test]
fn link_properties_in_a_flow_do_no_harm() {
    client(|p| {
        let link = with_sender(p);
        let flow = p
            .link_flow(&link)
            .link_credit(1)
            .properties(V::fields(&[("x-opt", V::Uint(1))]));
        p.inject(flow);
        assert_eq!(credit_of(p, &link), 1);
    });
}

/// What credit was taken back from waits for more, and does not hold up the answer (2.6.7).
#[test]
fn a_drain_with_less_credit_than_messages_is_answered_when_the_credit_is_used() {
    client(|p| {
        p.opened();
        let session = p.begun_with(SessionConfig::default(), |b| b.incoming_window(0));
        let link = p.sender(session, "out");
        let shut = p.link_flow(&link).link_credit(3).incoming_window(0);
        p.inject(shut);
        for tag in 0..3u8 {
            p.send(&link, &[tag], b"x");
        }
        let drain = p
            .link_flow(&link)
            .link_credit(1)
            .drain(true)
            .incoming_window(100);
        p.inject(drain);
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.expect_transfer();
        p.expect_flow().link_credit(0).delivery_count(1);
        p.expect_nothing();
    });
}

#[test]
fn credit_that_is_set_anew_ends_a_drain() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().drain(true);
        p.engine()
            .receiver(link.id)
            .unwrap()
            .set_credit(10)
            .unwrap();
        p.expect_flow()
            .link_credit(10)
            .check("no drain", |flow| !flow.flag("drain"));
    });
}

/// A drain ends with all credit used (2.6.7); topping it up would keep it from ending.
#[test]
fn automatic_credit_stays_out_of_a_drain() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.engine()
            .receiver(link.id)
            .unwrap()
            .set_automatic_credit(2)
            .unwrap();
        p.expect_flow().link_credit(2);
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        p.expect_flow().drain(true);
        let delivery = p.delivery(&link, 0, b"x").settled(true);
        p.inject(delivery);
        p.take(&link);
        p.expect_nothing();
    });
}
