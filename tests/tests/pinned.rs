//! What deliveries that wait keep alive of the buffers that they were read into.

use allocation_counter::measure;
use bytes::Buf;
use ferrion_engine::{
    Config, Delivery, Engine, Event, LinkConfig, LinkId, SendPayload, SessionConfig, Time,
};

const NOW: Time = Time(0);
/// What a program has room for when it reads, however little comes.
const ROOM: usize = 64 << 10;
const DELIVERIES: u32 = 400;

/// A client with a link to a server, whose program asks for much room for each read.
struct Pair {
    client: Engine,
    server: Engine,
    sender: LinkId,
    receiver: LinkId,
}

impl Pair {
    fn new() -> Self {
        let mut client = Engine::client(Config::new("client"));
        let mut server = Engine::server(Config::new("server"));
        client.connection().open().unwrap();
        let session = client.connection().begin(SessionConfig::default()).unwrap();
        let sender = client
            .session(session)
            .unwrap()
            .attach_sender(LinkConfig::sender("link", "queue"))
            .unwrap();
        let mut receiver = None;
        while carry(&mut client, &mut server) | carry(&mut server, &mut client) {
            while let Some(event) = server.poll_event() {
                match event {
                    Event::RemoteOpen => server.connection().open().unwrap(),
                    Event::SessionBegun(id) => {
                        let mut session = server.session(id).unwrap();
                        session.accept(SessionConfig::default()).unwrap();
                    }
                    Event::LinkAttached(id) => {
                        server.link(id).unwrap().accept().unwrap();
                        let mut link = server.receiver(id).unwrap();
                        link.set_credit(DELIVERIES).unwrap();
                        receiver = Some(id);
                    }
                    _ => {}
                }
            }
        }
        Self {
            client,
            server,
            sender,
            receiver: receiver.expect("a link"),
        }
    }

    /// Sends a message, which comes in a read of its own.
    fn send(&mut self, number: u32, payload: &[u8]) {
        let mut sender = self.client.sender(self.sender).unwrap();
        let payload: SendPayload<'_> = payload.into();
        if number.is_multiple_of(3) {
            sender.send_settled(&tag(number), payload).unwrap();
        } else {
            sender.send(&tag(number), payload).unwrap();
        }
        assert!(carry(&mut self.client, &mut self.server));
    }

    fn take(&mut self) -> Option<Delivery> {
        let mut receiver = self.server.receiver(self.receiver).unwrap();
        receiver.next_delivery()
    }
}

/// Tags of all lengths, each unlike the others.
fn tag(number: u32) -> Vec<u8> {
    let mut tag = vec![b'-'; (4 + number % 29) as usize];
    tag[..4].copy_from_slice(&number.to_be_bytes());
    tag
}

fn carry(from: &mut Engine, to: &mut Engine) -> bool {
    let mut output = from.transmit(NOW);
    let mut moved = false;
    while output.has_remaining() {
        let piece = output.chunk();
        let length = piece.len();
        to.recv_buffer(ROOM).extend_from_slice(piece);
        to.recv_filled(NOW);
        output.advance(length);
        moved = true;
    }
    moved
}

#[test]
fn deliveries_that_wait_do_not_each_keep_the_buffer_they_were_read_into() {
    let mut pair = Pair::new();
    let kept = measure(|| {
        for number in 0..DELIVERIES {
            pair.send(number, &number.to_be_bytes());
        }
    });
    // Beside what both ends remember of each, the buffer of the first and the one to be read into.
    let most = u64::from(DELIVERIES) * 1024 + 4 * ROOM as u64;
    let kept = kept.bytes_current;
    assert!(kept < most as i64, "{kept} octets");
    for number in 0..DELIVERIES {
        let delivery = pair.take().expect("a delivery");
        assert_eq!(delivery.tag.as_bytes(), tag(number));
        assert_eq!(delivery.id.is_none(), number.is_multiple_of(3));
        assert_eq!(delivery.payload.into_bytes(), number.to_be_bytes()[..]);
    }
    assert_eq!(pair.take(), None);
}

#[test]
fn a_delivery_that_is_taken_at_once_is_a_piece_of_what_was_read() {
    let mut pair = Pair::new();
    for number in 0..10 {
        pair.send(number, &[7; 100]);
        let allocated = measure(|| {
            let delivery = pair.take().expect("a delivery");
            assert_eq!(delivery.payload.into_bytes(), [7; 100][..]);
        });
        assert_eq!(allocated.count_total, 0);
    }
}
