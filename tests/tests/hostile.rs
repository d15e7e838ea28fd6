//! Broken input: the right error at the narrowest scope, and no harm beyond it (2.3, 2.8.14 to 2.8.18).

use ferrion_engine::{Config, Event, SessionConfig};
use ferrion_tests::build::{
    Build, Role, attach, begin, close, composite, error, open, source, target, transfer,
};
use ferrion_tests::oracle::{AMQP_HEADER, Element, Form, Frame, V};
use ferrion_tests::peer::{Peer, Wired, client, server, server_with};

fn with_receiver(p: &mut Peer) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.receiver(session, "in");
    p.take_credit(&link, 100);
    link
}

#[test]
fn frames_with_impossible_sizes_and_offsets_are_framing_errors() {
    let cases: [&[u8]; 8] = [
        &[0, 0, 0, 0, 2, 0, 0, 0],
        &[0, 0, 0, 7, 2, 0, 0, 0],
        &[0, 0, 0, 8, 0, 0, 0, 0],
        &[0, 0, 0, 8, 1, 0, 0, 0],
        &[0, 0, 0, 8, 3, 0, 0, 0],
        &[0, 0, 0, 9, 255, 0, 0, 0, 0x40],
        &[0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0],
        &[0, 1, 0, 1, 2, 0, 0, 0],
    ];
    for octets in cases {
        client(|p| {
            p.opened();
            p.inject_raw(octets);
            p.expect_close().condition("amqp:connection:framing-error");
            // The framing is lost: not even a close could be found in what follows.
            p.expect_done();
        });
    }
}

#[test]
fn an_oversized_frame_is_refused_at_its_header_and_not_buffered() {
    let mut config = Config::new("engine");
    config.max_frame_size = 1024;
    server_with(config, |p| {
        p.opened();
        p.inject_raw(&[0, 0, 4, 1]);
        p.expect_close().condition("amqp:connection:framing-error");
    });
}

#[test]
fn a_frame_of_exactly_the_maximum_is_taken() {
    let mut config = Config::new("engine");
    config.max_frame_size = 1024;
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let link = p.attached_by_script(
            attach()
                .name("l")
                .handle(0)
                .role(Role::Sender)
                .initial_delivery_count(0)
                .source(source().v())
                .target(target().v()),
        );
        p.take_credit(&link, 2);
        let overhead = p.octets(&p.delivery(&link, 0, b"")).len();
        let largest = p.delivery(&link, 0, &vec![1; 1024 - overhead]);
        assert_eq!(p.octets(&largest).len(), 1024);
        p.inject(largest);
        assert_eq!(p.take(&link).payload.len(), 1024 - overhead);
        let too_large = p.delivery(&link, 1, &vec![1; 1025 - overhead]);
        p.inject(too_large);
        p.expect_close().condition("amqp:connection:framing-error");
    });
}

#[test]
fn good_frames_before_a_bad_one_still_count() {
    client(|p| {
        let link = with_receiver(p);
        let mut octets = p.octets(&p.delivery(&link, 0, b"good"));
        octets.extend([0, 0, 0, 1, 2, 0, 0, 0]);
        p.inject_raw(&octets);
        assert_eq!(p.take(&link).payload.into_bytes(), "good");
        p.expect_close().condition("amqp:connection:framing-error");
    });
}

#[test]
fn an_extended_header_is_skipped() {
    client(|p| {
        let link = with_receiver(p);
        let delivery = p.delivery(&link, 0, b"x").extended(&[1; 40]);
        p.inject(delivery);
        assert_eq!(p.take(&link).payload.into_bytes(), "x");
        p.inject_frame(&Frame {
            extended: vec![9; 1012],
            ..Frame::empty(0)
        });
        p.expect_nothing();
    });
}

#[test]
fn a_frame_of_an_unknown_type_closes_the_connection() {
    for kind in [1, 2, 255] {
        client(|p| {
            p.opened();
            p.inject_frame(&Frame {
                kind,
                ..begin()
                    .next_outgoing_id(0)
                    .incoming_window(1)
                    .outgoing_window(1)
                    .frame(0)
            });
            p.expect_close()
                .check("with an error", |close| !close.get("error").is_null());
        });
    }
}

