//! Frames and composites put together by name: `transfer().handle(0).delivery_id(4).payload(b"x")`.
//!
//! A field that is not named is null; nothing is filled in. Naming a field that the type has not is a mistake in the test and
//! panics.

use crate::oracle::{Descriptors, Form, Frame, Perf, V, shape, shape_named};

/// Which end of a link (2.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends deliveries; `false` on the wire.
    Sender,
    /// Receives them; `true` on the wire.
    Receiver,
}

impl Role {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }

    /// As the wire has it.
    pub fn value(self) -> V {
        V::Bool(self == Self::Receiver)
    }
}

/// A frame, or a composite value, in the making.
#[derive(Clone, Debug)]
pub struct Build {
    perf: Perf,
    channel: Option<u16>,
    payload: Vec<u8>,
    extended: Vec<u8>,
    form: Form,
    descriptors: Descriptors,
}

/// A composite with this descriptor code, all fields null.
pub fn composite(code: u64) -> Build {
    Build {
        perf: Perf {
            code,
            fields: Vec::new(),
        },
        channel: None,
        payload: Vec::new(),
        extended: Vec::new(),
        form: Form::Shortest,
        descriptors: Descriptors::Numeric,
    }
}

macro_rules! starts {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal;)*) => {
        $($(#[$doc])*
        pub fn $name() -> Build {
            composite(shape_named($symbol).expect("a type of the specification").code)
        })*
    };
}

starts! {
    /// `open` (2.7.1)
    open = "amqp:open:list";
    /// `begin` (2.7.2)
    begin = "amqp:begin:list";
    /// `attach` (2.7.3)
    attach = "amqp:attach:list";
    /// `flow` (2.7.4)
    flow = "amqp:flow:list";
    /// `transfer` (2.7.5)
    transfer = "amqp:transfer:list";
    /// `disposition` (2.7.6)
    disposition = "amqp:disposition:list";
    /// `detach` (2.7.7)
    detach = "amqp:detach:list";
    /// `end` (2.7.8)
    end = "amqp:end:list";
    /// `close` (2.7.9)
    close = "amqp:close:list";
    /// `source` (3.5.3)
    source = "amqp:source:list";
    /// `target` (3.5.4)
    target = "amqp:target:list";
    /// `received` (3.4.1)
    received = "amqp:received:list";
    /// `accepted` (3.4.2)
    accepted = "amqp:accepted:list";
    /// `rejected` (3.4.3)
    rejected = "amqp:rejected:list";
    /// `released` (3.4.4)
    released = "amqp:released:list";
    /// `modified` (3.4.5)
    modified = "amqp:modified:list";
    /// `sasl-mechanisms` (5.3.3.1)
    sasl_mechanisms = "amqp:sasl-mechanisms:list";
    /// `sasl-init` (5.3.3.2)
    sasl_init = "amqp:sasl-init:list";
    /// `sasl-challenge` (5.3.3.3)
    sasl_challenge = "amqp:sasl-challenge:list";
    /// `sasl-response` (5.3.3.4)
    sasl_response = "amqp:sasl-response:list";
    /// `sasl-outcome` (5.3.3.5)
    sasl_outcome = "amqp:sasl-outcome:list";
}

/// `error` (2.8.14) with this condition.
pub fn error(condition: &str) -> Build {
    composite(0x1d).set("condition", V::sym(condition))
}

impl Build {
    /// Sets a field by its name in the specification.
    pub fn set(mut self, name: &str, value: V) -> Self {
        let shape = shape(self.perf.code).expect("a known composite");
        let Some(index) = shape.index(name) else {
            panic!("{} has no field {name}", shape.name)
        };
        if self.perf.fields.len() <= index {
            self.perf.fields.resize(index + 1, V::Null);
        }
        self.perf.fields[index] = value;
        self
    }

    /// Sets a field that is still null.
    pub fn set_if_null(self, name: &str, value: V) -> Self {
        if self.is_set(name) {
            self
        } else {
            self.set(name, value)
        }
    }

    /// Has the field a value?
    pub fn is_set(&self, name: &str) -> bool {
        let index = shape(self.perf.code).and_then(|s| s.index(name));
        index
            .and_then(|i| self.perf.fields.get(i))
            .is_some_and(|v| !v.is_null())
    }

