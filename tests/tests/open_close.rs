//! The connection: protocol headers, open, close (2.2, 2.4, 2.7.1, 2.7.9).

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{
    Config, Event, Failure, HeaderFailure, LinkConfig, Origin, SendError, SessionConfig, UsageError,
};
use ferrion_tests::build::{self, begin, close, end, error, open};
use ferrion_tests::oracle::{AMQP_HEADER, Element, Form, TLS_HEADER, V};
use ferrion_tests::peer::{Peer, client, client_with, server, server_with};

fn config() -> Config {
    Config::new("engine")
}

#[test]
fn a_client_writes_header_and_open_without_waiting_for_anything() {
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open()
            .container_id("engine")
            .on(0)
            .check("max-frame-size of at least 512", |open| {
                open.uint("max-frame-size").unwrap() >= 512
            });
        p.expect_nothing();
    });
}

#[test]
fn a_server_writes_nothing_until_the_client_has_spoken() {
    server(|p| {
        p.expect_nothing();
        p.inject_raw(&AMQP_HEADER[..7]);
        p.expect_nothing();
        p.inject_raw(&AMQP_HEADER[7..]);
        p.expect_header(AMQP_HEADER);
    });
}

#[test]
fn open_says_what_the_configuration_says() {
    let mut config = config();
    config.hostname = Some("broker.example".into());
    config.max_frame_size = 4096;
    config.channel_max = 9;
    config.idle_time_out = Some(60_000);
    config.offered_capabilities = vec!["a".try_into().unwrap()];
    config.desired_capabilities = vec!["b".try_into().unwrap(), "c".try_into().unwrap()];
    client_with(config, |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open()
            .offered_capabilities(&["a"])
            .desired_capabilities(&["b", "c"])
            .hostname("broker.example")
            .max_frame_size(4096)
            .channel_max(9)
            .idle_time_out(30_000);
    });
}

/// All texts are in en-US, which needs no mention; whatever the peer prefers is taken note of, no more (2.7.1).
#[test]
fn locales_are_left_at_the_one_that_everybody_understands() {
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open()
            .null("outgoing-locales")
            .null("incoming-locales")
            .respond_with(|open| {
                open.set("outgoing-locales", V::sym("en-US"))
                    .set("incoming-locales", V::symbols(&["de-CH", "en-US"]))
            });
        p.expect_events(&[Event::RemoteOpen]);
        let remote = p.engine().connection().remote().cloned().unwrap();
        assert_eq!(remote.incoming_locales.len(), 2);
    });
}

