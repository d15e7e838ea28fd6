//! A proxy that fails on request, at any frame or octet of an AMQP connection, whatever it is wrapped in.

use socket2::SockRef;
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Which way octets flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the one that connected.
    ToServer,
    /// From the one that was connected to.
    ToClient,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both ends see an orderly end of the stream.
    Close,
    /// Both ends see a reset.
    Reset,
    /// Nothing is carried any more, but nothing is closed either.
    Stall,
    /// One end sees an orderly end of the stream; what it says itself is still carried.
    HalfClose,
    /// What follows in this direction comes so much later.
    Delay(Duration),
    /// So many octets that follow in this direction come one by one.
    Split(usize),
}

impl Fault {
    /// Whether the connection can live on.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Delay(_) | Self::Split(_))
    }
}

/// When it happens: at the end of what has been carried in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many whole frames, and so many octets of the frame after these. A protocol header counts as a frame.
    Frame(usize, usize),
    /// So many octets, whatever they are.
    Octet(usize),
}

/// What happens, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What happens.
    pub fault: Fault,
    /// The direction in which is counted.
    pub direction: Direction,
    /// Where it happens.
    pub place: Place,
}

/// Which connections meet the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victims {
    All,
    First,
}

/// A proxy in front of a server on the loopback interface.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port, and carries what comes there to the server at the port `upstream` and back. Every
    /// connection meets the same fault.
    ///
    /// # Panics
    ///
    /// When there is no port to be had.
    pub fn start(upstream: u16, cut: Option<Cut>) -> Self {
        Self::listen(upstream, cut, Victims::All)
    }

    /// As [`start`](Self::start), but only the first connection that comes so far meets the fault.
    ///
    /// # Panics
    ///
    /// When there is no port to be had.
    pub fn once(upstream: u16, cut: Cut) -> Self {
        Self::listen(upstream, Some(cut), Victims::First)
    }

    fn listen(upstream: u16, cut: Option<Cut>, victims: Victims) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap_or_else(|error| panic!("no port: {error}"));
        let port = listener
            .local_addr()
            .map(|address| address.port())
            .unwrap_or_else(|error| panic!("no port: {error}"));
        let shared = Arc::new(Shared {
            cut,
            victims,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, upstream, &shared)
        });
        Self {
            port,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The sizes, in octets, of the frames that have been carried whole in this direction, the first connection's first.
    pub fn frames(&self, direction: Direction) -> Vec<usize> {
        let state = self.shared.lock();
        match direction {
            Direction::ToServer => state.to_server.clone(),
            Direction::ToClient => state.to_client.clone(),
        }
    }

    /// How many octets have been carried in this direction, by all connections together.
    pub fn octets(&self, direction: Direction) -> usize {
        let state = self.shared.lock();
        match direction {
            Direction::ToServer => state.octets_to_server,
            Direction::ToClient => state.octets_to_client,
        }
    }

    /// Whether the fault has happened.
    pub fn has_cut(&self) -> bool {
        self.shared.lock().cuts > 0
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the acceptor up, which then sees that it is over.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        for stream in self.shared.lock().streams.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

#[derive(Debug)]
struct Shared {
    cut: Option<Cut>,
    victims: Victims,
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cuts: usize,
    to_server: Vec<usize>,
    to_client: Vec<usize>,
    octets_to_server: usize,
    octets_to_client: usize,
    /// All sockets that are open, so that dropping the proxy can wake whoever waits for one.
    streams: Vec<Arc<TcpStream>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection that has come to the place meets the fault; from then on it has happened.
    fn strikes(&self) -> bool {
        let mut state = self.lock();
        let strikes = self.victims == Victims::All || state.cuts == 0;
        state.cuts += usize::from(strikes);
        strikes
    }
}

impl State {
    fn carried(&mut self, direction: Direction, octets: usize, frames: &[usize]) {
        let (total, sizes) = match direction {
            Direction::ToServer => (&mut self.octets_to_server, &mut self.to_server),
            Direction::ToClient => (&mut self.octets_to_client, &mut self.to_client),
        };
        *total += octets;
        sizes.extend_from_slice(frames);
    }
}

/// The two sockets of one connection.
struct Pair {
    client: Arc<TcpStream>,
    server: Arc<TcpStream>,
    /// Set when the fault has happened: nothing is carried after it, in either direction.
    cut: Mutex<bool>,
}

fn accept(listener: &TcpListener, upstream: u16, shared: &Arc<Shared>) {
    let mut pumps = Vec::new();
    for client in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            break;
        }
        let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, upstream)));
        let (Ok(client), Ok(server)) = (client, server) else {
            continue;
        };
        // What is cut has to be exactly what was written.
        drop(client.set_nodelay(true));
        drop(server.set_nodelay(true));
        let pair = Arc::new(Pair {
            client: Arc::new(client),
            server: Arc::new(server),
            cut: Mutex::new(false),
        });
        shared
            .lock()
            .streams
            .extend([Arc::clone(&pair.client), Arc::clone(&pair.server)]);
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (pair, shared) = (Arc::clone(&pair), Arc::clone(shared));
            pumps.push(thread::spawn(move || {
                match pump(&pair, direction, &shared) {
                    Ok(End::Stream) => {
                        let to = if direction == Direction::ToServer {
                            &pair.server
                        } else {
                            &pair.client
                        };
                        drop(to.shutdown(Shutdown::Write));
                    }
                    Ok(End::Cut) => {}
                    Err(_) => pair.shut(Shutdown::Both),
                }
            }));
        }
        pumps.retain(|pump| !pump.is_finished());
    }
    for pump in pumps {
        drop(pump.join());
    }
}

