//! A peer made of engines, which a test scripts: it does what is usual, unless the script does something else.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::Role;
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, SessionConfig, Time};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Whether the script has dealt with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dealt {
    Done,
    /// Do what is usual.
    Usual,
    /// Cut the connection.
    Cut,
}

type Script = Arc<Mutex<dyn FnMut(usize, &mut Engine, Event) -> Dealt + Send>>;

/// Serves connections until it is dropped, a thread for each.
pub(crate) struct Broker {
    pub(crate) port: u16,
    pub(crate) address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl Broker {
    /// The script sees every event before anything is done about it, with the number of the connection.
    pub(crate) fn start(
        script: impl FnMut(usize, &mut Engine, Event) -> Dealt + Send + 'static,
    ) -> Self {
        Self::with_config(|_| {}, script)
    }

    /// As [`start`](Self::start), and changes what its engines are made with.
    pub(crate) fn with_config(
        change: impl Fn(&mut Config) + Send + 'static,
        script: impl FnMut(usize, &mut Engine, Event) -> Dealt + Send + 'static,
    ) -> Self {
        Self::with(None, change, script)
    }

    /// As [`start`](Self::start), over TLS.
    pub(crate) fn over_tls(
        tls: Arc<ServerConfig>,
        script: impl FnMut(usize, &mut Engine, Event) -> Dealt + Send + 'static,
    ) -> Self {
        Self::with(Some(tls), |_| {}, script)
    }

    /// Ends, and answers whom each guest that came over TLS asked for.
    pub(crate) fn server_names(self) -> Vec<Option<String>> {
        let names = Arc::clone(&self.names);
        drop(self);
        let names = names.lock().unwrap();
        names.clone()
    }

    fn with(
        tls: Option<Arc<ServerConfig>>,
        change: impl Fn(&mut Config) + Send + 'static,
        script: impl FnMut(usize, &mut Engine, Event) -> Dealt + Send + 'static,
    ) -> Self {
        let script: Script = Arc::new(Mutex::new(script));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let names = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&names);
        let scheme = if tls.is_some() { "amqps" } else { "amqp" };
        let thread = std::thread::spawn(move || {
            let mut guests = Vec::new();
            for number in 0.. {
                let (stream, _) = listener.accept().unwrap();
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let script = Arc::clone(&script);
                let handle = stream.try_clone().unwrap();
                let cut = stream.try_clone().unwrap();
                let mut config = Config::new("broker");
                let mechanisms = [Mechanism::Anonymous, Mechanism::Plain];
                config.sasl = SaslConfig::Server(SaslServer::new(mechanisms));
                change(&mut config);
                let engine = Engine::server(config);
                let tls = tls.clone();
                let asked = Arc::clone(&asked);
                let thread = std::thread::spawn(move || {
                    match tls {
                        None => Guest { stream, engine }.serve(number, &script),
                        Some(tls) => {
                            let stream = secured(stream, tls, &asked);
                            Guest { stream, engine }.serve(number, &script);
                        }
                    }
                    let _ = cut.shutdown(Shutdown::Both);
                });
                guests.push((handle, thread));
            }
            for (stream, thread) in guests {
                let _ = stream.shutdown(Shutdown::Both);
                thread.join().unwrap();
            }
        });
        Self {
            port,
            address: format!("{scheme}://127.0.0.1:{port}"),
            stop,
            thread: Some(thread),
            names,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The thread waits for somebody to come.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the script failed"
            );
        }
    }
}

/// Shakes hands as far as the guest does, and notes whom it asked for.
fn secured(
    mut stream: TcpStream,
    tls: Arc<ServerConfig>,
    asked: &Mutex<Vec<Option<String>>>,
) -> StreamOwned<ServerConnection, TcpStream> {
    let mut tls = ServerConnection::new(tls).unwrap();
    // A guest that leaves in the middle is noticed by who reads next.
    let _ = tls.complete_io(&mut stream);
    let name = tls.server_name().map(ToString::to_string);
    asked.lock().unwrap().push(name);
    StreamOwned::new(tls, stream)
}

struct Guest<S> {
    stream: S,
    engine: Engine,
}

impl<S: Read + Write> Guest<S> {
    /// Until the guest leaves, or the script throws it out.
    fn serve(&mut self, number: usize, script: &Script) {
        let mut buffer = [0; 16_384];
        // The beginning of a frame waits there for its end.
        let mut input = BytesMut::new();
        while let Ok(count) = self.stream.read(&mut buffer)
            && count > 0
        {
            input.extend_from_slice(&buffer[..count]);
            self.engine.recv(Time(0), &mut input);
            while let Some(event) = self.engine.poll_event() {
                let dealt = (script.lock().unwrap())(number, &mut self.engine, event);
                match dealt {
                    Dealt::Done => {}
                    Dealt::Usual => usual(&mut self.engine, event),
                    Dealt::Cut => return,
                }
            }
            self.flush();
        }
    }

    fn flush(&mut self) {
        loop {
            let mut output = self.engine.transmit(Time(0));
            if !output.has_remaining() {
                return;
            }
            match self.stream.write(output.chunk()) {
                Ok(count) => output.advance(count),
                // The guest has left.
                Err(_) => return,
            }
        }
    }
}

/// Agrees to everything.
pub(crate) fn usual(engine: &mut Engine, event: Event) {
    match event {
        Event::Authenticate => engine.sasl_answer(SaslAnswer::Accept).unwrap(),
        Event::RemoteOpen => engine.connection().open().unwrap(),
        Event::SessionBegun(id) => {
            let mut session = engine.session(id).unwrap();
            session.accept(SessionConfig::default()).unwrap();
        }
        Event::LinkAttached(id) => {
            let mut link = engine.link(id).unwrap();
            link.accept().unwrap();
            if link.role() == Role::Receiver {
                engine.receiver(id).unwrap().set_credit(1000).unwrap();
            }
        }
        Event::Deliveries(id) => {
            let mut receiver = engine.receiver(id).unwrap();
            while let Some(delivery) = receiver.next_delivery() {
                if let Some(id) = delivery.id {
                    receiver.accept(id).unwrap();
                }
            }
        }
        Event::LinkDetached(id) => {
            // It fails if this side detached first.
            let _ = engine.link(id).unwrap().close(None);
        }
        _ => {}
    }
}
