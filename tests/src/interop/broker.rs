//! What the fixtures of all brokers have in common: folders, ports, signals and readiness.

use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::project;

/// How long a broker may take to start. It bounds a failure; no test that passes ever waits for it.
pub(super) const START: Duration = Duration::from_secs(90);
/// What to do when a broker is not installed.
pub(super) const INSTALL: &str = "The tests want real brokers: run `make deps`, or `scripts/install-test-deps.sh`, once before `cargo test`";
/// For how long the logs of brokers that are gone are kept.
const KEPT: Duration = Duration::from_secs(3600);

/// What can be done to the process of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ends it at once, with nothing written that was not written.
    Kill,
    /// Keeps it from running: its sockets stay open and say nothing.
    Stop,
    /// Lets it run again after [`Signal::Stop`].
    Continue,
}

impl Signal {
    /// The name that `kill` knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Something that the installers put under `target/peers`, or elsewhere if the variable says so.
///
/// # Panics
///
/// When it is not there.
pub(super) fn installed(variable: &str, name: &str) -> PathBuf {
    let path = env::var_os(variable)
        .map_or_else(|| project().join("target/peers").join(name), PathBuf::from);
    assert!(path.exists(), "{} is not there. {INSTALL}", path.display());
    path
}

/// The folder of one broker, under `target/brokers`. It stays when the broker ends, for its logs; a later run removes it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes an empty one.
    ///
    /// # Panics
    ///
    /// When the folder can not be written.
    pub(super) fn new(broker: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let all = project().join("target/brokers");
        sweep(&all);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = Self(all.join(format!("{broker}-{}-{number}", process::id())));
        // What a process of the same number left behind is nobody's.
        drop(fs::remove_dir_all(&folder.0));
        folder.make("");
        folder
    }

    /// Where it is.
    #[must_use]
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a folder in it.
    ///
    /// # Panics
    ///
    /// When it can not be written.
    pub(super) fn make(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(&path)
            .unwrap_or_else(|error| panic!("can not make {}: {error}", path.display()));
        path
    }

    /// Writes a file in it.
    ///
    /// # Panics
    ///
    /// When it can not be written.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::write(&path, content)
            .unwrap_or_else(|error| panic!("can not write {}: {error}", path.display()));
    }

    /// The end of a file in it, for the text of a failure.
    #[must_use]
    pub(super) fn last_lines(&self, name: &str) -> String {
        const SHOWN: usize = 30;
        let text = fs::read(self.0.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.len().saturating_sub(SHOWN);
        format!(
            "{}:\n  {}",
            self.0.join(name).display(),
            lines[last..].join("\n  ")
        )
    }
}

/// Removes the folders of processes that are long gone. That fails where another test does the same, which is as well.
fn sweep(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.rsplit('-').nth(1).unwrap_or("").to_owned();
        let age = entry
            .metadata()
            .and_then(|data| data.modified())
            .map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
        if age.is_ok_and(|age| age > KEPT) && !Path::new("/proc").join(process).exists() {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// A port of the loopback interface that nothing listens on. It is none of those that the system gives to clients and to who
/// leaves the choice to it, so that it stays free until a program that can not choose one for itself listens there.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Processes begin far from each other.
        let start = process::id().wrapping_mul(97);
        let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + u16::try_from(number).unwrap_or(0);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free")
}

/// Waits until a server answers the protocol header of the SASL layer (5.3.2), or `is_lost` says that it never will.
///
/// # Errors
///
/// It does not: why.
pub(super) fn answers(port: u16, is_lost: impl FnMut() -> bool) -> Result<(), String> {
    await_port(port, greets, is_lost)
}

/// Waits until a server takes connections, or `is_lost` says that it never will.
///
/// # Errors
///
/// It does not: why.
pub(super) fn listens(port: u16, is_lost: impl FnMut() -> bool) -> Result<(), String> {
    let takes = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    await_port(port, takes, is_lost)
}

fn await_port(
    port: u16,
    is_ready: impl Fn(u16) -> bool,
    mut is_lost: impl FnMut() -> bool,
) -> Result<(), String> {
    let until = Instant::now() + START;
    while Instant::now() < until {
        if is_ready(port) {
            return Ok(());
        }
        if is_lost() {
            return Err(String::from("it has ended"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("nobody answers at port {port} after {START:?}"))
}

fn greets(port: u16) -> bool {
    let mut answer = [0; 4];
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"AMQP\x03\x01\x00\x00")?;
            stream.read_exact(&mut answer)
        })
        .is_ok_and(|()| answer == *b"AMQP")
}