    /// The value that a field has been given.
    pub fn field(&self, name: &str) -> V {
        self.perf.get(name)
    }

    /// Appends a value after the fields that there are: how to write more fields than the type has.
    pub fn extra(mut self, value: V) -> Self {
        let known = shape(self.perf.code).map_or(0, |s| s.fields.len());
        self.perf
            .fields
            .resize(self.perf.fields.len().max(known), V::Null);
        self.perf.fields.push(value);
        self
    }

    /// The channel; without one the peer uses that of its latest session.
    pub fn on(mut self, channel: u16) -> Self {
        self.channel = Some(channel);
        self
    }

    /// What follows the performative in the frame.
    pub fn payload(mut self, octets: &[u8]) -> Self {
        self.payload = octets.to_vec();
        self
    }

    /// An extended frame header (2.3.1).
    pub fn extended(mut self, octets: &[u8]) -> Self {
        self.extended = octets.to_vec();
        self
    }

    /// Another legal encoding.
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Symbolic descriptor of the performative.
    pub fn symbolic(mut self) -> Self {
        self.descriptors = Descriptors::Symbolic;
        self
    }

    /// The channel that was asked for.
    pub fn channel(&self) -> Option<u16> {
        self.channel
    }

    /// As a value inside another composite.
    pub fn v(self) -> V {
        V::described(self.perf.code, V::List(self.perf.fields))
    }

    /// As a frame; SASL bodies get the SASL frame type.
    pub fn frame(&self, default_channel: u16) -> Frame {
        let sasl = (0x40..=0x44).contains(&self.perf.code);
        let on_zero = matches!(self.perf.code, 0x10 | 0x18) || sasl;
        Frame {
            kind: u8::from(sasl),
            channel: self
                .channel
                .unwrap_or(if on_zero { 0 } else { default_channel }),
            extended: self.extended.clone(),
            perf: Some(self.perf.clone()),
            payload: self.payload.clone(),
        }
    }

    /// The octets of the frame.
    pub fn octets(&self, default_channel: u16) -> Vec<u8> {
        self.octets_with(default_channel, |_| ())
    }

    /// The octets of the frame after a last change.
    pub fn octets_with(&self, default_channel: u16, change: impl FnOnce(&mut Frame)) -> Vec<u8> {
        let mut frame = self.frame(default_channel);
        change(&mut frame);
        frame.encode_with(self.form, self.descriptors)
    }

    /// The delivery range of a disposition, both ends given.
    pub fn range(self, first: u32, last: u32) -> Self {
        self.first(first).last(last)
    }

    /// The state `accepted`.
    pub fn accepted(self) -> Self {
        self.state(accepted().v())
    }
}

