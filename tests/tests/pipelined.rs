//! Frames sent before the peer's open, begin or attach is there, and the peer that does the same (2.4.1).

use ferrion_engine::{Config, Event, LinkConfig, SessionConfig};
use ferrion_tests::build::{Role, attach, begin, close, flow, open, source, target, transfer};
use ferrion_tests::oracle::AMQP_HEADER;
use ferrion_tests::peer::{client, client_with, server};

fn lock_step() -> Config {
    let mut config = Config::new("engine");
    config.pipelined = false;
    config
}

#[test]
fn everything_up_to_the_first_transfer_leaves_in_one_write() {
    client(|p| {
        p.engine().connection().open().unwrap();
        let session = p.begin(SessionConfig::default()).unwrap();
        p.attach_sender(session, LinkConfig::sender("out", "q"))
            .unwrap();
        let receiver = p
            .attach_receiver(session, LinkConfig::receiver("in", "q"))
            .unwrap();
        p.engine()
            .receiver(receiver)
            .unwrap()
            .set_credit(5)
            .unwrap();
        let names = p.drain_names();
        assert_eq!(names[..4], ["header", "open", "begin", "attach"]);
        assert!(
            names[4..]
                .iter()
                .all(|name| name == "attach" || name == "flow"),
            "{names:?}"
        );
    });
}

#[test]
fn a_lock_step_client_waits_for_each_answer_of_the_connection() {
    client_with(lock_step(), |p| {
        p.engine().connection().open().unwrap();
        let session = p.begin(SessionConfig::default()).unwrap();
        p.attach_sender(session, LinkConfig::sender("out", "q"))
            .unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_nothing();
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script"));
        p.expect_begin();
    });
}

#[test]
fn only_channel_zero_is_used_before_the_peers_open() {
    client(|p| {
        p.engine().connection().open().unwrap();
        let first = p.begin(SessionConfig::default()).unwrap();
        let second = p.begin(SessionConfig::default()).unwrap();
        p.attach_sender(first, LinkConfig::sender("a", "q"))
            .unwrap();
        p.attach_sender(second, LinkConfig::sender("b", "q"))
            .unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        p.expect_begin().on(0);
        p.inject(open().container_id("script").channel_max(1));
        let rest = p.drain_names();
        assert_eq!(rest, ["begin", "attach", "attach"]);
    });
}

#[test]
fn a_session_that_the_peers_open_has_no_room_for_ends_here() {
    client(|p| {
        p.engine().connection().open().unwrap();
        let first = p.begin(SessionConfig::default()).unwrap();
        let second = p.begin(SessionConfig::default()).unwrap();
        let link = p
            .attach_sender(second, LinkConfig::sender("l", "q"))
            .unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        p.expect_begin().on(0);
        p.inject(open().container_id("script").channel_max(0));
        p.expect_nothing();
        p.expect_events(&[
            Event::RemoteOpen,
            Event::LinkDetached(link),
            Event::SessionEnded(second),
        ]);
        assert_eq!(p.next_event(), None);
        assert!(p.engine().session(second).is_err());
        assert!(p.engine().session(first).is_ok());
        assert_eq!(
            (p.engine().census().sessions, p.engine().census().links),
            (1, 0)
        );
    });
}

#[test]
fn a_link_that_the_peers_begin_has_no_room_for_ends_here() {
    client(|p| {
        p.opened();
        let session = p.begin(SessionConfig::default()).unwrap();
        p.expect_begin();
        let first = p
            .attach_sender(session, LinkConfig::sender("a", "q"))
            .unwrap();
        let second = p
            .attach_sender(session, LinkConfig::sender("b", "q"))
            .unwrap();
        // The answer is there before the attaches were written.
        p.inject(
            begin()
                .remote_channel(0)
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9)
                .handle_max(0)
                .on(5),
        );
        p.expect_attach().handle(0);
        p.expect_nothing();
        p.expect_events(&[Event::SessionBegun(session), Event::LinkDetached(second)]);
        assert_eq!(p.next_event(), None);
        assert!(p.engine().link(second).is_err());
        assert!(p.engine().link(first).is_ok());
    });
}