/// Frames of 512 octets have to be taken whatever the configuration says (2.7.1).
#[test]
fn a_max_frame_size_of_ours_below_512_counts_as_512() {
    let mut config = config();
    config.max_frame_size = 100;
    server_with(config, |p| {
        p.inject_raw(&AMQP_HEADER);
        let build = open().container_id("script");
        // Long enough that its own length and that of the list take four octets.
        let with = |name: usize| build.clone().hostname(&"h".repeat(name));
        let largest = with(300 + 512 - p.octets(&with(300)).len());
        assert_eq!(p.octets(&largest).len(), 512);
        p.inject(largest);
        p.event_where("RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open().max_frame_size(512);
        p.expect_nothing();
    });
}

#[test]
fn the_peers_open_is_shown_in_full() {
    client(|p| {
        p.opened_with(|open| {
            open.hostname("h")
                .max_frame_size(1000)
                .channel_max(3)
                .idle_time_out(7000)
                .offered_capabilities(&["a", "b"])
        });
        let remote = p.engine().connection().remote().unwrap().clone();
        assert_eq!(remote.container_id, "script");
        assert_eq!(remote.max_frame_size, 1000);
        assert_eq!(remote.channel_max, 3);
        assert_eq!(remote.idle_time_out, Some(7000));
        assert_eq!(remote.offered_capabilities.len(), 2);
    });
}

#[test]
fn every_legal_encoding_of_open_means_the_same() {
    for form in [Form::Shortest, Form::Small, Form::Widest] {
        for symbolic in [false, true] {
            client(|p| {
                p.opened_with(|open| {
                    let open = open
                        .hostname("h")
                        .max_frame_size(600)
                        .idle_time_out(0)
                        .form(form);
                    if symbolic { open.symbolic() } else { open }
                });
                let remote = p.engine().connection().remote().unwrap().clone();
                assert_eq!(remote.hostname.as_deref(), Some("h"));
                assert_eq!((remote.max_frame_size, remote.channel_max), (600, 65535));
            });
        }
    }
}

#[test]
fn absent_null_and_empty_mean_no_capability_and_a_lone_symbol_means_one() {
    let empty = V::Array(
        Element {
            descriptors: vec![],
            code: 0xa3,
        },
        vec![],
    );
    for (value, count) in [
        (V::Null, 0),
        (empty, 0),
        (V::sym("one"), 1),
        (V::symbols(&["one"]), 1),
        (V::symbols(&["one", "two"]), 2),
    ] {
        client(|p| {
            // A property behind it, so that a null is written and not cut off.
            let properties = V::fields(&[("k", V::Uint(1))]);
            p.opened_with(|open| {
                open.set("desired-capabilities", value.clone())
                    .properties(properties)
            });
            assert_eq!(
                p.engine()
                    .connection()
                    .remote()
                    .unwrap()
                    .desired_capabilities
                    .len(),
                count
            );
        });
    }
}

#[test]
fn the_longer_descriptor_forms_are_read_too() {
    // 0x80 with eight octets is Form::Widest; this is the one-octet form around a full list32.
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        let mut body = vec![0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x10];
        body.extend([0xd0, 0, 0, 0, 7, 0, 0, 0, 1, 0xa1, 1, b'x']);
        let size = (body.len() + 8) as u8;
        p.inject_raw(&[&[0, 0, 0, size, 2, 0, 0, 0][..], &body].concat());
        p.expect_events(&[Event::RemoteOpen]);
    });
}

#[test]
fn a_client_whose_server_answers_with_another_version_gives_up() {
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.inject_raw(b"AMQP\x00\x00\x09\x01");
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
        let failure = p.engine().failure().cloned();
        assert!(
            matches!(
                failure,
                Some(Failure::Header(HeaderFailure::Unsupported { .. }))
            ),
            "{failure:?}"
        );
    });
}

#[test]
fn a_server_answers_a_foreign_header_with_its_own_and_hangs_up() {
    for header in [
        *b"AMQP\x00\x00\x09\x01",
        *b"AMQP\x00\x01\x00\x01",
        *b"AMQP\x00\x02\x00\x00",
        *b"AMQP\x07\x01\x00\x00",
        *b"GET / HT",
    ] {
        server(|p| {
            p.inject_raw(&header);
            p.expect_header(AMQP_HEADER);
            p.expect_events(&[Event::Disconnected]);
            p.expect_done();
            assert!(matches!(p.engine().failure(), Some(Failure::Header(_))));
        });
    }
}

#[test]
fn a_server_tells_a_client_that_wants_tls_from_one_that_talks_nonsense() {
    for hello in [TLS_HEADER, [0x16, 3, 1, 2, 0, 1, 0, 1]] {
        server(|p| {
            p.inject_raw(&hello);
            p.expect_header(AMQP_HEADER);
            p.expect_done();
            assert_eq!(
                p.engine().failure(),
                Some(&Failure::Header(HeaderFailure::TlsRequested))
            );
        });
    }
}

#[test]
fn octets_after_a_foreign_header_are_not_looked_at() {
    server(|p| {
        p.inject_raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        p.expect_header(AMQP_HEADER);
        p.expect_done();
        p.expect_events(&[Event::Disconnected]);
    });
}

