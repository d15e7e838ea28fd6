//! What the engine wrote, for looking at and answering.

use ferrion_engine::Time;

use super::{CHANNEL_OFFSET, HANDLE_OFFSET, Peer};
use crate::build::{self, Build, Role, for_each_field};
use crate::oracle::{Frame, Perf, Piece, V, What, same};

/// A frame or header from the engine. Every named field must have the given value; null counts as its default.
pub struct Got<'p> {
    peer: &'p mut Peer,
    piece: Piece,
    at: Time,
}

impl<'p> Got<'p> {
    pub(super) fn new(peer: &'p mut Peer, piece: Piece, at: Time) -> Self {
        Self { peer, piece, at }
    }

    /// The frame.
    pub fn frame(&self) -> &Frame {
        match &self.piece.what {
            What::Frame(frame) => frame,
            What::Header(_) => panic!("a protocol header is no frame"),
        }
    }

    /// The performative.
    pub fn perf(&self) -> &Perf {
        self.frame().perf.as_ref().expect("a frame with a body")
    }

    /// The field must have this value.
    pub fn is(self, name: &str, expected: &V) -> Self {
        let actual = self.perf().get(name);
        if !same(&actual, expected) {
            let type_name = self.perf().name();
            self.peer.fail(&format!(
                "{name} of {type_name} is {actual}, not {expected}"
            ));
        }
        self
    }

    /// The field must be null on the wire, not just default.
    pub fn null(self, name: &str) -> Self {
        let shape = crate::oracle::shape(self.perf().code).expect("a known type");
        let index = shape.index(name).expect("a field of this type");
        match self.perf().fields.get(index) {
            None | Some(V::Null) => self,
            Some(value) => {
                let text = format!("{name} of {} is {value}, not null", shape.name);
                self.peer.fail(&text)
            }
        }
    }

    /// Any other condition on the performative.
    pub fn check(self, what: &str, holds: impl FnOnce(&Perf) -> bool) -> Self {
        if !holds(self.perf()) {
            self.peer.fail(what);
        }
        self
    }

    /// The channel must be this one.
    pub fn on(self, channel: u16) -> Self {
        let actual = self.frame().channel;
        if actual != channel {
            self.peer.fail(&format!("channel {actual}, not {channel}"));
        }
        self
    }

    /// The frame's payload must be this.
    pub fn payload(self, octets: &[u8]) -> Self {
        if self.frame().payload != octets {
            let actual = self.frame().payload.escape_ascii().to_string();
            self.peer.fail(&format!(
                "payload {actual:?}, not {:?}",
                octets.escape_ascii().to_string()
            ));
        }
        self
    }

    /// The `error` field must carry this condition.
    pub fn condition(self, condition: &str) -> Self {
        let error = self.perf().get("error");
        let actual = error
            .composite()
            .and_then(|(_, fields)| fields.first().cloned());
        if actual != Some(V::sym(condition)) {
            self.peer
                .fail(&format!("error is {error}, not {condition}"));
        }
        self
    }

    /// The `error` field must be null.
    pub fn no_error(self) -> Self {
        self.null("error")
    }

    /// The delivery state must be `accepted`.
    pub fn accepted(self) -> Self {
        self.state(build::accepted().v())
    }

    /// When the engine wrote it.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Octets of the whole frame.
    pub fn size(&self) -> usize {
        self.piece.octets.len()
    }

    /// The octets of the whole frame.
    pub fn octets(&self) -> &[u8] {
        &self.piece.octets
    }

    /// A number field.
    pub fn uint(&self, name: &str) -> u32 {
        self.perf()
            .uint(name)
            .unwrap_or_else(|| panic!("{name} is not set"))
    }

    /// Answers as a well-behaved partner does: the same header; `open`, `begin`, `attach`, `detach`, `end`, `close` mirrored.
    pub fn respond(self) {
        self.respond_with(|b| b);
    }

    /// Answers with changes.
    pub fn respond_with(self, change: impl FnOnce(Build) -> Build) {
        let What::Frame(_) = &self.piece.what else {
            let octets = self.piece.octets;
            self.peer.inject_raw(&octets);
            return;
        };
        let perf = self.perf();
        let channel = self.frame().channel + CHANNEL_OFFSET;
        let answer = match perf.code {
            0x10 => build::open().container_id("script"),
            0x11 => {
                let ours = self.frame().channel;
                self.peer.channel = channel;
                build::begin()
                    .remote_channel(ours)
                    .next_outgoing_id(0)
                    .incoming_window(2048)
                    .outgoing_window(2048)
            }
            0x12 => attach_answer(perf),
            0x16 => build::detach()
                .handle(perf.uint("handle").expect("mandatory") + HANDLE_OFFSET)
                .closed(perf.flag("closed")),
            0x17 => build::end(),
            0x18 => build::close(),
            _ => panic!("there is no answer to {}", perf.name()),
        };
        let answer = if matches!(self.perf().code, 0x10 | 0x18) {
            answer
        } else {
            answer.on(channel)
        };
        self.peer.inject(change(answer));
    }
}

fn attach_answer(perf: &Perf) -> Build {
    let V::Str(name) = perf.get("name") else {
        panic!("attach without a name")
    };
    let role = if perf.flag("role") {
        Role::Sender
    } else {
        Role::Receiver
    };
    let answer = build::attach()
        .name(&name)
        .handle(perf.uint("handle").expect("mandatory") + HANDLE_OFFSET)
        .role(role)
        .set("snd-settle-mode", perf.get("snd-settle-mode"))
        .set("rcv-settle-mode", perf.get("rcv-settle-mode"))
        .source(perf.get("source"))
        .target(perf.get("target"));
    if role == Role::Sender {
        answer.initial_delivery_count(0)
    } else {
        answer
    }
}

macro_rules! matchers {
    ($($method:ident $name:literal ($arg:ident: $ty:ty) $value:expr;)*) => {
        impl Got<'_> {
            $(
                #[doc = concat!("`", $name, "` must be this.")]
                pub fn $method(self, $arg: $ty) -> Self {
                    self.is($name, &$value)
                }
            )*
        }
    };
}

for_each_field!(matchers);
