//! One message that is too large to be held: sent while it is made, received while it comes, in a process whose memory is
//! measured.

use std::{env, fs, process::Command};

use bytes::Bytes;
use ferrion_engine::{DeliveryId, LinkId, SendOptions, SessionConfig};

use super::{Conversation, pattern};

/// Set in the process that is measured.
const MEASURED: &str = "FERRION_TEST_MEASURED";
/// The words before the number that such a process prints.
const PEAK: &str = "peak memory in KiB:";
/// The octets 0 to 250, over and over, in one piece of it: a multiple of 251.
const PIECE: usize = 251 << 10;
/// Octets that wait in the engine before no more are made.
const AHEAD: usize = 1 << 20;
/// The descriptor of a data section (3.2.6), and the constructor of binary with a size of four octets.
const DATA: [u8; 4] = [0x00, 0x53, 0x75, 0xb0];

/// Does something in a process of its own, which runs nothing but the test that calls this: the most memory that it had
/// resident, in octets. `test` is the path of that test within its program.
///
/// # Panics
///
/// When it fails there.
pub fn peak_memory(test: &str, what: impl FnOnce()) -> u64 {
    if env::var_os(MEASURED).is_some() {
        what();
        // The high-water mark is of this process alone, as it ends here.
        let status = fs::read_to_string("/proc/self/status").expect("Linux");
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next())
            .expect("a high-water mark");
        println!("\n{PEAK} {peak}");
        std::process::exit(0);
    }
    let program = env::current_exe().expect("a program");
    let output = Command::new(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(MEASURED, "1")
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stdout);
    let peak: Option<u64> = said
        .lines()
        .find_map(|line| line.strip_prefix(PEAK)?.trim().parse().ok());
    let Some(peak) = peak else {
        panic!(
            "{}: {said}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
    };
    peak << 10
}

/// How a session is begun that holds little of what comes.
#[must_use]
pub fn narrow() -> SessionConfig {
    SessionConfig {
        incoming_window: 64,
        incoming_octets: 1 << 20,
        ..SessionConfig::default()
    }
}

/// Sends a message whose body has so many octets, in pieces, as fast as the peer takes them.
///
/// # Panics
///
/// When the peer takes it for too large, or ends the link.
pub fn send_large(talk: &mut Conversation, link: LinkId, size: u32) -> DeliveryId {
    let tag = talk.tag();
    let delivery = talk.until("credit", |engine| {
        let mut sender = engine.sender(link).expect("a sender");
        (sender.credit() > 0).then(|| {
            sender
                .stream(&tag, &SendOptions::default())
                .expect("a delivery")
        })
    });
    let head = [&DATA[..], &size.to_be_bytes()].concat();
    write(talk, link, delivery, Bytes::from(head));
    let piece = Bytes::from(pattern(PIECE));
    let mut rest = size as usize;
    while rest > 0 {
        let next = piece.slice(..rest.min(PIECE));
        rest -= next.len();
        write(talk, link, delivery, next);
        talk.until("room", |engine| {
            let sender = engine.sender(link).expect("a sender");
            (sender.queued_octets() < AHEAD).then_some(())
        });
    }
    let mut sender = talk.engine().sender(link).expect("a sender");
    sender.finish(delivery).expect("a delivery");
    delivery
}

/// Grants credit for one message, which [`send_large`] made, and reads it while it comes: the sections before its body are
/// passed over, every octet of the body is compared.
///
/// # Panics
///
/// When it is another message.
pub fn receive_large(talk: &mut Conversation, link: LinkId, size: u32) -> DeliveryId {
    let mut receiver = talk.engine().receiver(link).expect("a receiver");
    receiver.set_streaming(true);
    talk.grant(link, 1);
    let mut check = Check::default();
    loop {
        let delivery = talk.until("more of a message", |engine| {
            let mut receiver = engine.receiver(link).expect("a receiver");
            let mut came = false;
            if let Some(payload) = receiver.read_partial() {
                payload.chunks().for_each(|chunk| check.read(chunk));
                came = !payload.is_empty();
            }
            match receiver.next_delivery() {
                Some(delivery) => Some(Some(delivery)),
                None => came.then_some(None),
            }
        });
        if let Some(delivery) = delivery {
            delivery
                .payload
                .chunks()
                .for_each(|chunk| check.read(chunk));
            assert_eq!(check.octets, size as usize, "the body is whole");
            return delivery.id.expect("a delivery that is not settled");
        }
    }
}

fn write(talk: &mut Conversation, link: LinkId, delivery: DeliveryId, octets: Bytes) {
    let mut sender = talk.engine().sender(link).expect("a sender");
    sender
        .write(delivery, octets)
        .expect("a delivery that is written");
}

/// Finds the body of a message that comes in pieces, and compares it.
#[derive(Debug, Default)]
struct Check {
    /// What came before the body's first octet.
    head: Vec<u8>,
    in_body: bool,
    octets: usize,
}

impl Check {
    fn read(&mut self, mut octets: &[u8]) {
        let size = DATA.len() + 4;
        while !self.in_body && !octets.is_empty() {
            let (first, rest) = octets.split_at(1);
            self.head.extend_from_slice(first);
            octets = rest;
            let start = self.head.len().checked_sub(size);
            self.in_body = start.is_some_and(|start| self.head[start..].starts_with(&DATA));
        }
        let round: [u8; 251] = std::array::from_fn(|index| u8::try_from(index).unwrap_or(0));
        while !octets.is_empty() {
            let expected = &round[self.octets % round.len()..];
            let count = expected.len().min(octets.len());
            assert_eq!(octets[..count], expected[..count], "at {}", self.octets);
            self.octets += count;
            octets = &octets[count..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_found_behind_other_sections_and_across_pieces() {
        let mut octets = vec![0x00, 0x53, 0x70, 0x45];
        octets.extend_from_slice(&DATA);
        octets.extend_from_slice(&300_u32.to_be_bytes());
        octets.extend(pattern(300));
        let mut check = Check::default();
        octets.chunks(7).for_each(|piece| check.read(piece));
        assert_eq!(check.octets, 300);
    }
}