fn closes_first(p: &mut Peer) {
    p.opened();
    p.engine().connection().close(None).unwrap();
    p.expect_close().no_error().on(0);
    p.expect_nothing();
    assert!(!p.engine().is_done(), "the peer's close is still to come");
    p.inject(close());
    p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
    p.expect_done();
    assert_eq!(p.engine().failure(), None);
}

#[test]
fn closing_first_waits_for_the_peers_close() {
    client(closes_first);
    server(closes_first);
}

fn answers_close(p: &mut Peer) {
    p.opened();
    p.inject(close());
    p.expect_close().no_error();
    p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
    p.expect_done();
    assert_eq!(p.engine().failure(), None);
}

#[test]
fn the_peers_close_is_answered() {
    client(answers_close);
    server(answers_close);
}

#[test]
fn simultaneous_closes_end_well() {
    client(|p| {
        p.opened();
        p.engine().connection().close(None).unwrap();
        p.inject(close());
        p.expect_close().no_error();
        p.expect_done();
        assert_eq!(p.engine().failure(), None);
    });
}

#[test]
fn close_may_come_on_any_channel() {
    client(|p| {
        p.opened();
        p.inject(close().on(9));
        p.expect_close().on(0);
        p.expect_done();
    });
}

#[test]
fn the_peers_reason_for_closing_is_reported() {
    client(|p| {
        p.opened();
        let reason = error("amqp:connection:forced").set("description", V::str("maintenance"));
        p.inject(close().error(reason.v()));
        p.expect_close();
        let remote = p.engine().connection().remote_condition().cloned().unwrap();
        assert_eq!(remote.condition, "amqp:connection:forced");
        assert_eq!(remote.description.as_deref(), Some("maintenance"));
        match p.engine().failure() {
            Some(Failure::Condition {
                origin: Origin::Remote,
                condition,
            }) => {
                assert_eq!(condition.condition, "amqp:connection:forced");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn after_closing_for_an_error_everything_but_close_is_ignored() {
    client(|p| {
        p.opened();
        // Two opens: a fault of the connection.
        p.inject(open().container_id("again"));
        p.expect_close()
            .check("with an error", |close| !close.get("error").is_null());
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(1)
                .outgoing_window(1)
                .on(3),
        );
        p.inject(open().container_id("and again"));
        p.inject(build::transfer().handle(77).on(60_000));
        p.expect_nothing();
        p.inject(close());
        p.expect_done();
        assert!(matches!(
            p.engine().failure(),
            Some(Failure::Condition {
                origin: Origin::Local,
                ..
            })
        ));
    });
}

/// Whoever closes with an error discards what still comes (2.4.6), whether it was found here or by the program.
#[test]
fn after_the_program_closed_with_an_error_everything_but_close_is_ignored() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 5);
        let why = Condition::new(conditions::INTERNAL_ERROR);
        p.engine().connection().close(Some(why)).unwrap();
        p.expect_close().condition("amqp:internal-error");
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(1)
                .outgoing_window(1)
                .on(9),
        );
        p.inject(open().container_id("again"));
        p.inject(build::transfer().handle(77).on(60_000));
        p.inject(end());
        p.expect_nothing();
        p.expect_events(&[]);
        p.expect_no_delivery(&link);
        p.inject(close());
        p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
        p.expect_done();
        assert_eq!(p.engine().failure(), None);
    });
    client(|p| {
        p.engine().connection().open().unwrap();
        let why = Condition::new(conditions::INTERNAL_ERROR);
        p.engine().connection().close(Some(why)).unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        p.expect_close().condition("amqp:internal-error");
        p.inject(open().container_id("script"));
        p.inject(close());
        p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
        p.expect_done();
    });
}