#[test]
fn a_pipelining_client_is_served_from_one_write() {
    server(|p| {
        p.use_channel(0);
        let frames = [
            open().container_id("script"),
            begin()
                .next_outgoing_id(0)
                .incoming_window(10)
                .outgoing_window(10),
            attach()
                .name("l")
                .handle(0)
                .role(Role::Sender)
                .initial_delivery_count(0)
                .source(source().v())
                .target(target().v()),
        ]
        .map(|build| p.octets(&build))
        .concat();
        let whole = [&AMQP_HEADER[..], &frames].concat();
        p.inject_raw(&whole);
        p.engine().connection().open().unwrap();
        assert_eq!(p.next_event(), Some(Event::RemoteOpen));
        let Some(Event::SessionBegun(session)) = p.next_event() else {
            panic!()
        };
        p.accept_session(session, SessionConfig::default()).unwrap();
        let Some(Event::LinkAttached(link)) = p.next_event() else {
            panic!()
        };
        p.accept_link(link).unwrap();
        p.engine().receiver(link).unwrap().set_credit(3).unwrap();
        assert_eq!(
            p.drain_names(),
            ["header", "open", "begin", "attach", "flow"]
        );
        let delivery = transfer()
            .handle(0)
            .delivery_id(0)
            .delivery_tag(b"t")
            .message_format(0)
            .payload(b"x")
            .on(0);
        p.inject(delivery);
        assert_eq!(p.next_event(), Some(Event::Deliveries(link)));
    });
}

#[test]
fn frames_of_a_link_that_was_not_accepted_yet_are_kept_in_mind() {
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        p.inject(
            attach()
                .name("l")
                .handle(0)
                .role(Role::Receiver)
                .source(source().v())
                .target(target().v()),
        );
        let grant = flow()
            .next_incoming_id(0)
            .incoming_window(10)
            .next_outgoing_id(0)
            .outgoing_window(10);
        // The script's receiver gives credit before it has seen our attach, so it names no delivery-count.
        p.inject(grant.handle(0).link_credit(5));
        let link = p.event_where("LinkAttached", |e| {
            if let Event::LinkAttached(id) = e {
                Some(id)
            } else {
                None
            }
        });
        p.accept_link(link).unwrap();
        p.expect_attach().role(Role::Sender);
        assert_eq!(p.engine().sender(link).unwrap().credit(), 5);
        p.engine().sender(link).unwrap().send(b"t", b"x").unwrap();
        p.expect_transfer();
    });
}

#[test]
fn open_and_close_in_one_write_are_answered_with_both() {
    server(|p| {
        p.inject_raw(
            &[
                AMQP_HEADER.to_vec(),
                open().container_id("brief").octets(0),
                close().octets(0),
            ]
            .concat(),
        );
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_close();
        p.expect_events(&[Event::RemoteOpen, Event::RemoteClose, Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn a_client_may_open_and_close_without_hearing_anything() {
    client(|p| {
        p.engine().connection().open().unwrap();
        p.engine().connection().close(None).unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open().on(0);
        p.expect_close().on(0);
        p.expect_nothing();
        p.inject_raw(&AMQP_HEADER);
        p.inject_all([open().container_id("script"), close()]);
        p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
        p.expect_done();
        assert_eq!(p.engine().failure(), None);
    });
}

#[test]
fn frames_before_our_open_is_seen_stay_within_512_octets() {
    client(|p| {
        p.engine().connection().open().unwrap();
        let session = p.begin(SessionConfig::default()).unwrap();
        let long = "n".repeat(600);
        p.attach_sender(session, LinkConfig::sender(long.as_str(), "q"))
            .unwrap();
        // The attach has to wait for the peer's open: it is too large for a peer of which nothing is known.
        assert_eq!(p.drain_names(), ["header", "open", "begin"]);
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script"));
        p.expect_attach().name(&long);
    });
}
