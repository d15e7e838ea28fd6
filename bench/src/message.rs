//! Encoding and decoding a typical message.

use std::hint::black_box;
use std::io::Write;

use bytes::Bytes;
use ferrion_engine::codec::{Map, Str, Symbol, Timestamp, Value};
use ferrion_engine::message::{Body, Header, Message, MessageId, Properties};

use crate::work::{Clock, Options, Outcome, Ring, ensure, fold, fold_payload, report};

/// Distinct messages gone through in turn.
const RING: u64 = 16;

pub(crate) fn encode(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let text = if options.copied {
        Str::from
    } else {
        Str::from_static
    };
    let messages: Vec<Message> = (0..RING).map(|index| typical(&ring, index, text)).collect();
    let mut buffer = Vec::with_capacity(4096);
    let mut encode = |range: std::ops::Range<u64>| -> u64 {
        let mut octets = 0;
        for index in range {
            buffer.clear();
            messages[(index % RING) as usize].encode(&mut buffer);
            octets += black_box(&buffer).len() as u64;
        }
        octets
    };
    encode(0..options.warmup);
    let clock = Clock::start();
    let octets = encode(options.warmup..options.total());
    report(options.count, clock.elapsed(), octets / options.count, 0);
    Ok(())
}

pub(crate) fn decode(options: &Options) -> Outcome<()> {
    let corpus = Corpus::load(&options.corpus)?;
    let mut message = Message::new();
    let mut decode = |range: std::ops::Range<u64>| -> Outcome<(u64, u64)> {
        let (mut octets, mut check) = (0, 0);
        for index in range {
            let encoded = corpus.message(index);
            message.load(encoded.clone())?;
            check = if options.all {
                read_all(&message, check)?
            } else {
                read_routing(&message, check)?
            };
            octets += encoded.len() as u64;
        }
        Ok((octets, check))
    };
    decode(0..options.warmup)?;
    let clock = Clock::start();
    let (octets, check) = decode(options.warmup..options.total())?;
    report(
        options.count,
        clock.elapsed(),
        octets / options.count,
        check,
    );
    Ok(())
}

/// Writes the typical messages as ferrion encodes them, for either side to decode.
pub(crate) fn corpus(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut file = std::fs::File::create(&options.corpus)?;
    for index in 0..RING {
        let octets = typical(&ring, index, Str::from_static).to_bytes();
        file.write_all(&(octets.len() as u32).to_be_bytes())?;
        file.write_all(&octets)?;
    }
    Ok(())
}

/// The typical message number `index`; `bench/proton/message.c` builds the same. Its texts are constants, or copied as those of
/// programs are that do not know them before they run.
fn typical(ring: &Ring, index: u64, text: fn(&'static str) -> Str) -> Message {
    let mut message = Message::with_body(Body::from(ring.body(index)));
    message.set_header(Some(Header {
        durable: true,
        priority: 7,
        ttl: Some(30_000),
        ..Header::default()
    }));
    message.set_properties(Some(Properties {
        message_id: Some(MessageId::Ulong(1_000_000 + index)),
        user_id: Some(Bytes::from_static(b"bench-user")),
        to: Some(text("amqp://broker.example/queue/orders")),
        subject: Some(text("order.created")),
        reply_to: Some(text("amqp://broker.example/queue/replies")),
        correlation_id: Some(MessageId::String(text("c0ffee-0123456789"))),
        content_type: Some(Symbol::from_static("application/octet-stream")),
        creation_time: Some(Timestamp(1_700_000_000_000 + index as i64)),
        group_id: Some(text("group-7")),
        group_sequence: Some(index as u32),
        ..Properties::default()
    }));
    let mut properties = Map::new();
    properties.insert("region", "eu-central-1");
    properties.insert("attempt", (index % 5) as i32);
    properties.insert("trace", 0x1122_3344_5566_7788 + index);
    message.set_application_properties(Some(properties));
    message
}

fn read_routing(message: &Message, sum: u64) -> Outcome<u64> {
    let sum = fold(sum, u64::from(message.durable()?));
    let sum = fold(sum, message.ttl()?.map_or(0, u64::from));
    let sum = fold_text(sum, message.address()?)?;
    fold_text(sum, message.subject()?)
}

fn read_all(message: &Message, sum: u64) -> Outcome<u64> {
    let mut sum = read_routing(message, sum)?;
    sum = fold(sum, u64::from(message.priority()?));
    sum = fold(sum, u64::from(message.first_acquirer()?));
    sum = fold(sum, u64::from(message.delivery_count()?));

    let Some(MessageId::Ulong(id)) = message.message_id()? else {
        return Err("the message-id is not a number".into());
    };
    sum = fold(sum, id);
    sum = fold_octets(sum, message.user_id()?)?;
    sum = fold_text(sum, message.reply_to()?)?;
    let Some(MessageId::String(correlation)) = message.correlation_id()? else {
        return Err("the correlation-id is not text".into());
    };
    sum = fold_octets(sum, Some(correlation.as_bytes()))?;
    sum = fold_text(sum, message.content_type()?)?;
    sum = fold(
        sum,
        message.creation_time()?.map_or(0, |time| time.0 as u64),
    );
    sum = fold_text(sum, message.group_id()?)?;
    sum = fold(sum, message.group_sequence()?.map_or(0, u64::from));

    let application = message
        .application_properties()?
        .ok_or("no application properties")?;
    ensure!(
        application.len() == 3,
        "there are not three application properties"
    );
    for (key, value) in application.iter() {
        let Value::String(key) = key else {
            return Err("the name of an application property is not text".into());
        };
        sum = fold_octets(sum, Some(key.as_bytes()))?;
        sum = match value {
            Value::String(text) => fold_octets(sum, Some(text.as_bytes()))?,
            Value::Int(number) => fold(sum, u64::from(*number as u32)),
            Value::Ulong(number) => fold(sum, *number),
            _ => return Err("an application property is of an unknown type".into()),
        };
    }

    let body = message.body_octets()?.ok_or("the body is not octets")?;
    Ok(fold_payload(sum, body.len(), body, body))
}

fn fold_text(sum: u64, text: Option<&str>) -> Outcome<u64> {
    let first = text.and_then(|text| text.as_bytes().first());
    Ok(fold(sum, u64::from(*first.ok_or("a text is missing")?)))
}

fn fold_octets(sum: u64, octets: Option<&[u8]>) -> Outcome<u64> {
    let octets = octets.ok_or("octets are missing")?;
    let first = octets.first().ok_or("octets are missing")?;
    Ok(fold(fold(sum, octets.len() as u64), u64::from(*first)))
}

/// Encoded messages, each stored as a 4-octet big-endian length and its octets.
struct Corpus(Vec<Bytes>);

impl Corpus {
    fn load(path: &str) -> Outcome<Self> {
        let mut rest = Bytes::from(std::fs::read(path)?);
        let mut messages = Vec::new();
        while let Some(head) = rest.first_chunk() {
            let end = 4 + u32::from_be_bytes(*head) as usize;
            ensure!(end <= rest.len(), "the corpus is cut short");
            // A buffer of its own each, as a delivery's payload has.
            messages.push(Bytes::copy_from_slice(&rest.split_to(end)[4..]));
        }
        ensure!(!messages.is_empty(), "the corpus is empty");
        Ok(Self(messages))
    }

    fn message(&self, index: u64) -> &Bytes {
        &self.0[(index % self.0.len() as u64) as usize]
    }
}
