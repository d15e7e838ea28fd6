//! The frames that cost most to hear, each as large as a frame is by default: what a peer can have an engine do by one.
//! A message of the other works is a frame here.

use bytes::Buf;
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig};

use crate::ends::{NOW, carry};
use crate::work::{Clock, Options, Outcome, ensure, report};

/// Octets of a frame, by default at most.
const FRAME: usize = 65_536;
/// Deliveries that the engine has sent and that stay unsettled.
const UNSETTLED: u32 = 10_000;
/// The handle that the peer attaches its own links with.
const HANDLE: u8 = 9;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let frame = frame(&options.frame)?;
    ensure!(frame.len() <= 2 * FRAME, "more than a frame");
    let mut engine = victim()?;
    let mut hear = |count: u64| -> Outcome<()> {
        for _ in 0..count {
            engine.recv_buffer(frame.len()).extend_from_slice(&frame);
            engine.recv_filled(NOW);
            look(&mut engine)?;
            drain(&mut engine);
        }
        Ok(())
    };
    hear(options.warmup)?;
    let clock = Clock::start();
    hear(options.count)?;
    report(options.count, clock.elapsed(), frame.len() as u64, 0);
    Ok(())
}

/// An engine that has sent deliveries to a peer, and of which only the peer's octets are wanted from now on.
fn victim() -> Outcome<Engine> {
    let mut config = Config::new("victim");
    // Otherwise the session would end, and what follows cost nothing.
    config.limits.states_per_delivery = u32::MAX;
    let (mut peer, mut engine) = (Engine::client(Config::new("peer")), Engine::server(config));
    peer.connection().open()?;
    let session = SessionConfig {
        incoming_window: 2 * UNSETTLED,
        incoming_octets: 2 * u64::from(UNSETTLED) * FRAME as u64,
        ..SessionConfig::default()
    };
    let session = peer.connection().begin(session)?;
    let link = LinkConfig::receiver("link", "queue");
    let link = peer.session(session)?.attach_receiver(link)?;
    peer.receiver(link)?.set_credit(UNSETTLED)?;
    let mut sending = None;
    while carry(&mut peer, &mut engine, NOW) | carry(&mut engine, &mut peer, NOW) {
        while peer.poll_event().is_some() {}
        sending = look(&mut engine)?.or(sending);
    }
    let sending = sending.ok_or("the link is not up")?;
    for number in 0..UNSETTLED {
        engine.sender(sending)?.send(&number.to_be_bytes(), b"x")?;
    }
    drain(&mut engine);
    ensure!(engine.sender(sending)?.queued() == 0, "not all was sent");
    Ok(engine)
}

/// What a program does about what happened; answers a link that was attached.
fn look(engine: &mut Engine) -> Outcome<Option<LinkId>> {
    let mut attached = None;
    while let Some(event) = engine.poll_event() {
        match event {
            Event::RemoteOpen => engine.connection().open()?,
            Event::SessionBegun(id) => engine.session(id)?.accept(SessionConfig::default())?,
            Event::LinkAttached(id) => {
                engine.link(id)?.accept()?;
                attached = Some(id);
            }
            Event::LinkDetached(id) => {
                // It may have been this side that detached it.
                let _ = engine.link(id)?.close(None);
            }
            Event::Updates(id) => while engine.link(id)?.next_update().is_some() {},
            Event::SessionEnded(_) | Event::Disconnected => {
                return Err("the frame ended more than a link".into());
            }
            _ => {}
        }
    }
    Ok(attached)
}

/// What is written is read by nobody.
fn drain(engine: &mut Engine) {
    loop {
        let mut output = engine.transmit(NOW);
        let octets = output.remaining();
        if octets == 0 {
            return;
        }
        output.advance(octets);
    }
}

