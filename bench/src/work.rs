//! What every benchmark program shares with its counterpart in C (`bench/proton/work.h`): the options, the message
//! bodies, the checksum that shows both sides did the same work, and the line that reports a run.
//! The two must agree octet for octet; the runner compares the checksums.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};

/// A benchmark that goes wrong reports nothing and says why.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Ends the work with `what` as its error unless `condition` holds.
macro_rules! ensure {
    ($condition:expr, $what:expr) => {
        if !$condition {
            return Err($what.into());
        }
    };
}
pub(crate) use ensure;

/// How much of what to do, given as `--name value`.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Messages that are timed.
    pub(crate) count: u64,
    /// Messages before the clock starts.
    pub(crate) warmup: u64,
    /// Octets of each message's body.
    pub(crate) body: usize,
    /// Large payloads are copied into the engine rather than shared with it; texts are no constants of the program.
    pub(crate) copied: bool,
    /// Senders settle at once; otherwise every delivery is accepted and settled.
    pub(crate) settled: bool,
    /// The last of the warm-up and the last of all are not settled at once, so that their sender sees them arrive.
    pub(crate) confirmed: bool,
    /// Links that are sent on in turn.
    pub(crate) links: u64,
    /// So many deliveries, the first, are never settled.
    pub(crate) held: u64,
    /// The receiver takes large messages as they come.
    pub(crate) streaming: bool,
    /// The receiver's credit window, replenished at half.
    pub(crate) credit: u32,
    /// Messages handed over before output is moved.
    pub(crate) batch: u64,
    /// The Messenger's windows.
    pub(crate) window: u64,
    /// Messages that each Messenger send waits for while more follow.
    pub(crate) advance: u64,
    /// Where the Messenger's receiver listens.
    pub(crate) port: u16,
    /// File of encoded messages.
    pub(crate) corpus: String,
    /// Decode: read every section rather than the routing fields.
    pub(crate) all: bool,
    /// The frame that is heard, by name.
    pub(crate) frame: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            count: 100_000,
            warmup: 10_000,
            body: 100,
            copied: false,
            settled: false,
            confirmed: false,
            links: 1,
            held: 0,
            streaming: false,
            credit: 1000,
            batch: 100,
            window: 2000,
            advance: 50,
            port: 0,
            corpus: String::new(),
            all: false,
            frame: String::new(),
        }
    }
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err("every option takes a value".into());
            };
            match name.as_str() {
                "--count" => options.count = value.parse()?,
                "--warmup" => options.warmup = value.parse()?,
                "--body" => options.body = value.parse()?,
                "--payload" => options.copied = value == "copied",
                "--mode" => {
                    options.settled = matches!(value.as_str(), "settled" | "confirmed");
                    options.confirmed = value == "confirmed";
                }
                "--links" => options.links = value.parse()?,
                "--take" => options.streaming = value == "parts",
                "--held" => options.held = value.parse()?,
                "--credit" => options.credit = value.parse()?,
                "--batch" => options.batch = value.parse()?,
                "--window" => options.window = value.parse()?,
                "--advance" => options.advance = value.parse()?,
                "--port" => options.port = value.parse()?,
                "--corpus" => options.corpus.clone_from(value),
                "--frame" => options.frame.clone_from(value),
                "--read" => options.all = value == "all",
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        ensure!(
            options.body >= 8,
            "a body holds at least its index: 8 octets"
        );
        ensure!(
            !options.confirmed || options.warmup > 0,
            "the end of the warm-up is confirmed by its last message: there is to be one"
        );
        Ok(options)
    }

    /// Everything that is sent: the warm-up and what is timed.
    pub(crate) const fn total(&self) -> u64 {
        self.warmup + self.count
    }

    /// Whether message `number`, counted from one, is sent settled.
    pub(crate) const fn is_settled(&self, number: u64) -> bool {
        self.settled && !(self.confirmed && (number == self.warmup || number == self.total()))
    }

    /// How many of the first `total` messages are to be acknowledged.
    pub(crate) fn acknowledged(&self, total: u64) -> u64 {
        match (self.settled, self.confirmed) {
            (false, _) => total.saturating_sub(self.held),
            (true, false) => 0,
            (true, true) => u64::from(total >= self.warmup) + u64::from(total >= self.total()),
        }
    }
}

/// Distinct message payloads, gone through in turn: one data section each, whose body starts with the index
/// (8 octets, big endian) and goes on with a pattern made from it.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Octets of the section's constructor, before the body.
    pub(crate) overhead: usize,
    /// Length of each payload.
    pub(crate) octets: usize,
    payloads: Vec<Bytes>,
}

impl Ring {
    pub(crate) fn new(body: usize) -> Self {
        let slots = if body > 65_536 { 8 } else { 64 };
        let payloads: Vec<Bytes> = (0..slots).map(|slot| Self::make(slot, body)).collect();
        let overhead = if body < 256 { 5 } else { 8 };
        Self {
            overhead,
            octets: overhead + body,
            payloads,
        }
    }

    /// Payloads until the first one comes again.
    pub(crate) fn len(&self) -> u64 {
        self.payloads.len() as u64
    }

    pub(crate) fn payload(&self, index: u64) -> &Bytes {
        &self.payloads[(index % self.payloads.len() as u64) as usize]
    }

    pub(crate) fn body(&self, index: u64) -> Bytes {
        self.payload(index).slice(self.overhead..)
    }

    fn make(slot: u64, body: usize) -> Bytes {
        let mut payload = BytesMut::with_capacity(body + 8);
        payload.put_slice(&[0x00, 0x53, 0x75]);
        match u8::try_from(body) {
            Ok(short) => payload.put_slice(&[0xa0, short]),
            Err(_) => {
                payload.put_u8(0xb0);
                payload.put_u32(body as u32);
            }
        }
        payload.put_u64(slot);
        // The pattern wraps as the C side's octets do.
        payload.extend((8..body).map(|at| (slot as usize * 31 + at * 7 + (at >> 8)) as u8));
        payload.freeze()
    }
}

/// Folds 64 bits into a checksum.
#[inline]
pub(crate) const fn fold(sum: u64, value: u64) -> u64 {
    (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Folds what a receiver looks at in a payload: its length and its body's first and last eight octets.
#[inline]
pub(crate) fn fold_payload(sum: u64, length: usize, body: &[u8], tail: &[u8]) -> u64 {
    let first = body.first_chunk().copied().map_or(0, u64::from_be_bytes);
    let last = tail.last_chunk().copied().map_or(0, u64::from_be_bytes);
    fold(fold(fold(sum, length as u64), first), last)
}

/// Prints the line that the runner reads.
pub(crate) fn report(count: u64, time: Duration, octets: u64, check: u64) {
    let nanos = time.as_nanos();
    println!(
        "{{\"count\":{count},\"nanos\":{nanos},\"octets\":{octets},\"check\":\"{check:016x}\"}}"
    );
}

/// Starts the clock when the warm-up is over.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