/// What may come before open is bounded, and an open that is discarded has come all the same.
#[test]
fn what_comes_behind_an_open_that_is_discarded_is_not_before_open() {
    client(|p| {
        p.engine().connection().open().unwrap();
        let why = Condition::new(conditions::INTERNAL_ERROR);
        p.engine().connection().close(Some(why)).unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        p.expect_close().condition("amqp:internal-error");
        p.inject(open().container_id("script"));
        for _ in 0..100 {
            let begin = begin().next_outgoing_id(0).incoming_window(1);
            p.inject(begin.outgoing_window(1));
            p.inject(build::transfer().handle(0).payload(&[0; 400]));
        }
        p.expect_nothing();
        p.expect_events(&[]);
        p.inject(close());
        p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn what_follows_close_is_ignored() {
    client(|p| {
        p.opened();
        p.inject_all([
            close(),
            begin()
                .next_outgoing_id(0)
                .incoming_window(1)
                .outgoing_window(1),
        ]);
        p.expect_close();
        p.expect_events(&[Event::RemoteClose, Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn another_frame_before_open_closes_the_connection() {
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(1)
                .outgoing_window(1),
        );
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_close()
            .check("with an error", |close| !close.get("error").is_null());
    });
}

#[test]
fn a_fault_is_reported_once_and_the_connection_ends() {
    client(|p| {
        p.opened();
        p.inject(open().container_id("again"));
        p.expect_close();
        p.inject_eof();
        p.expect_events(&[Event::Failed, Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn the_end_of_the_stream_before_close_is_a_failure() {
    client(|p| {
        p.opened();
        p.inject_eof();
        p.expect_events(&[Event::Disconnected]);
        assert_eq!(p.engine().failure(), Some(&Failure::TransportClosed));
        p.expect_done();
    });
}

#[test]
fn the_end_of_the_stream_in_the_middle_of_a_frame_is_a_failure() {
    client(|p| {
        p.opened();
        let octets = close().octets(0);
        p.inject_raw(&octets[..octets.len() - 1]);
        p.inject_eof();
        p.expect_events(&[Event::Disconnected]);
        assert_eq!(p.engine().failure(), Some(&Failure::TransportClosed));
    });
}

#[test]
fn a_peer_that_stalls_the_handshake_is_given_up() {
    for stalled_at in 0..3 {
        server(|p| {
            if stalled_at > 0 {
                p.inject_raw(&AMQP_HEADER);
            }
            if stalled_at > 1 {
                p.inject_raw(&open().container_id("slow").octets(0)[..5]);
            }
            p.engine().connection().open().unwrap();
            // The clock starts with the first call that tells the time.
            p.oversleep(0);
            p.advance(29_000);
            assert_eq!(p.next_event(), None);
            p.advance(2_000);
            p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
            assert_eq!(p.engine().failure(), Some(&Failure::HandshakeTimeout));
            p.drain_names();
            p.expect_done();
        });
    }
}

#[test]
fn a_peer_that_never_answers_close_is_given_up() {
    client(|p| {
        p.opened();
        p.engine().connection().close(None).unwrap();
        p.expect_close();
        p.advance(60_000);
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn a_max_frame_size_below_512_counts_as_512() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(100));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 1);
        p.send(&link, b"t", &[7; 600]);
        let size = p.expect_transfer().more(true).size();
        assert!(size <= 512 && size > 400);
        p.expect_transfer().more(false);
    });
}

#[test]
fn sessions_never_exceed_the_peers_channel_max() {
    client(|p| {
        p.opened_with(|open| open.channel_max(1));
        p.begun();
        p.begun();
        let refused = p.begin(Default::default());
        assert!(refused.is_err());
        p.expect_nothing();
    });
}

#[test]
fn a_channel_above_our_channel_max_is_a_framing_error() {
    let mut config = config();
    config.channel_max = 4;
    server_with(config, |p| {
        p.opened();
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(1)
                .outgoing_window(1)
                .on(5),
        );
        p.expect_close().condition("amqp:connection:framing-error");
    });
}

#[test]
fn commands_on_a_connection_in_the_wrong_state_are_refused_and_change_nothing() {
    client(|p| {
        assert!(p.engine().connection().close(None).is_err());
        assert!(p.begin(Default::default()).is_err());
        p.engine().connection().open().unwrap();
        assert!(p.engine().connection().open().is_err());
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open().respond();
        p.engine().connection().close(None).unwrap();
        assert!(p.engine().connection().close(None).is_err());
        assert!(p.begin(Default::default()).is_err());
        p.expect_close();
        p.expect_nothing();
    });
}

fn refusal<T>(refused: Result<T, UsageError>) -> &'static str {
    match refused {
        Err(UsageError::WrongState(text)) => text,
        _ => panic!("not refused for the state it is in"),
    }
}

#[test]
fn what_is_refused_because_something_has_ended_says_so() {
    client(|p| {
        p.opened();
        p.engine().connection().close(None).unwrap();
        let text = refusal(p.begin(SessionConfig::default()));
        assert_eq!(text, "the connection was closed before");
    });
    client(|p| {
        p.opened();
        p.inject(close());
        p.events();
        let text = refusal(p.begin(SessionConfig::default()));
        assert_eq!(text, "the peer has closed the connection already");
    });
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 5);
        p.inject_eof();
        let text = refusal(p.begin(SessionConfig::default()));
        assert_eq!(text, "the connection has ended");
        let mut sender = p.engine().sender(link.id).unwrap();
        assert!(matches!(
            sender.send(b"1", b"x"),
            Err(SendError::Usage(UsageError::WrongState(
                "the connection has ended"
            )))
        ));
    });
    server(|p| {
        p.engine_starts_at_zero();
        p.opened();
        let first = begin()
            .next_outgoing_id(0)
            .incoming_window(9)
            .outgoing_window(9);
        p.inject_all([first, end()]);
        let session = p.event_where("SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        let text = refusal(p.accept_session(session, SessionConfig::default()));
        assert_eq!(text, "the peer has ended the session already");
        let link = LinkConfig::sender("l", "q");
        let text = refusal(p.attach_sender(session, link));
        assert_eq!(text, "the peer has ended the session already");
    });
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |begin| begin);
        p.inject_all([
            build::attach()
                .name("l")
                .handle(3)
                .role(build::Role::Receiver),
            end(),
        ]);
        let link = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        let text = refusal(p.accept_link(link));
        assert_eq!(text, "the link has ended already");
    });
    server(|p| {
        p.opened();
        let session = p.begun_by_script(SessionConfig::default(), |begin| begin);
        p.engine().session(session).unwrap().end(None).unwrap();
        let text = refusal(p.attach_sender(session, LinkConfig::sender("l", "q")));
        assert_eq!(text, "the session was ended before");
    });
}

/// What the close is to follow was sent before it: nothing can be added (2.4.3).
#[test]
fn a_message_is_not_taken_once_the_connection_closes() {
    for by_peer in [true, false] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let link = p.sender(session, "out");
            p.grant(&link, 5);
            p.send(&link, b"0", b"x");
            if by_peer {
                p.inject(close());
            } else {
                p.engine().connection().close(None).unwrap();
            }
            let mut sender = p.engine().sender(link.id).unwrap();
            for _ in 0..2 {
                assert!(matches!(
                    sender.send(b"1", b"x"),
                    Err(SendError::Usage(UsageError::WrongState(_)))
                ));
                assert!(matches!(
                    sender.stream(b"2", &Default::default()),
                    Err(SendError::Usage(UsageError::WrongState(_)))
                ));
            }
            let names = p.drain_names();
            assert_eq!(names.last().map(String::as_str), Some("close"), "{names:?}");
            assert!(matches!(
                p.engine().sender(link.id).unwrap().send(b"1", b"x"),
                Err(SendError::Usage(UsageError::WrongState(_)))
            ));
        });
    }
}

