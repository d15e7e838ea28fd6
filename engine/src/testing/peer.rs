//! An engine against a peer that sends any octets at all, with an application that answers everything.

use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use crate::codec::Encode;
use crate::config::{Config, LinkConfig, SendOptions, SessionConfig};
use crate::engine::Engine;
use crate::event::Event;
use crate::ids::LinkId;
use crate::limits::Limits;
use crate::protocol::{Attach, Begin, Open, Role};
use crate::sasl::{Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslServer};
use crate::time::Time;

/// Output that an engine may hold beyond its own limit: one frame, and what control frames add.
const OUTPUT_SLACK: usize = 1 << 20;

/// A client engine whose server sends these octets.
pub fn client_octets(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let mut config = Config::new("fuzzed-client");
    config.idle_time_out = Some(10_000);
    config.pipelined = mode & 2 == 0;
    if mode & 1 == 1 {
        config.sasl =
            SaslConfig::Client(SaslClient::plain("user", "password").allow_clear_text(true));
    }
    let mut engine = Engine::client(config);
    engine
        .connection()
        .open()
        .expect("a new engine can be opened");
    let session = engine
        .connection()
        .begin(SessionConfig::default())
        .expect("an open engine can begin a session");
    let mut session = engine.session(session).expect("the session is new");
    let sender = LinkConfig::sender("sender", "node");
    session.attach_sender(sender).expect("the name is free");
    let receiver = LinkConfig::receiver("receiver", "node");
    session.attach_receiver(receiver).expect("the name is free");
    run(engine, *mode, data);
}

/// A server engine whose client sends these octets.
pub fn server_octets(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let mut config = Config::new("fuzzed-server");
    config.idle_time_out = Some(10_000);
    if mode & 1 == 1 {
        let server = SaslServer::new([Mechanism::Plain, Mechanism::Anonymous]);
        config.sasl = SaslConfig::Server(server.required(mode & 2 == 0));
    }
    run(Engine::server(config), *mode, data);
}

/// Feeds the octets in pieces and lets the application answer after each.
fn run(mut engine: Engine, mode: u8, data: &[u8]) {
    let mut now = 0;
    let mut input = BytesMut::new();
    if mode & 4 != 0 {
        input.extend_from_slice(&beginning(mode & 1 == 0));
    }
    let framed = mode & 8 != 0;
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (piece, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        if framed {
            // The length is right by construction, so that what is looked at is what lies behind it.
            let size = u32::try_from(piece.len() + 8).unwrap_or(8);
            input.extend_from_slice(&size.to_be_bytes());
            input.extend_from_slice(&[2, 0, 0, length & 1]);
        }
        input.extend_from_slice(piece);
        engine.recv(Time(now), &mut input);
        answer(&mut engine);
        now += u64::from(length & 0x3f);
        engine.handle_timeout(Time(now));
        take_output(&mut engine, Time(now), usize::from(length & 0x7f));
    }
    engine.recv_eof(Time(now));
    answer(&mut engine);
    while engine.poll_event().is_some() {}
    take_output(&mut engine, Time(now), usize::MAX);
    assert!(
        engine.is_done(),
        "after the end of input and output nothing is left to do"
    );
    assert_eq!(engine.poll_timeout(), None);
}

/// What a sound peer would begin with, so that later states are reached too.
fn beginning(plain: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    if plain {
        octets.extend_from_slice(b"AMQP\x00\x01\x00\x00");
    }
    let mut begin = Begin::new(u32::MAX - 1, 100, 100);
    begin.remote_channel = None;
    frame(&mut octets, &Open::new("peer".into()));
    frame(&mut octets, &begin);
    let mut attach = Attach::new("theirs".into(), 0, Role::Sender);
    attach.initial_delivery_count = Some(u32::MAX - 1);
    frame(&mut octets, &attach);
    frame(&mut octets, &Attach::new("ours".into(), 1, Role::Receiver));
    octets
}

fn frame(octets: &mut Vec<u8>, body: &impl Encode) {
    let start = octets.len();
    octets.extend_from_slice(&[0, 0, 0, 0, 2, 0, 0, 0]);
    body.encode(octets);
    let size = u32::try_from(octets.len() - start).unwrap_or(8);
    if let Some(place) = octets.get_mut(start..).and_then(|f| f.first_chunk_mut()) {
        *place = size.to_be_bytes();
    }
}

/// Takes some of the output, as a transport would, in pieces of its own size.
fn take_output(engine: &mut Engine, now: Time, most: usize) {
    // Payloads that are shared count for a quarter.
    let limit = 4 * Limits::default().output_octets + OUTPUT_SLACK;
    let mut left = most;
    loop {
        let mut output = engine.transmit(now);
        assert!(output.remaining() <= limit, "output grows without bound");
        let step = output.chunk().len().min(left);
        if step == 0 {
            return;
        }
        output.advance(step);
        left -= step;
    }
}

/// An application that accepts, grants, takes, settles and closes whatever there is.
fn answer(engine: &mut Engine) {
    while let Some(event) = engine.poll_event() {
        // What the peer does between an event and its answer can make the answer wrong, never worse.
        match event {
            Event::Authenticate => {
                let _ = engine.sasl_answer(SaslAnswer::Accept);
            }
            Event::RemoteOpen => {
                let _ = engine.connection().open();
            }
            Event::SessionBegun(id) => {
                if let Ok(mut session) = engine.session(id) {
                    let _ = session.accept(SessionConfig::default());
                }
            }
            Event::LinkAttached(id) => {
                if let Ok(mut link) = engine.link(id) {
                    let _ = link.accept();
                }
                if let Ok(mut receiver) = engine.receiver(id) {
                    receiver.set_streaming(true);
                    let _ = receiver.set_automatic_credit(10);
                }
            }
            Event::LinkDetached(id) => {
                if let Ok(mut link) = engine.link(id) {
                    let _ = link.close(None);
                }
            }
            Event::Flow(id) => send(engine, id),
            Event::Deliveries(id) => take(engine, id),
            Event::Updates(id) => settle(engine, id),
            _ => {}
        }
    }
}

fn send(engine: &mut Engine, id: LinkId) {
    let Ok(mut sender) = engine.sender(id) else {
        return;
    };
    for n in 0..sender.credit().min(4) {
        let _ = match n {
            0 => sender.send(&n.to_be_bytes(), b"unsettled").map(drop),
            1 => sender.send_settled(&n.to_be_bytes(), alloc::vec![0; 9000]),
            2 => sender
                .stream(b"stream", &SendOptions::settled())
                .and_then(|delivery| {
                    sender.write(delivery, "piece")?;
                    Ok(sender.abort(delivery)?)
                }),
            _ => sender.send(&n.to_be_bytes(), alloc::vec![0; 600]).map(drop),
        };
    }
    let _ = sender.drained();
}

fn take(engine: &mut Engine, id: LinkId) {
    let Ok(mut receiver) = engine.receiver(id) else {
        return;
    };
    while let Some(delivery) = receiver.next_delivery() {
        if let Some(delivery) = delivery.id {
            let _ = receiver.accept(delivery);
        }
    }
    let _ = receiver.read_partial();
}

fn settle(engine: &mut Engine, id: LinkId) {
    let Ok(mut link) = engine.link(id) else {
        return;
    };
    let mut open = Vec::new();
    while let Some(update) = link.next_update() {
        if !update.settled {
            open.push(update.delivery);
        }
    }
    if let Ok(mut sender) = engine.sender(id) {
        for delivery in open {
            let _ = sender.settle(delivery);
        }
    }
}