#[test]
fn bodies_that_are_no_performative_close_the_connection() {
    let bodies: [&[u8]; 12] = [
        &[0x40],
        &[0x45],
        &[0x00],
        &[0x00, 0x53],
        &[0x00, 0x53, 0x11],
        &[0x00, 0x53, 0x11, 0x40],
        &[0x00, 0x53, 0x11, 0xc1, 1, 0],
        &[0x00, 0x53, 0x28, 0x45],
        &[0x00, 0x53, 0x7f, 0x45],
        &[0x00, 0x80, 0, 0, 0, 1, 0, 0, 0, 0x11, 0x45],
        &[
            0x00, 0xa3, 9, b'a', b'm', b'q', b'p', b':', b'n', b'i', b'x', b'!', 0x45,
        ],
        &[
            0x00, 0xa1, 15, b'a', b'm', b'q', b'p', b':', b'b', b'e', b'g', b'i', b'n', b':', b'l',
            b'i', b's', b't', 0x45,
        ],
    ];
    for body in bodies {
        client(|p| {
            p.opened();
            let size = (8 + body.len()) as u8;
            p.inject_raw(&[&[0, 0, 0, size, 2, 0, 0, 0][..], body].concat());
            p.expect_close().condition("amqp:decode-error");
            p.inject(close());
            p.expect_done();
        });
    }
}

#[test]
fn broken_lists_are_decode_errors() {
    let lists: [&[u8]; 9] = [
        // Cut short, count beyond the size, size beyond the frame.
        &[0xc0],
        &[0xc0, 5, 1, 0x43],
        &[0xc0, 3, 9, 0x43, 0x43],
        &[0xd0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1],
        &[
            0xd0, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x43, 0x43, 0x43, 0x43,
        ],
        // Items that do not fill the size.
        &[0xc0, 6, 4, 0x40, 0x43, 0x43, 0x43, 0x43],
        // An unknown format code, a wrong type, a broken string.
        &[0xc0, 5, 4, 0x40, 0x43, 0x46, 0x43],
        &[0xc0, 5, 4, 0x40, 0x43, 0x41, 0x43],
        &[0xc0, 6, 4, 0xa1, 9, 0x43, 0x43, 0x43],
    ];
    for list in lists {
        client(|p| {
            p.opened();
            let body = [&[0x00, 0x53, 0x11][..], list].concat();
            let size = (8 + body.len()) as u8;
            p.inject_raw(&[&[0, 0, 0, size, 2, 0, 0, 0][..], &body].concat());
            p.expect_close().condition("amqp:decode-error");
        });
    }
}

#[test]
fn an_explicit_null_for_a_mandatory_field_is_a_decode_error() {
    let broken: [fn() -> Build; 3] = [
        || begin().incoming_window(1).outgoing_window(1),
        || begin().next_outgoing_id(1).outgoing_window(1),
        || begin().next_outgoing_id(1).incoming_window(1),
    ];
    for frame in broken {
        client(|p| {
            p.opened();
            p.inject(frame().on(0));
            p.expect_close().condition("amqp:decode-error");
        });
    }
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().hostname("no container"));
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_close().condition("amqp:decode-error");
    });
}

#[test]
fn strings_that_are_not_utf8_and_symbols_that_are_not_ascii_are_decode_errors() {
    let bad_string = V::Raw(vec![0xa1, 2, 0xc3, 0x28]);
    let bad_symbol = V::Raw(vec![0xa3, 1, 0xff]);
    for (field, value) in [
        ("container-id", bad_string),
        ("offered-capabilities", bad_symbol),
    ] {
        server(|p| {
            p.inject_raw(&AMQP_HEADER);
            p.inject(open().container_id("script").set(field, value.clone()));
            p.expect_header(AMQP_HEADER);
            p.expect_open();
            p.expect_close().condition("amqp:decode-error");
        });
    }
}

#[test]
fn broken_maps_in_properties_are_decode_errors() {
    let odd = V::Raw(vec![0xc1, 4, 1, 0xa3, 1, b'k']);
    let short = V::Raw(vec![0xc1, 9, 2, 0xa3, 1, b'k', 0x40]);
    for map in [odd, short] {
        server(|p| {
            p.inject_raw(&AMQP_HEADER);
            p.inject(open().container_id("script").properties(map.clone()));
            p.expect_header(AMQP_HEADER);
            p.expect_open();
            p.expect_close().condition("amqp:decode-error");
        });
    }
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    for depth in [40, 60_000] {
        server(|p| {
            p.inject_raw(&AMQP_HEADER);
            // Descriptors of descriptors, inside a property.
            let mut value = vec![0x00; depth];
            value.extend([0x40; 2]);
            let mut map = vec![0xd1];
            map.extend(((value.len() + 7) as u32).to_be_bytes());
            map.extend([0, 0, 0, 2, 0xa3, 1, b'k']);
            map.extend(value);
            p.inject(open().container_id("script").properties(V::Raw(map)));
            p.expect_header(AMQP_HEADER);
            p.expect_open();
            p.expect_close()
                .check("with an error", |close| !close.get("error").is_null());
        });
    }
}

