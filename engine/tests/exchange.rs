//! Two engines, joined by memory: from open to close, with messages both ways settled each way.

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Condition, DeliveryState, conditions};
use ferrion_engine::sasl::{
    Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer,
};
use ferrion_engine::{
    Census, Config, Engine, Event, Failure, LinkConfig, LinkId, Origin, SaslFailure, SendError,
    SendOptions, SessionConfig, SessionId, Time, UsageError,
};

const NOW: Time = Time(1);

/// Moves all output of `from` into `to`; `true` if there was any.
fn carry(from: &mut Engine, to: &mut Engine, wire: &mut BytesMut) -> bool {
    let mut moved = false;
    loop {
        let mut output = from.transmit(NOW);
        if !output.has_remaining() {
            return moved;
        }
        moved = true;
        while output.has_remaining() {
            let n = output.chunk().len();
            wire.extend_from_slice(output.chunk());
            output.advance(n);
        }
        to.recv(NOW, wire);
    }
}

struct Wires(BytesMut, BytesMut);

fn settle(a: &mut Engine, b: &mut Engine, wires: &mut Wires) {
    while carry(a, b, &mut wires.0) | carry(b, a, &mut wires.1) {}
}

fn events(engine: &mut Engine) -> Vec<Event> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

struct Joined {
    client: Engine,
    server: Engine,
    wires: Wires,
    session: SessionId,
    sender: LinkId,
    receiver: LinkId,
}

impl Joined {
    fn new() -> Self {
        Self::with(SessionConfig::default(), SessionConfig::default(), 65_536)
    }

    fn with(ours: SessionConfig, theirs: SessionConfig, frame: u32) -> Self {
        let config = |name: &'static str| {
            let mut config = Config::new(name);
            config.max_frame_size = frame;
            config
        };
        let mut client = Engine::client(config("client"));
        let mut server = Engine::server(config("server"));
        let mut wires = Wires(BytesMut::new(), BytesMut::new());
        client.connection().open().unwrap();
        let session = client.connection().begin(ours).unwrap();
        let sender = client
            .session(session)
            .unwrap()
            .attach_sender(LinkConfig::sender("link", "queue"))
            .unwrap();
        settle(&mut client, &mut server, &mut wires);
        let mut receiver = None;
        for event in events(&mut server) {
            match event {
                Event::RemoteOpen => server.connection().open().unwrap(),
                Event::SessionBegun(id) => {
                    server.session(id).unwrap().accept(theirs.clone()).unwrap();
                }
                Event::LinkAttached(id) => {
                    server.link(id).unwrap().accept().unwrap();
                    receiver = Some(id);
                }
                other => panic!("{other:?}"),
            }
        }
        settle(&mut client, &mut server, &mut wires);
        assert_eq!(
            events(&mut client),
            [
                Event::RemoteOpen,
                Event::SessionBegun(session),
                Event::LinkAttached(sender)
            ]
        );
        let receiver = receiver.unwrap();
        Self {
            client,
            server,
            wires,
            session,
            sender,
            receiver,
        }
    }

    fn settle(&mut self) {
        settle(&mut self.client, &mut self.server, &mut self.wires);
    }

    fn credit(&mut self, credit: u32) {
        self.server
            .receiver(self.receiver)
            .unwrap()
            .set_credit(credit)
            .unwrap();
        self.settle();
    }
}