/// Why nothing more is carried in a direction.
enum End {
    Stream,
    Cut,
}

/// Carries octets in one direction until the stream ends or a fault ends it.
fn pump(pair: &Pair, direction: Direction, shared: &Shared) -> io::Result<End> {
    let (mut from, to) = match direction {
        Direction::ToServer => (&*pair.client, &*pair.server),
        Direction::ToClient => (&*pair.server, &*pair.client),
    };
    let mut cut = shared.cut.filter(|cut| cut.direction == direction);
    let mut meter = Meter::default();
    let mut buffer = vec![0; 64 * 1024];
    // Octets that are written one by one.
    let mut single = 0;
    let mut filled = 0..0;
    loop {
        if let Some(met) = cut.filter(|cut| meter.is_at(cut.place)) {
            cut = None;
            if shared.strikes() {
                match met.fault {
                    Fault::Delay(time) => thread::sleep(time),
                    Fault::Split(count) => single = count,
                    Fault::HalfClose => {
                        drop(to.shutdown(Shutdown::Write));
                        // Who goes on talking is not held up.
                        while from.read(&mut buffer)? > 0 {}
                        return Ok(End::Cut);
                    }
                    fault => return Ok(make_cut(fault, pair, shared)),
                }
            }
        }
        if filled.is_empty() {
            let count = from.read(&mut buffer);
            if pair.is_cut() {
                return Ok(End::Cut);
            }
            filled = 0..count?;
            if filled.is_empty() {
                return Ok(End::Stream);
            }
        }
        let mut sizes = Vec::new();
        let octets = &buffer[filled.clone()];
        let place = cut.map(|cut| cut.place);
        let mut counted = 0;
        while counted < octets.len() {
            let (count, size) = meter.count(&octets[counted..], place);
            counted += count;
            sizes.extend(size);
            if place.is_some_and(|place| meter.is_at(place)) {
                break;
            }
        }
        let octets = &octets[..counted];
        filled.start += octets.len();
        shared.lock().carried(direction, octets.len(), &sizes);
        let (ones, rest) = octets.split_at(single.min(octets.len()));
        single -= ones.len();
        for octet in ones.chunks(1) {
            pair.write(to, octet)?;
        }
        pair.write(to, rest)?;
    }
}

/// Does what ends both directions.
fn make_cut(fault: Fault, pair: &Pair, shared: &Shared) -> End {
    *pair.cut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    match fault {
        Fault::Close => pair.shut(Shutdown::Both),
        Fault::Reset => {
            // A socket that is closed without lingering resets its connection. Both pumps have to let go of it first: the
            // end of reading, which the peer does not see, wakes the other one up.
            for stream in [&pair.client, &pair.server] {
                drop(SockRef::from(&**stream).set_linger(Some(Duration::ZERO)));
            }
            pair.shut(Shutdown::Read);
            let ours = |stream: &Arc<TcpStream>| {
                Arc::ptr_eq(stream, &pair.client) || Arc::ptr_eq(stream, &pair.server)
            };
            shared.lock().streams.retain(|stream| !ours(stream));
        }
        Fault::Stall | Fault::HalfClose | Fault::Delay(_) | Fault::Split(_) => {}
    }
    End::Cut
}

impl Pair {
    fn is_cut(&self) -> bool {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, unless the fault has happened in the other direction.
    fn write(&self, mut to: &TcpStream, octets: &[u8]) -> io::Result<()> {
        let cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        if *cut { Ok(()) } else { to.write_all(octets) }
    }

    fn shut(&self, how: Shutdown) {
        for stream in [&self.client, &self.server] {
            drop(stream.shutdown(how));
        }
    }
}

/// Finds the ends of frames in a stream of octets.
#[derive(Debug, Default)]
struct Meter {
    total: usize,
    frames: usize,
    octets: usize,
    /// The first four octets of a frame, which are its size (2.3.1), or of a protocol header, which has eight octets (2.2).
    start: [u8; 4],
}

impl Meter {
    /// Counts octets up to the first at which something is to be seen, and tells how many they are: the last of a frame, the last
    /// that tells its size, the last before `place`, or the last that there is. With the frame's size, when they end one.
    fn count(&mut self, octets: &[u8], place: Option<Place>) -> (usize, Option<usize>) {
        let size = match self.start {
            _ if self.octets < 4 => 4,
            [b'A', b'M', b'Q', b'P'] => 8,
            size => (u32::from_be_bytes(size) as usize).max(8),
        };
        let before_place = match place {
            Some(Place::Frame(frames, octets)) if frames == self.frames => {
                octets.checked_sub(self.octets)
            }
            Some(Place::Octet(octets)) => octets.checked_sub(self.total),
            Some(Place::Frame(..)) | None => None,
        };
        let count = [Some(size - self.octets), before_place]
            .into_iter()
            .flatten()
            .filter(|count| *count > 0)
            .fold(octets.len(), usize::min);
        for (place, octet) in self
            .start
            .iter_mut()
            .skip(self.octets)
            .zip(&octets[..count])
        {
            *place = *octet;
        }
        self.octets += count;
        self.total += count;
        if self.octets < size || size == 4 {
            return (count, None);
        }
        self.frames += 1;
        self.octets = 0;
        (count, Some(size))
    }