#[test]
fn arrays_of_millions_of_nothing_are_refused() {
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        let bomb = V::Raw(vec![0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40]);
        p.inject(
            open()
                .container_id("script")
                .properties(V::fields(&[("k", bomb)])),
        );
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_close()
            .check("with an error", |close| !close.get("error").is_null());
    });
}

#[test]
fn properties_of_every_type_are_carried() {
    let array = |code, items| {
        V::Array(
            Element {
                descriptors: vec![],
                code,
            },
            items,
        )
    };
    let values = [
        V::Null,
        V::Bool(true),
        V::Ulong(u64::MAX),
        V::Long(i64::MIN),
        V::Float(0x7fc0_0001),
        V::Double(0x8000_0000_0000_0000),
        V::Decimal(vec![1; 4]),
        V::Decimal(vec![1; 8]),
        V::Decimal(vec![1; 16]),
        V::Char('\u{10ffff}'),
        V::Timestamp(-1),
        V::Uuid([7; 16]),
        V::Bin(vec![0; 300]),
        V::List(vec![V::List(vec![]), V::Null]),
        V::Map(vec![(V::Uint(1), V::Uint(2))]),
        array(0x40, vec![V::Null; 3]),
        array(0x41, vec![V::Bool(true); 2]),
        array(0x56, vec![V::Bool(true), V::Bool(false)]),
        array(0x43, vec![V::Uint(0); 3]),
        array(0x45, vec![V::List(vec![]); 3]),
        array(0xa1, vec![]),
        array(0xe0, vec![array(0x50, vec![V::Ubyte(1)])]),
        V::Described(Box::new(V::sym("a:b")), Box::new(V::described(9, V::Null))),
    ];
    for form in [Form::Shortest, Form::Small, Form::Widest] {
        for value in &values {
            if form != Form::Shortest && matches!(value, V::Array(..)) {
                continue;
            }
            client(|p| {
                p.opened_with(|open| {
                    open.properties(V::fields(&[("k", value.clone())]))
                        .form(form)
                });
                let properties = p
                    .engine()
                    .connection()
                    .remote()
                    .unwrap()
                    .properties
                    .clone()
                    .unwrap();
                assert!(properties.get("k").is_some());
            });
        }
    }
}

#[test]
fn fields_beyond_those_that_exist_get_one_answer() {
    let mut answers = Vec::new();
    for frame in [
        close().extra(V::Uint(1)),
        begin()
            .next_outgoing_id(0)
            .incoming_window(1)
            .outgoing_window(1)
            .extra(V::Null),
    ] {
        let answer = std::cell::RefCell::new(Vec::new());
        client(|p| {
            p.opened();
            p.inject(frame.clone().on(0));
            let names = p.drain_names();
            let refused = names == ["close"] && p.engine().failure().is_some();
            answer.borrow_mut().push(refused);
        });
        answers.extend(answer.into_inner());
    }
    // Refused, as the documentation of the protocol's types says.
    assert!(answers.iter().all(|refused| *refused), "{answers:?}");
}

#[test]
fn a_tag_over_32_octets_detaches_its_link() {
    client(|p| {
        let link = with_receiver(p);
        let delivery = p.delivery(&link, 0, b"x").delivery_tag(&[1; 33]);
        p.inject(delivery);
        p.expect_detach()
            .handle(link.ours)
            .condition("amqp:decode-error");
        p.expect_nothing();
    });
}

#[test]
fn a_fault_of_one_link_leaves_session_and_connection_alive() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let bad = p.receiver(session, "bad");
        let good = p.receiver(session, "good");
        p.take_credit(&good, 1);
        let excess = p.delivery(&bad, 0, b"no credit");
        p.inject(excess);
        p.expect_detach()
            .handle(bad.ours)
            .closed(true)
            .condition("amqp:link:transfer-limit-exceeded");
        let fine = p.delivery(&good, 1, b"fine");
        p.inject(fine);
        assert_eq!(p.take(&good).payload.into_bytes(), "fine");
        assert!(p.engine().connection().is_open());
    });
}