#[test]
fn messages_arrive_outcomes_return_and_nothing_is_left_behind() {
    let mut j = Joined::new();
    let refused = j.client.sender(j.sender).unwrap().send(b"0", b"early");
    assert_eq!(refused, Err(SendError::NoCredit));
    j.credit(3);
    assert_eq!(events(&mut j.client), [Event::Flow(j.sender)]);
    let mut sender = j.client.sender(j.sender).unwrap();
    assert_eq!(sender.credit(), 3);
    sender.send_settled(b"1", b"one").unwrap();
    let two = sender.send(b"2", b"two").unwrap();
    let three = sender
        .send(b"3", bytes::Bytes::from(vec![7; 200_000]))
        .unwrap();
    assert_eq!(sender.send(b"4", b"four"), Err(SendError::NoCredit));
    j.settle();
    assert_eq!(events(&mut j.server), [Event::Deliveries(j.receiver)]);
    let mut receiver = j.server.receiver(j.receiver).unwrap();
    let first = receiver.next_delivery().unwrap();
    assert!(first.is_settled());
    assert_eq!(first.payload.into_bytes(), "one");
    let second = receiver.next_delivery().unwrap();
    assert_eq!((&second.tag[..], second.payload.len()), (&b"2"[..], 3));
    let third = receiver.next_delivery().unwrap();
    assert_eq!(third.payload.into_bytes(), vec![7; 200_000]);
    assert_eq!(receiver.next_delivery(), None);
    receiver.accept(second.id.unwrap()).unwrap();
    receiver
        .settle(third.id.unwrap(), DeliveryState::Released)
        .unwrap();
    assert_eq!(
        receiver.accept(second.id.unwrap()),
        Err(UsageError::StaleHandle)
    );
    j.settle();
    assert_eq!(events(&mut j.client), [Event::Updates(j.sender)]);
    let mut sender = j.client.sender(j.sender).unwrap();
    let update = sender.next_update().unwrap();
    assert_eq!(
        (update.delivery, update.state, update.settled),
        (two, Some(DeliveryState::Accepted), true)
    );
    let update = sender.next_update().unwrap();
    assert_eq!(
        (update.delivery, update.state),
        (three, Some(DeliveryState::Released))
    );
    assert_eq!(sender.next_update(), None);

    j.client.link(j.sender).unwrap().close(None).unwrap();
    j.settle();
    assert_eq!(events(&mut j.server), [Event::LinkDetached(j.receiver)]);
    j.server.link(j.receiver).unwrap().close(None).unwrap();
    j.settle();
    assert_eq!(events(&mut j.client), [Event::LinkDetached(j.sender)]);
    j.client.session(j.session).unwrap().end(None).unwrap();
    j.settle();
    events(&mut j.client);
    events(&mut j.server);
    assert_eq!(j.client.census(), Census::default());
    assert_eq!(j.server.census(), Census::default());
    j.client.connection().close(None).unwrap();
    j.settle();
    assert!(j.client.is_done() && j.server.is_done());
    assert_eq!((j.client.failure(), j.server.failure()), (None, None));
    assert_eq!(
        events(&mut j.server),
        [Event::RemoteClose, Event::Disconnected]
    );
}

#[test]
fn a_small_session_window_lets_a_large_message_through_in_turns() {
    let narrow = SessionConfig {
        incoming_window: 2,
        ..SessionConfig::default()
    };
    let wrap = SessionConfig {
        next_outgoing_id: u32::MAX - 1,
        ..SessionConfig::default()
    };
    let mut j = Joined::with(wrap, narrow, 512);
    j.credit(100);
    for n in 0..10_u8 {
        j.client
            .sender(j.sender)
            .unwrap()
            .send(&[n], vec![n; 3000])
            .unwrap();
    }
    let mut got = Vec::new();
    for _ in 0..100 {
        j.settle();
        while let Some(delivery) = j.server.receiver(j.receiver).unwrap().next_delivery() {
            got.push(delivery.payload.into_bytes());
            j.server
                .receiver(j.receiver)
                .unwrap()
                .accept(delivery.id.unwrap())
                .unwrap();
        }
    }
    let expected: Vec<_> = (0..10_u8)
        .map(|n| bytes::Bytes::from(vec![n; 3000]))
        .collect();
    assert_eq!(got, expected);
    let updates = std::iter::from_fn(|| j.client.sender(j.sender).unwrap().next_update()).count();
    assert_eq!(updates, 10);
    assert_eq!(j.client.census().outgoing_deliveries, 0);
}