/// Calls a macro with every field that has a method: method, name in the specification, argument type, value made of it.
macro_rules! for_each_field {
    ($then:ident) => {
        $then! {
            container_id "container-id" (s: &str) V::str(s);
            hostname "hostname" (s: &str) V::str(s);
            name "name" (s: &str) V::str(s);
            address "address" (s: &str) V::str(s);
            description "description" (s: &str) V::str(s);
            mechanism "mechanism" (s: &str) V::sym(s);
            distribution_mode "distribution-mode" (s: &str) V::sym(s);
            expiry_policy "expiry-policy" (s: &str) V::sym(s);
            offered_capabilities "offered-capabilities" (s: &[&str]) V::symbols(s);
            desired_capabilities "desired-capabilities" (s: &[&str]) V::symbols(s);
            capabilities "capabilities" (s: &[&str]) V::symbols(s);
            outcomes "outcomes" (s: &[&str]) V::symbols(s);
            sasl_server_mechanisms "sasl-server-mechanisms" (s: &[&str]) V::symbols(s);
            max_frame_size "max-frame-size" (n: u32) V::Uint(n);
            idle_time_out "idle-time-out" (n: u32) V::Uint(n);
            next_incoming_id "next-incoming-id" (n: u32) V::Uint(n);
            next_outgoing_id "next-outgoing-id" (n: u32) V::Uint(n);
            incoming_window "incoming-window" (n: u32) V::Uint(n);
            outgoing_window "outgoing-window" (n: u32) V::Uint(n);
            handle_max "handle-max" (n: u32) V::Uint(n);
            handle "handle" (n: u32) V::Uint(n);
            initial_delivery_count "initial-delivery-count" (n: u32) V::Uint(n);
            delivery_count "delivery-count" (n: u32) V::Uint(n);
            link_credit "link-credit" (n: u32) V::Uint(n);
            available "available" (n: u32) V::Uint(n);
            delivery_id "delivery-id" (n: u32) V::Uint(n);
            message_format "message-format" (n: u32) V::Uint(n);
            first "first" (n: u32) V::Uint(n);
            last "last" (n: u32) V::Uint(n);
            section_number "section-number" (n: u32) V::Uint(n);
            durable "durable" (n: u32) V::Uint(n);
            timeout "timeout" (n: u32) V::Uint(n);
            channel_max "channel-max" (n: u16) V::Ushort(n);
            remote_channel "remote-channel" (n: u16) V::Ushort(n);
            max_message_size "max-message-size" (n: u64) V::Ulong(n);
            section_offset "section-offset" (n: u64) V::Ulong(n);
            snd_settle_mode "snd-settle-mode" (n: u8) V::Ubyte(n);
            rcv_settle_mode "rcv-settle-mode" (n: u8) V::Ubyte(n);
            code "code" (n: u8) V::Ubyte(n);
            role "role" (r: Role) r.value();
            incomplete_unsettled "incomplete-unsettled" (b: bool) V::Bool(b);
            drain "drain" (b: bool) V::Bool(b);
            echo "echo" (b: bool) V::Bool(b);
            settled "settled" (b: bool) V::Bool(b);
            more "more" (b: bool) V::Bool(b);
            resume "resume" (b: bool) V::Bool(b);
            aborted "aborted" (b: bool) V::Bool(b);
            batchable "batchable" (b: bool) V::Bool(b);
            closed "closed" (b: bool) V::Bool(b);
            dynamic "dynamic" (b: bool) V::Bool(b);
            delivery_failed "delivery-failed" (b: bool) V::Bool(b);
            undeliverable_here "undeliverable-here" (b: bool) V::Bool(b);
            delivery_tag "delivery-tag" (b: &[u8]) V::bin(b);
            initial_response "initial-response" (b: &[u8]) V::bin(b);
            challenge "challenge" (b: &[u8]) V::bin(b);
            response "response" (b: &[u8]) V::bin(b);
            additional_data "additional-data" (b: &[u8]) V::bin(b);
            source "source" (v: V) v;
            target "target" (v: V) v;
            state "state" (v: V) v;
            error "error" (v: V) v;
            default_outcome "default-outcome" (v: V) v;
            properties "properties" (v: V) v;
            unsettled "unsettled" (v: V) v;
            filter "filter" (v: V) v;
        }
    };
}
pub(crate) use for_each_field;

macro_rules! setters {
    ($($method:ident $name:literal ($arg:ident: $ty:ty) $value:expr;)*) => {
        impl Build {
            $(
                #[doc = concat!("Sets `", $name, "`.")]
                pub fn $method(self, $arg: $ty) -> Self {
                    self.set($name, $value)
                }
            )*
        }
    };
}
for_each_field!(setters);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_not_named_stay_null() {
        let octets = transfer().handle(1).more(true).payload(b"x").octets(2);
        let body = [
            0x00, 0x53, 0x14, 0xc0, 8, 6, 0x52, 1, 0x40, 0x40, 0x40, 0x40, 0x41, b'x',
        ];
        assert_eq!(octets, [&[0, 0, 0, 22, 2, 0, 0, 2][..], &body].concat());
    }

    #[test]
    fn sasl_bodies_travel_in_sasl_frames_on_channel_zero() {
        let frame = sasl_outcome().code(0).frame(7);
        assert_eq!((frame.kind, frame.channel), (1, 0));
    }

    #[test]
    #[should_panic(expected = "close has no field handle")]
    fn a_field_that_the_type_has_not_is_a_mistake_in_the_test() {
        let _ = close().handle(1);
    }
}