#[test]
fn a_fault_of_one_session_leaves_the_other_alive() {
    client(|p| {
        p.opened();
        let good = p.begun();
        p.begun();
        p.inject(
            transfer()
                .handle(50)
                .delivery_id(0)
                .delivery_tag(b"t")
                .message_format(0),
        );
        p.expect_end()
            .on(1)
            .condition("amqp:session:unattached-handle");
        p.use_channel(5);
        let link = p.receiver(good, "in");
        p.take_credit(&link, 1);
        let fine = p.delivery(&link, 0, b"fine");
        p.inject(fine);
        assert_eq!(p.take(&link).payload.into_bytes(), "fine");
    });
}

#[test]
fn what_the_peer_reports_is_told_apart_from_what_we_found() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        let excess = p.delivery(&link, 0, b"no credit");
        p.inject(excess);
        p.expect_detach();
        assert_eq!(p.next_event(), Some(Event::LinkDetached(link.id)));
        let error = p.engine().link(link.id).unwrap().error().cloned().unwrap();
        assert_eq!(error.origin, ferrion_engine::Origin::Local);
        assert_eq!(
            error.condition.condition,
            "amqp:link:transfer-limit-exceeded"
        );
    });
}

#[test]
fn conditions_of_any_size_and_kind_are_survived() {
    client(|p| {
        p.opened();
        let info = V::fields(&[("deep", V::List(vec![V::Map(vec![]); 50]))]);
        let long = error(&"x".repeat(300))
            .set("description", V::Str("é".repeat(5000)))
            .set("info", info);
        p.inject(close().error(long.v()));
        p.expect_close();
        assert!(p.engine().failure().is_some());
    });
}

#[test]
fn empty_transfers_without_end_are_bounded() {
    client(|p| {
        let link = with_receiver(p);
        let first = p.delivery(&link, 0, b"").more(true);
        p.inject(first);
        let mut ended = false;
        for _ in 0..5000 {
            p.inject(transfer().handle(link.theirs).more(true));
            let names = p.drain_names();
            if names.iter().any(|n| n == "detach" || n == "end") {
                ended = true;
                break;
            }
        }
        assert!(ended, "five thousand transfers without an octet were taken");
    });
}

#[test]
fn an_unknown_composite_where_a_terminus_belongs_ends_the_session() {
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let odd = attach()
            .name("l")
            .handle(0)
            .role(Role::Sender)
            .initial_delivery_count(0)
            .source(source().v())
            .target(composite(0x24).v());
        p.inject(odd);
        p.expect_end().condition("amqp:decode-error");
        p.expect_nothing();
    });
}

#[test]
fn random_octets_never_hurt() {
    let mut rng = ferrion_tests::rng::Rng::new(7);
    for _ in 0..500 {
        let octets: Vec<u8> = (0..1 + rng.below(80))
            .map(|_| rng.next_u64() as u8)
            .collect();
        client(|p| {
            let link = with_receiver(p);
            let good = p.octets(&p.delivery(&link, 0, b"x"));
            p.inject_raw(&good);
            p.inject_raw(&octets);
            p.events();
            p.drain_names();
        });
    }
}

#[test]
fn frames_with_one_octet_changed_never_hurt() {
    let mut rng = ferrion_tests::rng::Rng::new(8);
    for _ in 0..1500 {
        let at = rng.next_u64();
        let to = rng.next_u64() as u8;
        client(|p| {
            let link = with_receiver(p);
            let session = p.end.monitor.session(0).unwrap().links().len();
            assert!(session > 0);
            let mut octets = [
                p.delivery(&link, 0, b"first"),
                p.link_flow(&link).link_credit(3).available(1),
                p.delivery(&link, 1, b"second").more(true),
                transfer().handle(link.theirs).payload(b"third"),
                ferrion_tests::build::disposition()
                    .role(Role::Sender)
                    .range(0, 1)
                    .settled(true)
                    .accepted(),
                ferrion_tests::build::detach()
                    .handle(link.theirs)
                    .closed(true),
            ]
            .map(|build| p.octets(&build))
            .concat();
            let index = (at % octets.len() as u64) as usize;
            octets[index] = to;
            p.end.judged = true;
            p.inject_raw(&octets);
            p.events();
            p.drain_names();
            p.inject_eof();
            p.events();
            p.drain_names();
            assert!(p.engine().is_done());
        });
    }
}
