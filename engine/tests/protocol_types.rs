//! Composite types on the wire: both forms of descriptors, fields left out, refusals, and the readable trace.

use bytes::Bytes;
use ferrion_engine::codec::{
    Decode, DecodeErrorKind as Kind, Encode, Fields, Map, Raw, Reader, Symbol, Value,
};
use ferrion_engine::protocol::*;

fn hex(text: &str) -> Bytes {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn encode(value: &impl Encode) -> Bytes {
    let mut out = Vec::new();
    value.encode(&mut out);
    out.into()
}

fn decode<T: Decode>(octets: &Bytes) -> Result<T, Kind> {
    T::decode(&mut Reader::new(octets)).map_err(|e| e.kind)
}

fn symbols(texts: &[&str]) -> Vec<Symbol> {
    texts
        .iter()
        .map(|t| Symbol::try_from(*t).unwrap())
        .collect()
}

fn fields() -> Fields {
    Map::from_iter([(Symbol::from_static("k"), 1u8)]).into()
}

fn condition() -> Condition {
    Condition {
        info: Some(fields()),
        ..Condition::with_description(conditions::NOT_FOUND, "gone")
    }
}

/// Each field of each performative with a value that is not its default.
fn full() -> Vec<Performative> {
    let source = Source {
        address: Some("a".into()),
        durable: TerminusDurability::UnsettledState,
        expiry_policy: TerminusExpiryPolicy::Never,
        timeout: 7,
        dynamic: true,
        dynamic_node_properties: Some(Fields::from_entries([(
            Symbol::from_static("lifetime-policy"),
            DeleteOnClose::default(),
        )])),
        distribution_mode: Some(StdDistMode::Copy.symbol()),
        filter: Some(fields()),
        default_outcome: Some(DeliveryState::Released),
        outcomes: symbols(&[Accepted::NAME, Released::NAME]),
        capabilities: symbols(&["queue"]),
    };
    let target = Target {
        address: Some("b".into()),
        durable: TerminusDurability::Configuration,
        expiry_policy: TerminusExpiryPolicy::LinkDetach,
        timeout: 300,
        dynamic: true,
        dynamic_node_properties: Some(fields()),
        capabilities: symbols(&["topic"]),
    };
    let unsettled = Fields::from_entries([(Tag::from(1), DeliveryState::Accepted)]);
    let open = Open {
        hostname: Some("h".into()),
        max_frame_size: 512,
        channel_max: 7,
        idle_time_out: Some(1000),
        outgoing_locales: symbols(&["en-US"]),
        incoming_locales: symbols(&["de", "fr"]),
        offered_capabilities: symbols(&["o"]),
        desired_capabilities: symbols(&["d"]),
        properties: Some(fields()),
        ..Open::new("c".into())
    };
    let begin = Begin {
        remote_channel: Some(0),
        handle_max: 9,
        offered_capabilities: symbols(&["o"]),
        desired_capabilities: symbols(&["d"]),
        properties: Some(fields()),
        ..Begin::new(u32::MAX, 1, 2)
    };
    let attach = Attach {
        snd_settle_mode: SenderSettleMode::Settled,
        rcv_settle_mode: ReceiverSettleMode::Second,
        source: Some(Box::new(source)),
        target: Some(Box::new(target.into())),
        unsettled: Some(unsettled),
        incomplete_unsettled: true,
        initial_delivery_count: Some(5),
        max_message_size: Some(1 << 40),
        offered_capabilities: symbols(&["o"]),
        desired_capabilities: symbols(&["d"]),
        properties: Some(fields()),
        ..Attach::new("l".into(), 3, Role::Receiver)
    };
    let coordinator = Coordinator {
        capabilities: vec![TxnCapability::LocalTransactions.symbol()],
    };
    let control = Attach {
        target: Some(Box::new(coordinator.into())),
        ..Attach::new("t".into(), 0, Role::Sender)
    };
    let flow = Flow {
        next_incoming_id: Some(1),
        handle: Some(2),
        delivery_count: Some(3),
        link_credit: Some(4),
        available: Some(5),
        drain: true,
        echo: true,
        properties: Some(fields()),
        ..Flow::new(6, 7, 8)
    };
    let transfer = Transfer {
        delivery_id: Some(1),
        delivery_tag: Some(Tag::new(&[7; 32]).unwrap()),
        message_format: Some(0),
        settled: Some(false),
        more: true,
        rcv_settle_mode: Some(ReceiverSettleMode::First),
        state: Some(DeliveryState::Received(Box::new(Received::new(
            1,
            u64::MAX,
        )))),
        resume: true,
        aborted: true,
        batchable: true,
        ..Transfer::new(2)
    };
    let mut performatives = vec![
        open.into(),
        begin.into(),
        attach.into(),
        control.into(),
        flow.into(),
        transfer.into(),
        Detach {
            closed: true,
            error: Some(condition()),
            ..Detach::new(1)
        }
        .into(),
        End {
            error: Some(condition()),
        }
        .into(),
        Close {
            error: Some(condition()),
        }
        .into(),
    ];
    performatives.extend(states().into_iter().map(|state| {
        Disposition {
            last: Some(9),
            settled: true,
            state: Some(state),
            batchable: true,
            ..Disposition::new(Role::Receiver, 8)
        }
        .into()
    }));
    performatives
}

fn states() -> Vec<DeliveryState> {
    let modified = Modified {
        delivery_failed: Some(true),
        undeliverable_here: Some(false),
        message_annotations: Some(fields()),
    };
    let transactional = TransactionalState {
        outcome: Some(DeliveryState::Accepted),
        ..TransactionalState::new(hex("0102"))
    };
    let vendor = Value::described(
        Symbol::from_static("vendor:state:list"),
        Value::List(vec![7u8.into()]),
    );
    vec![
        DeliveryState::Received(Box::new(Received::new(1, 2))),
        DeliveryState::Accepted,
        DeliveryState::Rejected(None),
        DeliveryState::rejected(condition()),
        DeliveryState::Released,
        DeliveryState::Modified(Box::default()),
        DeliveryState::Modified(Box::new(modified)),
        DeliveryState::Declared(Box::new(Declared::new(hex("00")))),
        DeliveryState::Transactional(Box::new(transactional)),
        DeliveryState::Other(Box::new(Raw::new(&vendor))),
        DeliveryState::Other(Box::new(Raw::new(&Value::described(0x99u64, 1u8)))),
        DeliveryState::Other(Box::new(Raw::new(&Value::described(
            Value::List(vec![]),
            Value::Null,
        )))),
    ]
}

fn sasl() -> Vec<SaslFrame> {
    let init = SaslInit {
        initial_response: Some(hex("00610062")),
        hostname: Some("h".into()),
        ..SaslInit::new(Symbol::from_static("PLAIN"))
    };
    let outcome = SaslOutcome {
        additional_data: Some(hex("00")),
        ..SaslOutcome::new(SaslCode::SysTemp)
    };
    vec![
        SaslMechanisms::new(symbols(&["ANONYMOUS"])).into(),
        SaslMechanisms::new(symbols(&["ANONYMOUS", "PLAIN"])).into(),
        init.into(),
        SaslChallenge::new(hex("00")).into(),
        SaslResponse::new(hex("0102")).into(),
        outcome.into(),
    ]
}

/// The same composite with its symbolic descriptor and, if asked, its list in the widest form.
fn other_form(octets: &Bytes, wide: bool) -> Bytes {
    let Ok(Value::Described(described)) = decode::<Value>(octets) else {
        panic!()
    };
    let code = u64::try_from(&described.descriptor).unwrap();
    let mut out = vec![0];
    Symbol::try_from(name_of(code).unwrap())
        .unwrap()
        .encode(&mut out);
    let list = described.value.as_list().unwrap();
    if wide {
        let mut body = Vec::new();
        list.iter().for_each(|v| v.encode(&mut body));
        out.push(0xd0);
        out.extend((body.len() as u32 + 4).to_be_bytes());
        out.extend((list.len() as u32).to_be_bytes());
        out.extend(body);
    } else {
        described.value.encode(&mut out);
    }
    out.into()
}

#[test]
fn everything_round_trips_in_every_form() {
    for performative in full() {
        let octets = encode(&performative);
        assert_eq!(
            Performative::decode(&octets),
            Ok((performative.clone(), octets.len()))
        );
        for wide in [false, true] {
            let other = other_form(&octets, wide);
            assert_eq!(
                Performative::decode(&other),
                Ok((performative.clone(), other.len()))
            );
        }
    }
    for frame in sasl() {
        let octets = encode(&frame);
        assert_eq!(
            SaslFrame::decode(&octets),
            Ok((frame.clone(), octets.len()))
        );
        let other = other_form(&octets, true);
        assert_eq!(SaslFrame::decode(&other), Ok((frame, other.len())));
    }
    let declare = Declare {
        global_id: Some(Raw::new(&Value::from("any"))),
    };
    assert_eq!(decode(&encode(&declare)), Ok(declare));
    let discharge = Discharge {
        fail: Some(true),
        ..Discharge::new(hex("00"))
    };
    assert_eq!(decode(&encode(&discharge)), Ok(discharge));
}

/// Every octet of every frame turned into others: refused or another frame, never a panic; cut short: always refused.
#[test]
fn damaged_frames_do_no_harm() {
    for octets in full().iter().map(encode).chain(sasl().iter().map(encode)) {
        for at in 0..octets.len() {
            let cut = octets.slice(..at);
            assert!(Performative::decode(&cut).is_err() && SaslFrame::decode(&cut).is_err());
            for value in [0x00, 0x01, 0x40, 0x45, 0x56, 0x80, 0xb0, 0xd0, 0xf0, 0xff] {
                let mut damaged = octets.to_vec();
                damaged[at] = value;
                let damaged = Bytes::from(damaged);
                if let Ok((performative, _)) = Performative::decode(&damaged) {
                    assert_eq!(
                        Performative::decode(&encode(&performative)).map(|p| p.0),
                        Ok(performative)
                    );
                }
                let _ = SaslFrame::decode(&damaged);
            }
        }
    }
}

#[test]
fn what_is_absent_or_default_is_not_written() {
    assert_eq!(encode(&Accepted::default()), hex("00 5324 45"));
    assert_eq!(encode(&Open::new("".into())), hex("00 5310 c0 03 01 a100"));
    assert_eq!(encode(&Close::default()), hex("00 5318 45"));
    // Null in the middle, nothing at the end.
    let open = Open {
        channel_max: 1,
        max_frame_size: u32::MAX,
        ..Open::new("".into())
    };
    assert_eq!(encode(&open), hex("00 5310 c0 08 04 a100 40 40 600001"));
    // Several values are an array, also when there is but one.
    let mechanisms = SaslMechanisms::new(symbols(&["A"]));
    assert_eq!(
        encode(&mechanisms),
        hex("00 5340 c0 07 01 e0 04 01 a3 01 41")
    );
    let transfer = Transfer {
        delivery_id: Some(1),
        delivery_tag: Some(Tag::new(b"t").unwrap()),
        message_format: Some(0),
        settled: Some(true),
        ..Transfer::new(0)
    };
    assert_eq!(
        encode(&transfer),
        hex("00 5314 c0 09 05 43 5201 a00174 43 41")
    );
}

/// Fields left out at the end, fields that are null, and fields with their defaults written out are the same.
#[test]
fn absent_null_and_default_are_the_same() {
    let plain = Flow::new(1, 2, 3);
    for text in [
        "00 5313 c0 08 04 40 5201 5202 5203",
        "00 5313 c0 0f 0b 40 5201 5202 5203 40 40 40 40 40 40 40",
        "00 5313 c0 0e 0a 40 5201 5202 5203 40 40 40 40 42 42",
        "00 5313 c0 10 0a 40 5201 5202 5203 40 40 40 40 5600 5600",
    ] {
        assert_eq!(decode(&hex(text)), Ok(plain.clone()), "{text}");
    }
    assert_eq!(decode(&hex("00 5318 45")), Ok(Close::default()));
    assert_eq!(decode(&hex("00 5318 c0 01 00")), Ok(Close::default()));
    assert_eq!(
        decode(&hex("00 5318 d0 00000004 00000000")),
        Ok(Close::default())
    );
    // null, an empty array of whatever type, and a field that is not there: no values (1.3).
    for text in [
        "45",
        "c0 02 01 40",
        "c0 05 01 e0 02 00 a3",
        "c0 05 01 e0 02 00 40",
        "c0 08 01 e0 05 00 00 5301 a3",
    ] {
        assert_eq!(
            decode(&hex(&format!("00 5330 {text}"))),
            Ok(Coordinator::default()),
            "{text}"
        );
    }
    // A single value and an array of one: one value.
    for text in [
        "c0 04 01 a3 01 78",
        "c0 07 01 e0 04 01 a3 01 78",
        "c0 0d 01 f0 00000007 00000001 a3 01 78",
    ] {
        let capabilities = symbols(&["x"]);
        assert_eq!(
            decode(&hex(&format!("00 5330 {text}"))),
            Ok(Coordinator { capabilities }),
            "{text}"
        );
    }
}

#[test]
fn composites_that_are_not_as_specified_are_refused() {
    let error = |text: &str| Performative::decode(&hex(text)).unwrap_err();
    // A mandatory field is null, or left out; the error names it.
    for (text, field) in [
        ("00 5310 45", "container-id"),
        ("00 5310 c0 02 01 40", "container-id"),
        ("00 5311 c0 04 03 40 43 43", "outgoing-window"),
        ("00 5312 c0 06 03 a10161 43 40", "role"),
        ("00 5315 c0 02 01 41", "first"),
        ("00 5316 c0 07 03 43 41 00531d 45", "condition"),
    ] {
        let error = error(text);
        assert_eq!(
            (error.kind, error.field),
            (Kind::MissingField, Some(field)),
            "{text}"
        );
    }
    assert_eq!(
        error("00 5310 45").to_string(),
        "field container-id: mandatory value is missing at octet 4"
    );
    for text in ["45", "c0 02 01 40", "c0 05 01 e0 02 00 a3"] {
        let error = SaslFrame::decode(&hex(&format!("00 5340 {text}"))).unwrap_err();
        assert_eq!(
            (error.kind, error.field),
            (Kind::MissingField, Some("sasl-server-mechanisms"))
        );
    }
    // More fields than there are.
    assert_eq!(
        error("00 5318 c0 03 02 40 40").kind,
        Kind::ExtraFields { known: 1, found: 2 }
    );
    // A wrong type, a choice that is none, a tag too long.
    let typed = error("00 5310 c0 02 01 41");
    assert_eq!(
        typed.to_string(),
        "field container-id: expected string, found constructor 0x41 at octet 6"
    );
    assert_eq!(
        error("00 5312 c0 08 04 a10161 43 41 5003").kind,
        Kind::BadChoice("sender-settle-mode")
    );
    assert_eq!(
        error("00 5312 c0 08 04 a10161 43 41 5203").kind,
        Kind::WrongType {
            expected: "ubyte",
            found: 0x52
        }
    );
    let long_tag = format!("00 5314 c0 26 03 43 43 a021 {}", "61".repeat(33));
    assert_eq!(error(&long_tag).kind, Kind::TagTooLong(33));
    // Not a list, not described, other descriptors.
    assert_eq!(
        error("00 5318 40").kind,
        Kind::WrongType {
            expected: "list",
            found: 0x40
        }
    );
    assert_eq!(
        error("c0 01 00").kind,
        Kind::WrongType {
            expected: "a described value",
            found: 0xc0
        }
    );
    assert_eq!(
        error("00 5340 45").kind,
        Kind::UnknownDescriptor("a performative")
    );
    assert_eq!(
        error("00 a301 78 45").kind,
        Kind::UnknownDescriptor("a descriptor of AMQP 1.0")
    );
    assert_eq!(
        decode::<Open>(&hex("00 5311 45")),
        Err(Kind::UnknownDescriptor("amqp:open:list"))
    );
    assert!(decode::<Open>(&hex("00 5218 45")).is_err());
    // An address that is not a string; a target that is neither node nor coordinator.
    assert_eq!(
        decode::<Source>(&hex("00 5328 c0 02 01 41")),
        Err(Kind::WrongType {
            expected: "string",
            found: 0x41
        })
    );
    assert_eq!(
        decode::<TargetArchetype>(&hex("00 5328 45")),
        Err(Kind::UnknownDescriptor("target or coordinator"))
    );
}

#[test]
fn delivery_states_that_are_not_known_are_kept() {
    for text in [
        "00 80 0000468c00000007 c0 04 02 41 5207",
        "00 a3 06 76656e646f72 a10161",
        "00 45 40",
        "00 43 40",
        "00 44 40",
        // A section of a message is no state, whatever the table of descriptors says.
        "00 5370 45",
    ] {
        let octets = hex(text);
        let Ok(DeliveryState::Other(raw)) = decode(&octets) else {
            panic!("{text}")
        };
        assert_eq!(raw.as_bytes(), &octets);
        assert_eq!(encode(&DeliveryState::Other(raw)), octets);
    }
    // It must be described, and sound.
    assert!(decode::<DeliveryState>(&hex("45")).is_err());
    assert!(decode::<DeliveryState>(&hex("00 5399 c0 02 02 40")).is_err());
    assert!(decode::<DeliveryState>(&hex("00 5399")).is_err());
    assert!(states().iter().filter(|s| !s.is_outcome()).count() == 2);
}

#[test]
fn states_within_states_are_bounded() {
    // transactional-state in transactional-state ...
    let nest = |levels: usize| {
        let mut octets = hex("00 5324 45").to_vec();
        for _ in 0..levels {
            let size = octets.len() as u32 + 4 + 2;
            octets = [
                &[0, 0x53, 0x34, 0xd0][..],
                &size.to_be_bytes(),
                &[0, 0, 0, 2, 0xa0, 0],
                &octets,
            ]
            .concat();
        }
        Bytes::from(octets)
    };
    assert!(decode::<DeliveryState>(&nest(31)).is_ok());
    assert_eq!(decode::<DeliveryState>(&nest(32)), Err(Kind::TooDeep));
    assert_eq!(decode::<DeliveryState>(&nest(20_000)), Err(Kind::TooDeep));
}

#[test]
fn hot_values_stay_small() {
    assert!(size_of::<DeliveryState>() <= 16);
    assert!(size_of::<Option<DeliveryState>>() <= 16);
    assert!(size_of::<Tag>() <= 40);
    assert!(size_of::<Value>() <= 40);
    assert!(size_of::<Performative>() <= 160);
}

#[test]
fn tags_are_short_octets() {
    let tag = Tag::new(b"abc").unwrap();
    assert_eq!(&*tag, b"abc");
    assert_eq!(tag.to_string(), "b\"abc\"");
    assert_eq!(Tag::new(&[0; 33]), Err(TagTooLong { len: 33 }));
    assert_eq!(&*Tag::from(258), [0, 0, 0, 0, 0, 0, 1, 2]);
    // 2.8.7 bounds the octets, not the encoding.
    assert_eq!(decode(&hex("b0 00000001 61")), Ok(Tag::new(b"a").unwrap()));
    assert_eq!(
        decode::<Tag>(&hex("b0 ffffffff 61")),
        Err(Kind::UnexpectedEnd)
    );
}

#[test]
fn the_trace_reads_well() {
    let lines: Vec<String> = full().iter().map(ToString::to_string).collect();
    let expected = [
        r#"@open(16) [container-id="c", hostname="h", max-frame-size=512, channel-max=7, idle-time-out=1000, outgoing-locales=[:en-US], incoming-locales=[:de, :fr], offered-capabilities=[:o], desired-capabilities=[:d], properties={:k=1}]"#,
        r#"@begin(17) [remote-channel=0, next-outgoing-id=4294967295, incoming-window=1, outgoing-window=2, handle-max=9, offered-capabilities=[:o], desired-capabilities=[:d], properties={:k=1}]"#,
        r#"@attach(18) [name="l", handle=3, role=receiver, snd-settle-mode=settled, rcv-settle-mode=second, source=@source(40) [address="a", durable=unsettled-state, expiry-policy=never, timeout=7, dynamic=true, dynamic-node-properties={:lifetime-policy=@43 []}, distribution-mode=:copy, filter={:k=1}, default-outcome=@released(38) [], outcomes=[:amqp:accepted:list, :amqp:released:list], capabilities=[:queue]], target=@target(41) [address="b", durable=configuration, expiry-policy=link-detach, timeout=300, dynamic=true, dynamic-node-properties={:k=1}, capabilities=[:topic]], unsettled={b"\x00\x00\x00\x00\x00\x00\x00\x01"=@36 []}, incomplete-unsettled=true, initial-delivery-count=5, max-message-size=1099511627776, offered-capabilities=[:o], desired-capabilities=[:d], properties={:k=1}]"#,
        r#"@attach(18) [name="t", handle=0, role=sender, target=@coordinator(48) [capabilities=[:amqp:local-transactions]]]"#,
        r#"@flow(19) [next-incoming-id=1, incoming-window=6, next-outgoing-id=7, outgoing-window=8, handle=2, delivery-count=3, link-credit=4, available=5, drain=true, echo=true, properties={:k=1}]"#,
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(
        lines[6],
        r#"@detach(22) [handle=1, closed=true, error=@error(29) [condition=:amqp:not-found, description="gone", info={:k=1}]]"#
    );
    assert_eq!(
        DeliveryState::rejected(Condition::new(conditions::NOT_ALLOWED)).to_string(),
        "@rejected(37) [error=@error(29) [condition=:amqp:not-allowed]]"
    );
}

#[test]
fn the_trace_shows_no_secrets() {
    let lines: Vec<String> = sasl()
        .iter()
        .flat_map(|f| [format!("{f}"), format!("{f:?}")])
        .collect();
    assert_eq!(
        lines[4],
        r#"@sasl-init(65) [mechanism=:PLAIN, initial-response=<4 octets>, hostname="h"]"#
    );
    assert_eq!(lines[6], "@sasl-challenge(66) [challenge=<1 octets>]");
    assert_eq!(lines[8], "@sasl-response(67) [response=<2 octets>]");
    assert_eq!(
        lines[10],
        "@sasl-outcome(68) [code=sys-temp, additional-data=<1 octets>]"
    );
    assert!(lines.iter().all(|line| !line.contains("b\"")));
}
