//! A proxy that fails on request, at any octet of an AMQP connection.

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
}

/// Where it happens: when so many frames, and then so many octets of the next, have been carried in one direction. A
/// protocol header counts as a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What happens.
    pub fault: Fault,
    /// The direction whose frames are counted.
    pub direction: Direction,
    /// Whole frames carried before.
    pub frames: usize,
    /// Octets carried of the frame after these.
    pub octets: usize,
}

/// A proxy in front of a server on the loopback interface. Every connection through it meets the same fault.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port, and carries what comes there to the server at the port `upstream` and back.
    ///
    /// # Panics
    ///
    /// When there is no port to be had.
    pub fn start(upstream: u16, cut: Option<Cut>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap_or_else(|error| panic!("no port: {error}"));
        let port = listener
            .local_addr()
            .map(|address| address.port())
            .unwrap_or_else(|error| panic!("no port: {error}"));
        let shared = Arc::new(Shared {
            cut,
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
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cuts: usize,
    to_server: Vec<usize>,
    to_client: Vec<usize>,
    /// All sockets that are open, so that dropping the proxy can wake whoever waits for one.
    streams: Vec<Arc<TcpStream>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Carries octets in one direction until the stream ends or the fault happens.
fn pump(pair: &Pair, direction: Direction, shared: &Shared) -> io::Result<End> {
    let (mut from, to) = match direction {
        Direction::ToServer => (&*pair.client, &*pair.server),
        Direction::ToClient => (&*pair.server, &*pair.client),
    };
    let cut = shared.cut.filter(|cut| cut.direction == direction);
    let mut meter = Meter::default();
    let mut buffer = vec![0; 64 * 1024];
    if let Some(cut) = cut.filter(|cut| meter.is_at(cut)) {
        return Ok(make_cut(cut.fault, pair, shared));
    }
    loop {
        let count = from.read(&mut buffer);
        if pair.is_cut() {
            return Ok(End::Cut);
        }
        let count = count?;
        if count == 0 {
            return Ok(End::Stream);
        }
        for (index, octet) in buffer[..count].iter().enumerate() {
            if let Some(size) = meter.count(*octet) {
                let mut state = shared.lock();
                let frames = if direction == Direction::ToServer {
                    &mut state.to_server
                } else {
                    &mut state.to_client
                };
                frames.push(size);
            }
            if let Some(cut) = cut.filter(|cut| meter.is_at(cut)) {
                pair.write(to, &buffer[..=index])?;
                return Ok(make_cut(cut.fault, pair, shared));
            }
        }
        pair.write(to, &buffer[..count])?;
    }
}

fn make_cut(fault: Fault, pair: &Pair, shared: &Shared) -> End {
    *pair.cut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    shared.lock().cuts += 1;
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
        Fault::Stall => {}
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
    frames: usize,
    octets: usize,
    /// The first four octets of a frame, which are its size (2.3.1), or of a protocol header, which has eight octets (2.2).
    start: [u8; 4],
}

impl Meter {
    /// Counts an octet. When it is the last of a frame: that frame's size.
    fn count(&mut self, octet: u8) -> Option<usize> {
        if let Some(place) = self.start.get_mut(self.octets) {
            *place = octet;
        }
        self.octets += 1;
        let size = match self.start {
            _ if self.octets < 4 => return None,
            [b'A', b'M', b'Q', b'P'] => 8,
            size => u32::from_be_bytes(size) as usize,
        };
        if self.octets < size.max(8) {
            return None;
        }
        self.frames += 1;
        self.octets = 0;
        Some(size)
    }

    fn is_at(&self, cut: &Cut) -> bool {
        self.frames == cut.frames && self.octets == cut.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two headers and a frame of ten octets.
    const STREAM: &[u8] =
        b"AMQP\x03\x01\x00\x00AMQP\x00\x01\x00\x00\x00\x00\x00\x0a\x02\x00\x00\x00zz";

    fn exchange(cut: Option<Cut>) -> (Vec<u8>, Option<io::ErrorKind>, Vec<usize>) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap().port(), cut);
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        client.write_all(STREAM).unwrap();
        let mut far = server.accept().unwrap().0;
        let mut got = Vec::new();
        far.set_read_timeout(Some(Duration::from_millis(
            if matches!(
                cut,
                Some(Cut {
                    fault: Fault::Stall,
                    ..
                })
            ) {
                200
            } else {
                10_000
            },
        )))
        .unwrap();
        if cut.is_none() {
            client.shutdown(Shutdown::Write).unwrap();
        }
        let error = far.read_to_end(&mut got).err().map(|error| error.kind());
        (got, error, proxy.frames(Direction::ToServer))
    }

    fn cut(fault: Fault, frames: usize, octets: usize) -> Option<Cut> {
        Some(Cut {
            fault,
            direction: Direction::ToServer,
            frames,
            octets,
        })
    }

    #[test]
    fn carries_everything_when_asked_for_nothing() {
        assert_eq!(exchange(None), (STREAM.to_vec(), None, vec![8, 8, 10]));
    }

    #[test]
    fn closes_at_the_octet() {
        assert_eq!(
            exchange(cut(Fault::Close, 1, 0)),
            (STREAM[..8].to_vec(), None, vec![8])
        );
        assert_eq!(
            exchange(cut(Fault::Close, 2, 7)),
            (STREAM[..23].to_vec(), None, vec![8, 8])
        );
    }

    #[test]
    fn resets() {
        assert_eq!(
            exchange(cut(Fault::Reset, 2, 1)).1,
            Some(io::ErrorKind::ConnectionReset)
        );
    }

    #[test]
    fn stalls() {
        let (got, error, _) = exchange(cut(Fault::Stall, 0, 3));
        assert_eq!(
            (&got[..], error),
            (&STREAM[..3], Some(io::ErrorKind::WouldBlock))
        );
    }
}