/// The octets of one that is known by this name.
fn frame(name: &str) -> Outcome<Vec<u8>> {
    Ok(match name {
        // All that is not settled, by one disposition.
        "range" => {
            let last = 0x7fff_ffff_u32.to_be_bytes();
            let fields = [&[0x41, 0x43, 0x70][..], &last, &[0x42, 0, 0x53, 0x24, 0x45]].concat();
            performative(0x15, 5, &fields)
        }
        // Lists in lists, as deep as can be said, and as deep as is allowed.
        "nest" => flow(&nest(FRAME / 9 - 20)),
        "nests" => {
            let nest = nest(28);
            let count = (FRAME - 200) / nest.len();
            flow(&compound(0xd0, count, &nest.repeat(count)))
        }
        // Elements without octets, more than are taken and as many as are.
        "zero-width" => flow(&array(0x8000_0000)),
        "zero-width-allowed" => flow(&array(FRAME as u32)),
        // A map of very many keys.
        "keys" => {
            let keys = (0..(FRAME - 200) / 6).flat_map(|number| {
                let [_, a, b, c] = (number as u32).to_be_bytes();
                [0xa1, 3, 0x30 + a, hex(b), hex(c), 0x40]
            });
            let keys: Vec<u8> = keys.collect();
            flow(&compound(0xd1, 2 * (keys.len() / 6), &keys))
        }
        // A link that comes with all that a frame can say is unsettled, and goes.
        "unsettled" => {
            let tags = (0..(FRAME - 200) / 7).flat_map(|number| {
                let [a, b, c, d] = (number as u32).to_be_bytes();
                [0xa0, 4, a, b, c, d, 0x40]
            });
            let tags: Vec<u8> = tags.collect();
            let unsettled = compound(0xd1, 2 * (tags.len() / 7), &tags);
            come_and_go(&[0x00, 0x53, 0x28, 0x45], &unsettled)
        }
        // The same with as many capabilities as fit.
        "capabilities" => {
            let count = FRAME - 200;
            let mut symbols = vec![0xf0];
            symbols.extend((count as u32 + 5).to_be_bytes());
            symbols.extend((count as u32).to_be_bytes());
            symbols.push(0xa3);
            symbols.resize(symbols.len() + count, 0);
            let fields = [&[0x40; 10][..], &symbols].concat();
            let list = compound(0xd0, 11, &fields);
            come_and_go(&[&[0x00, 0x53, 0x28], &list[..]].concat(), &[0x40])
        }
        other => return Err(format!("unknown frame {other}").into()),
    })
}

fn hex(octet: u8) -> u8 {
    // All of them are letters: what is compared first is what differs last.
    if octet < 0x80 { octet } else { octet - 0x80 }
}

/// A list or map of four-octet sizes.
fn compound(code: u8, count: usize, items: &[u8]) -> Vec<u8> {
    let size = u32::try_from(items.len() + 4).unwrap_or(u32::MAX);
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    [
        &[code][..],
        &size.to_be_bytes(),
        &count.to_be_bytes(),
        items,
    ]
    .concat()
}

/// An array of so many nulls.
fn array(count: u32) -> Vec<u8> {
    [&[0xf0, 0, 0, 0, 5][..], &count.to_be_bytes(), &[0x40]].concat()
}

/// A value in so many lists.
fn nest(depth: usize) -> Vec<u8> {
    // From the outside in, as each says how much follows.
    let heads = (0..depth).rev().flat_map(|inner| {
        let size = (4 + 9 * inner + 1) as u32;
        let [a, b, c, d] = size.to_be_bytes();
        [0xd0, a, b, c, d, 0, 0, 0, 1]
    });
    heads.chain([0x45]).collect()
}

/// A frame on the peer's only channel.
fn performative(code: u8, count: usize, fields: &[u8]) -> Vec<u8> {
    let list = compound(0xd0, count, fields);
    let size = u32::try_from(8 + 3 + list.len()).unwrap_or(u32::MAX);
    let head = [0x02, 0, 0, 0, 0x00, 0x53, code];
    [&size.to_be_bytes()[..], &head, &list].concat()
}

/// A flow of the link that says this with a map of its own, unless this is one.
fn flow(value: &[u8]) -> Vec<u8> {
    let properties = if value.first() == Some(&0xd1) {
        value.to_vec()
    } else {
        compound(0xd1, 2, &[&[0xa3, 1, b'k'], value].concat())
    };
    // A window and credit that change nothing: next-incoming-id is what was sent, handle 0.
    let sent = UNSETTLED.to_be_bytes();
    let window = [&[0x70][..], &sent].concat();
    let fields = [
        &window[..],
        &window,
        &[0x43],
        &window,
        &[0x43],
        &window,
        &[0x43, 0x43, 0x42, 0x42],
        &properties,
    ];
    performative(0x13, 11, &fields.concat())
}

/// A receiver is attached with this source and this map of unsettled deliveries, and detached.
fn come_and_go(source: &[u8], unsettled: &[u8]) -> Vec<u8> {
    let fields = [
        &[0xa1, 1, b'n', 0x52, HANDLE, 0x41, 0x40, 0x40],
        source,
        &[0x00, 0x53, 0x29, 0x45],
        unsettled,
    ];
    let attach = performative(0x12, 8, &fields.concat());
    let detach = performative(0x16, 2, &[0x52, HANDLE, 0x41]);
    [attach, detach].concat()
}