#[test]
fn a_drain_is_answered_after_the_transfers_it_counts() {
    let mut j = Joined::new();
    j.credit(10);
    j.client
        .sender(j.sender)
        .unwrap()
        .send_settled(b"1", b"one")
        .unwrap();
    j.server.receiver(j.receiver).unwrap().drain().unwrap();
    j.settle();
    assert!(j.client.sender(j.sender).unwrap().is_draining());
    j.client.sender(j.sender).unwrap().drained().unwrap();
    j.settle();
    let receiver = j.server.receiver(j.receiver).unwrap();
    assert_eq!(
        (
            receiver.credit(),
            receiver.is_draining(),
            receiver.waiting()
        ),
        (0, false, 1)
    );
    assert_eq!(j.client.sender(j.sender).unwrap().credit(), 0);
}

#[test]
fn a_refused_link_says_why() {
    let mut j = Joined::new();
    let link = j
        .client
        .session(j.session)
        .unwrap()
        .attach_receiver(LinkConfig::receiver("other", "nowhere"))
        .unwrap();
    j.settle();
    let Some(Event::LinkAttached(incoming)) = j.server.poll_event() else {
        panic!("no link came")
    };
    let reason = Condition::with_description(conditions::NOT_FOUND, "no such queue");
    j.server
        .link(incoming)
        .unwrap()
        .refuse(reason.clone())
        .unwrap();
    j.settle();
    assert_eq!(
        events(&mut j.client),
        [Event::LinkAttached(link), Event::LinkDetached(link)]
    );
    let error = j.client.link(link).unwrap().error().cloned().unwrap();
    assert_eq!((error.origin, error.condition), (Origin::Remote, reason));
    j.client.link(link).unwrap().close(None).unwrap();
    j.settle();
    assert_eq!(j.client.poll_event(), None);
    assert_eq!(j.client.link(link).err(), Some(UsageError::StaleHandle));
}

#[test]
fn plain_asks_the_embedder_and_a_refusal_is_final() {
    for (password, admitted) in [("right", true), ("wrong", false)] {
        let mut config = Config::new("client");
        config.sasl = SaslConfig::Client(SaslClient::plain("ann", password).allow_clear_text(true));
        let mut client = Engine::client(config);
        let mut config = Config::new("server");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Plain]));
        let mut server = Engine::server(config);
        let mut wires = Wires(BytesMut::new(), BytesMut::new());
        client.connection().open().unwrap();
        server.connection().open().unwrap();
        settle(&mut client, &mut server, &mut wires);
        assert_eq!(events(&mut server), [Event::Authenticate]);
        let Some(SaslRequest::Plain { user, password, .. }) = server.sasl_request() else {
            panic!("no PLAIN request")
        };
        assert_eq!(user, "ann");
        if password.matches(b"right") {
            server.sasl_answer(SaslAnswer::Accept).unwrap();
        } else {
            server.sasl_answer(SaslAnswer::Reject).unwrap();
        }
        settle(&mut client, &mut server, &mut wires);
        if admitted {
            assert_eq!(
                events(&mut client),
                [Event::Authenticated, Event::RemoteOpen]
            );
            assert_eq!(
                events(&mut server),
                [Event::Authenticated, Event::RemoteOpen]
            );
        } else {
            assert_eq!(events(&mut client), [Event::Disconnected]);
            assert_eq!(
                client.failure(),
                Some(&Failure::Sasl(SaslFailure::Refused { detail: None }))
            );
            assert_eq!(events(&mut server), [Event::Disconnected]);
        }
    }
}