/// What waits for the peer's open is void with the close, which does not wait for it.
#[test]
fn a_close_does_not_wait_behind_what_waits_for_the_peers_open() {
    let mut lock_step = config();
    lock_step.pipelined = false;
    client_with(lock_step, |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        let session = p.begin(SessionConfig::default()).unwrap();
        p.attach_sender(session, LinkConfig::sender("l", "q"))
            .unwrap();
        p.expect_nothing();
        p.engine().connection().close(None).unwrap();
        p.expect_close().no_error();
        p.expect_nothing();
    });
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open();
        for name in ["on channel 0", "on channel 1"] {
            let session = p.begin(SessionConfig::default()).unwrap();
            p.attach_sender(session, LinkConfig::sender(name, "q"))
                .unwrap();
        }
        assert_eq!(p.drain_names(), ["begin", "attach"]);
        p.engine().connection().close(None).unwrap();
        assert_eq!(p.drain_names(), ["close"]);
    });
}

/// Closing is the last that a connection does (2.4.3): nothing that was due may follow it.
#[test]
fn nothing_that_was_asked_for_is_written_after_close() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.engine().connection().close(None).unwrap();
        p.engine().receiver(link.id).unwrap().set_credit(5).unwrap();
        assert_eq!(p.drain_names(), ["close"]);
    });
}

