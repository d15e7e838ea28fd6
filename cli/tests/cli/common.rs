//! Runs the built command with input and arguments, and gives back what it printed.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

/// The command with these arguments.
pub(crate) fn ferrion<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ferrion {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrion"));
    command.args(args).env_remove("FERRION_PASSWORD");
    Ferrion {
        command,
        stdin: Vec::new(),
    }
}

/// A receiver that listens on a free port, and the address to send to.
pub(crate) fn listen(args: &[&str]) -> (Running, String) {
    listen_on("amqp", args)
}

/// As [`listen`], with another scheme.
pub(crate) fn listen_on(scheme: &str, args: &[&str]) -> (Running, String) {
    let address = format!("{scheme}://~127.0.0.1:0");
    let mut all = vec!["recv", &address, "--timeout", "20"];
    all.extend(args);
    let mut receiver = ferrion(all).start();
    let address = format!("{scheme}://127.0.0.1:{}/queue", receiver.port());
    (receiver, address)
}

/// A command about to run.
pub(crate) struct Ferrion {
    command: Command,
    stdin: Vec<u8>,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ferrion {
    pub(crate) fn stdin(self, text: &str) -> Self {
        self.stdin_octets(text.as_bytes())
    }

    pub(crate) fn stdin_octets(mut self, octets: &[u8]) -> Self {
        self.stdin = octets.to_vec();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        self.start().finish()
    }

    /// Starts it; its input is given and ended.
    pub(crate) fn start(mut self) -> Running {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the built command starts");
        let mut stdin = child.stdin.take().expect("a piped standard input");
        let octets = self.stdin;
        // A command that ends early closes its input; that is no failure of the test.
        let feeding = thread::spawn(move || drop(stdin.write_all(&octets)));
        let mut stdout = child.stdout.take().expect("a piped standard output");
        // Read from the start: a command that cannot write does not go on.
        let reading = thread::spawn(move || {
            let mut octets = Vec::new();
            stdout.read_to_end(&mut octets).map(|_| octets)
        });
        let stderr = BufReader::new(child.stderr.take().expect("a piped standard error"));
        Running {
            child: Some(child),
            stderr,
            read: String::new(),
            threads: Some((feeding, reading)),
        }
    }
}

/// The thread that reads standard output to its end.
type Reading = JoinHandle<io::Result<Vec<u8>>>;

/// A command that runs. It is killed when it is dropped before it has finished.
pub(crate) struct Running {
    child: Option<Child>,
    stderr: BufReader<ChildStderr>,
    read: String,
    threads: Option<(JoinHandle<()>, Reading)>,
}

impl Running {
    /// Waits until a receiver says on which port it listens.
    pub(crate) fn port(&mut self) -> u16 {
        let mut line = String::new();
        while self
            .stderr
            .read_line(&mut line)
            .expect("readable standard error")
            > 0
        {
            self.read.push_str(&line);
            if let Some(port) = line
                .trim_end()
                .strip_prefix("ferrion: listening on 127.0.0.1:")
            {
                return port.parse().expect("a port number");
            }
            line.clear();
        }
        panic!("it ended without listening: {}", self.read);
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ran {
        let mut child = self.child.take().expect("it was not finished before");
        let (feeding, reading) = self.threads.take().expect("it was not finished before");
        self.stderr
            .read_to_string(&mut self.read)
            .expect("readable standard error");
        let stdout = reading
            .join()
            .expect("the reader ends")
            .expect("readable standard output");
        let status = child.wait().expect("the command ends");
        feeding.join().expect("the feeder ends");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: std::mem::take(&mut self.read),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A place where nobody listens, nor can as long as this process lives: the near end of a connection is there.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let near = TcpStream::connect(address).expect("a connection to it");
    let place = near.local_addr().expect("its address");
    // A port that is given back is somebody else's in the next moment.
    std::mem::forget((listener, near));
    place.to_string()
}

/// A file in the folder that cargo gives to tests, with this content.
pub(crate) fn temporary_file(name: &str, content: &[u8]) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::write(&path, content).expect("a writable folder for temporary files");
    path
}