#[test]
fn a_message_streams_through_a_window_smaller_than_itself() {
    let narrow = SessionConfig {
        incoming_octets: 8 * 512,
        ..SessionConfig::default()
    };
    let mut j = Joined::with(SessionConfig::default(), narrow, 512);
    j.server.receiver(j.receiver).unwrap().set_streaming(true);
    j.credit(1);
    let id = j
        .client
        .sender(j.sender)
        .unwrap()
        .stream(b"big", &SendOptions::default())
        .unwrap();
    let (mut written, mut read) = (0_usize, 0_usize);
    let mut most_queued = 0;
    while written < 1_000_000 {
        let mut sender = j.client.sender(j.sender).unwrap();
        if sender.queued_octets() < 4096 {
            sender
                .write(id, vec![(written / 1000) as u8; 1000])
                .unwrap();
            written += 1000;
        }
        j.settle();
        let mut receiver = j.server.receiver(j.receiver).unwrap();
        most_queued = most_queued.max(receiver.partial().map_or(0, |partial| partial.waiting));
        while let Some(part) = receiver.read_partial().filter(|part| !part.is_empty()) {
            read += part.len();
        }
    }
    j.client.sender(j.sender).unwrap().finish(id).unwrap();
    j.settle();
    let last = loop {
        let mut receiver = j.server.receiver(j.receiver).unwrap();
        if let Some(last) = receiver.next_delivery() {
            break last;
        }
        read += receiver.read_partial().unwrap().len();
        j.settle();
    };
    assert_eq!(read + last.payload.len(), written);
    assert!(most_queued <= 8 * 512, "{most_queued}");
    j.server
        .receiver(j.receiver)
        .unwrap()
        .accept(last.id.unwrap())
        .unwrap();
    j.settle();
    assert_eq!(
        j.client
            .sender(j.sender)
            .unwrap()
            .next_update()
            .unwrap()
            .delivery,
        id
    );
}

#[test]
fn an_aborted_message_vanishes_and_the_next_one_is_whole() {
    for streaming in [false, true] {
        let mut j = Joined::new();
        j.server
            .receiver(j.receiver)
            .unwrap()
            .set_streaming(streaming);
        j.credit(10);
        let mut sender = j.client.sender(j.sender).unwrap();
        let id = sender.stream(b"1", &SendOptions::default()).unwrap();
        sender.write(id, "half of").unwrap();
        j.settle();
        if streaming {
            let mut receiver = j.server.receiver(j.receiver).unwrap();
            assert_eq!(receiver.read_partial().unwrap().into_bytes(), "half of");
        }
        let mut sender = j.client.sender(j.sender).unwrap();
        sender.abort(id).unwrap();
        assert_eq!(sender.finish(id), Err(UsageError::StaleHandle));
        sender.send_settled(b"2", b"whole").unwrap();
        j.settle();
        let mut receiver = j.server.receiver(j.receiver).unwrap();
        if streaming {
            assert!(receiver.next_delivery().unwrap().aborted);
        }
        let next = receiver.next_delivery().unwrap();
        assert_eq!(
            (&next.tag[..], next.payload.into_bytes()),
            (&b"2"[..], "whole".into())
        );
        assert_eq!(receiver.credit(), 8, "both ends count the aborted one");
        assert_eq!(j.client.sender(j.sender).unwrap().credit(), 8);
        assert_eq!(j.server.census().incoming_deliveries, 0);
        assert_eq!(j.client.census().outgoing_deliveries, 0);
    }
}

#[test]
fn automatic_credit_is_granted_anew_at_half() {
    let mut j = Joined::new();
    j.server
        .receiver(j.receiver)
        .unwrap()
        .set_automatic_credit(10)
        .unwrap();
    j.settle();
    for n in 0..100_u8 {
        j.client
            .sender(j.sender)
            .unwrap()
            .send_settled(&[n], b"x")
            .unwrap();
        j.settle();
        j.server
            .receiver(j.receiver)
            .unwrap()
            .next_delivery()
            .unwrap();
        j.settle();
        assert!(j.client.sender(j.sender).unwrap().credit() >= 5);
    }
}