#[test]
fn an_end_that_comes_after_close_was_asked_for_is_not_answered_behind_it() {
    client(|p| {
        p.opened();
        p.begun();
        p.engine().connection().close(None).unwrap();
        p.inject(end());
        let names = p.drain_names();
        assert_eq!(names.last().map(String::as_str), Some("close"), "{names:?}");
    });
}

/// Open is the first frame (2.4.1), also when a peer that pipelines is due answers already.
#[test]
fn open_goes_before_the_answers_to_what_came_meanwhile() {
    server(|p| {
        p.engine_starts_at_zero();
        p.inject_raw(&AMQP_HEADER);
        p.use_channel(0);
        p.inject_all([
            open().container_id("script"),
            begin()
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9),
            end(),
        ]);
        p.event_where("RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
        p.engine().connection().open().unwrap();
        assert_eq!(p.drain_names(), ["header", "open", "begin", "end"]);
    });
}

#[test]
fn frames_after_our_close_do_not_fail_the_connection_again_and_again() {
    client(|p| {
        p.opened();
        p.begun();
        p.engine().connection().close(None).unwrap();
        p.expect_close();
        for _ in 0..3 {
            p.inject(
                begin()
                    .next_outgoing_id(0)
                    .incoming_window(9)
                    .outgoing_window(9),
            );
        }
        let events = p.events();
        let failed = events.iter().filter(|e| **e == Event::Failed).count();
        assert!(failed <= 1, "{events:?}");
    });
}

fn open_waits_for_room(p: &mut Peer) {
    assert!(matches!(
        p.engine().connection().open(),
        Err(UsageError::OpenTooLarge { limit: 512, size }) if size > 600
    ));
    p.inject_raw(&AMQP_HEADER);
    p.expect_header(AMQP_HEADER);
    p.expect_nothing();
    p.inject(open().container_id("script").max_frame_size(1024));
    p.event_where("RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
    p.engine().connection().open().unwrap();
    p.expect_open();
    p.expect_nothing();
    assert!(p.engine().connection().is_open());
}

/// Before it is known what the peer takes, that is 512 octets (2.4.1).
#[test]
fn an_open_of_more_than_512_octets_waits_for_a_peer_that_takes_it() {
    let mut config = config();
    config.hostname = Some("h".repeat(600).into());
    client_with(config.clone(), open_waits_for_room);
    server_with(config, open_waits_for_room);
}

#[test]
fn an_open_that_the_peer_will_not_take_is_refused() {
    let mut config = config();
    config.hostname = Some("h".repeat(600).into());
    server_with(config, |p| {
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script").max_frame_size(512));
        p.expect_header(AMQP_HEADER);
        assert!(matches!(
            p.engine().connection().open(),
            Err(UsageError::OpenTooLarge { limit: 512, .. })
        ));
        p.expect_nothing();
    });
}
