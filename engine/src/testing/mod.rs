//! The bodies of the fuzz targets, here so that every build compiles them and ordinary tests replay their corpus.
//!
//! Each takes any octets. What is wrong with the octets is no failure; a panic is.

pub mod composite;
pub mod frames;
pub mod peer;
pub mod sasl;

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{Debug, Display};

use bytes::Bytes;

use crate::codec::{CodecLimits, DecodeError, Encode, decode_value, encode_value};
use crate::message::Message;
use crate::protocol::{Performative, SaslFrame};

/// What a fuzz target runs.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("client_octets", peer::client_octets),
    ("composite", composite::composite),
    ("frames", frames::frames),
    ("message", message),
    ("performative", performative),
    ("sasl_octets", sasl::sasl_octets),
    ("server_octets", peer::server_octets),
    ("value_decode", value_decode),
];

/// Any value that decodes is encoded and decoded to itself.
pub fn value_decode(data: &[u8]) {
    let limits = CodecLimits::default();
    let octets = Bytes::copy_from_slice(data);
    let Ok((value, used)) = decode_value(&octets, &limits) else {
        return;
    };
    assert!(used <= data.len(), "more octets used than there are");
    // A readable form exists for everything.
    assert!(!value.to_string().is_empty());
    let mut out = Vec::new();
    encode_value(&value, &mut out).expect("what was decoded can be encoded");
    let length = out.len();
    let again = decode_value(&Bytes::from(out), &limits).expect("what was encoded can be decoded");
    assert_eq!(again, (value, length));
}

/// Any performative or SASL frame body that decodes is encoded and decoded to itself.
pub fn performative(data: &[u8]) {
    let octets = Bytes::copy_from_slice(data);
    frame_body(&octets, Performative::decode);
    frame_body(&octets, SaslFrame::decode);
}

fn frame_body<T>(octets: &Bytes, decode: fn(&Bytes) -> Result<(T, usize), DecodeError>)
where
    T: Encode + Debug + Display + PartialEq,
{
    let Ok((body, used)) = decode(octets) else {
        return;
    };
    assert!(used <= octets.len(), "more octets used than there are");
    assert!(!body.to_string().is_empty());
    let mut out = Vec::new();
    body.encode(&mut out);
    let length = out.len();
    let again = decode(&Bytes::from(out)).expect("what was encoded can be decoded");
    assert_eq!(again, (body, length));
}

/// A message that decodes is sent on unchanged octet by octet; one whose sections all decode survives being written anew.
pub fn message(data: &[u8]) {
    let octets = Bytes::copy_from_slice(data);
    let Ok(received) = Message::decode(octets.clone()) else {
        // The lenient way may accept it, and then reads it as one with the body null.
        if let Ok(lenient) = Message::decode_lenient(octets) {
            Message::decode(lenient.to_bytes()).expect("an encoded message has a body");
        }
        return;
    };
    assert_eq!(received.to_bytes(), octets);
    let mut copied = Vec::new();
    received.encode(&mut copied);
    assert_eq!(copied, data);

    // Single fields and bodies are read from the octets first, and must be the same once everything is decoded.
    let peeked = peek(&received);
    if received.check().is_err() {
        return;
    }
    assert_eq!(peeked, peek(&received));

    let rebuilt = rebuild(&received).expect("every section was checked");
    let mut out = Vec::new();
    rebuilt
        .try_encode(&mut out)
        .expect("what was decoded can be encoded");
    let again = Message::decode(out).expect("what was encoded can be decoded");
    again.check().expect("what was encoded can be decoded");
    // Debug shows all sections, decoded.
    assert_eq!(format!("{received:?}"), format!("{again:?}"));
    let mut copied = Vec::new();
    again.encode(&mut copied);
    assert_eq!(again.to_bytes(), copied);
}

/// What is read without decoding a whole section.
fn peek(message: &Message) -> impl PartialEq + Debug + use<> {
    let text =
        |found: Result<Option<&str>, DecodeError>| found.map(|text| text.map(ToString::to_string));
    let octets =
        |found: Result<Option<&[u8]>, DecodeError>| found.map(|octets| octets.map(<[u8]>::to_vec));
    let texts = [
        text(message.address()),
        text(message.subject()),
        text(message.reply_to()),
        text(message.content_type()),
        text(message.content_encoding()),
        text(message.group_id()),
        text(message.reply_to_group_id()),
        text(message.body_text()),
    ];
    let rest = (
        message.message_id(),
        octets(message.user_id()),
        message.correlation_id(),
        message.absolute_expiry_time(),
        message.creation_time(),
        message.group_sequence(),
        octets(message.body_octets()),
    );
    (texts, rest)
}

/// The same sections in a message of one's own, so that all of them are encoded.
fn rebuild(received: &Message) -> Result<Message, DecodeError> {
    let mut message = Message::with_body(received.body()?.clone());
    message.set_header(received.header()?.cloned());
    message.set_delivery_annotations(received.delivery_annotations()?.cloned());
    message.set_message_annotations(received.message_annotations()?.cloned());
    message.set_properties(received.properties()?.cloned());
    message.set_application_properties(received.application_properties()?.cloned());
    message.set_footer(received.footer()?.cloned());
    Ok(message)
}