    fn is_at(&self, place: Place) -> bool {
        match place {
            Place::Frame(frames, octets) => self.frames == frames && self.octets == octets,
            Place::Octet(octets) => self.total == octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two headers and a frame of ten octets.
    const STREAM: &[u8] =
        b"AMQP\x03\x01\x00\x00AMQP\x00\x01\x00\x00\x00\x00\x00\x0a\x02\x00\x00\x00zz";

    /// What the server gets of it, how that ends, and the sizes of the frames that were carried.
    fn exchange(cut: Option<Cut>) -> (Vec<u8>, Option<io::ErrorKind>, Vec<usize>) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap().port(), cut);
        let (got, error) = pass(&proxy, &server, cut.map(|cut| cut.fault));
        (got, error, proxy.frames(Direction::ToServer))
    }

    fn pass(
        proxy: &Proxy,
        server: &TcpListener,
        fault: Option<Fault>,
    ) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        client.write_all(STREAM).unwrap();
        let mut far = server.accept().unwrap().0;
        let patience = if fault == Some(Fault::Stall) {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(10)
        };
        far.set_read_timeout(Some(patience)).unwrap();
        if fault.is_none_or(Fault::is_harmless) {
            client.shutdown(Shutdown::Write).unwrap();
        }
        let mut got = Vec::new();
        let error = far.read_to_end(&mut got).err().map(|error| error.kind());
        if fault == Some(Fault::HalfClose) {
            // The other direction lives on.
            far.write_all(b"answer").unwrap();
            let mut answer = [0; 6];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"answer");
        }
        (got, error)
    }

    fn cut(fault: Fault, place: Place) -> Option<Cut> {
        Some(Cut {
            fault,
            direction: Direction::ToServer,
            place,
        })
    }

    #[test]
    fn carries_everything_when_asked_for_nothing() {
        assert_eq!(exchange(None), (STREAM.to_vec(), None, vec![8, 8, 10]));
    }

    #[test]
    fn closes_at_the_octet() {
        assert_eq!(
            exchange(cut(Fault::Close, Place::Frame(1, 0))),
            (STREAM[..8].to_vec(), None, vec![8])
        );
        assert_eq!(
            exchange(cut(Fault::Close, Place::Frame(2, 7))),
            (STREAM[..23].to_vec(), None, vec![8, 8])
        );
        for octets in 0..STREAM.len() {
            let got = exchange(cut(Fault::Close, Place::Octet(octets))).0;
            assert_eq!(got, STREAM[..octets]);
        }
    }

    #[test]
    fn closes_one_direction_and_carries_the_other() {
        assert_eq!(
            exchange(cut(Fault::HalfClose, Place::Frame(2, 3))),
            (STREAM[..19].to_vec(), None, vec![8, 8])
        );
    }

    #[test]
    fn resets() {
        assert_eq!(
            exchange(cut(Fault::Reset, Place::Frame(2, 1))).1,
            Some(io::ErrorKind::ConnectionReset)
        );
    }

    #[test]
    fn stalls() {
        let (got, error, _) = exchange(cut(Fault::Stall, Place::Octet(3)));
        assert_eq!(
            (&got[..], error),
            (&STREAM[..3], Some(io::ErrorKind::WouldBlock))
        );
    }

    #[test]
    fn delays_and_splits_lose_nothing() {
        let pause = Duration::from_millis(50);
        for fault in [Fault::Delay(pause), Fault::Split(12)] {
            let all = (STREAM.to_vec(), None, vec![8, 8, 10]);
            assert_eq!(exchange(cut(fault, Place::Frame(1, 2))), all, "{fault:?}");
        }
    }

    #[test]
    fn strikes_once_if_told_so() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let cut = cut(Fault::Close, Place::Octet(5)).unwrap();
        let proxy = Proxy::once(server.local_addr().unwrap().port(), cut);
        assert!(!proxy.has_cut());
        let first = pass(&proxy, &server, Some(Fault::Close)).0;
        assert!(proxy.has_cut());
        let second = pass(&proxy, &server, None).0;
        assert_eq!((&first[..], &second[..]), (&STREAM[..5], STREAM));
        assert_eq!(proxy.octets(Direction::ToServer), 5 + STREAM.len());
    }
}
