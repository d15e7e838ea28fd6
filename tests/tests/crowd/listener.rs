//! The listening Messenger, in a process of its own, so that what it holds can be told from what its clients hold.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, Flags, Message, Messenger};

use crate::MESSAGES;
use crate::level::Level;

/// Set where this program is to be the listener, and not the test.
const ROLE: &str = "FERRION_CROWD_LISTENER";

/// Whether this process was started to listen.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// How often messages came that were not the next of their connection, and how many were.
#[derive(Default)]
struct Book {
    next: Vec<usize>,
    received: usize,
    wrong: usize,
    /// How many messages of the connection with the fewest had come when the first had all.
    least: Option<usize>,
}

impl Book {
    fn enter(&mut self, body: &str) {
        let numbers = body
            .split_once(' ')
            .map(|(a, b)| (a.parse(), b.parse::<usize>()));
        let Some((Ok(connection), Ok(number))) = numbers else {
            self.wrong += 1;
            return;
        };
        let connection: usize = connection;
        if self.next.len() <= connection {
            self.next.resize(connection + 1, 0);
        }
        self.wrong += usize::from(self.next[connection] != number);
        self.next[connection] = number + 1;
        self.received += 1;
        if number + 1 == MESSAGES && self.least.is_none() {
            self.least = self.next.iter().min().copied();
        }
    }
}

/// Listens, set up like this, accepts every message, and does what it is told by standard input: `hold` and `go`, or to say how
/// things are.
pub(crate) fn listen(set_up: impl FnOnce(&mut Messenger)) {
    let mut messenger = Messenger::new().unwrap();
    set_up(&mut messenger);
    messenger.set_incoming_window(1);
    let subscription = messenger.subscribe("~127.0.0.1:0").unwrap();
    let port = messenger.subscription_port(subscription).unwrap();
    let book = Arc::new(Mutex::new(Book::default()));
    let (sender, orders) = mpsc::channel();
    let interrupter = messenger.interrupter();
    std::thread::spawn({
        let book = Arc::clone(&book);
        move || {
            say(&format!("port {port}"));
            for line in std::io::stdin().lines() {
                match line.as_deref() {
                    Ok("state") => {
                        let book = book.lock().unwrap();
                        let (received, wrong) = (book.received, book.wrong);
                        let least = book.least.unwrap_or_default();
                        let level = Level::now();
                        let (octets, descriptors) = (level.octets, level.descriptors);
                        say(&format!(
                            "{octets} {descriptors} {received} {wrong} {least}"
                        ));
                    }
                    Ok("hold") => {
                        sender.send(()).unwrap();
                        interrupter.interrupt();
                    }
                    Ok(_) => sender.send(()).unwrap(),
                    Err(_) => break,
                }
            }
            drop(sender);
            interrupter.interrupt();
        }
    });
    let mut message = Message::new();
    loop {
        if messenger.recv(Credit::All) == Err(Error::Interrupted) {
            // Held, until the order to go on comes; or it is the end.
            if orders.recv().is_err() {
                return;
            }
            say("held");
            let _ = orders.recv();
        }
        let mut book = book.lock().unwrap();
        while let Ok(tracker) = messenger.get(&mut message) {
            book.enter(message.body_text().unwrap().unwrap());
            messenger.accept(tracker, Flags::NONE).unwrap();
        }
    }
}

/// The test's own lines stand between those of the test harness.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\ncrowd: {text}").unwrap();
    out.flush().unwrap();
}

/// The process that listens.
pub(crate) struct Listener {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) port: u16,
}

/// What the listener holds, and what it received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) heap: isize,
    /// Resident, in octets.
    pub(crate) resident: isize,
    pub(crate) descriptors: usize,
    pub(crate) received: usize,
    pub(crate) wrong: usize,
    /// How many messages of the connection with the fewest had come when the first had all.
    pub(crate) least: usize,
}

impl Listener {
    /// Starts this very program again, to run `test`, which must find out its role.
    pub(crate) fn start(test: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut listener = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            port: 0,
        };
        listener.port = listener
            .hear()
            .strip_prefix("port ")
            .unwrap()
            .parse()
            .unwrap();
        listener
    }

    fn tell(&mut self, order: &str) {
        writeln!(self.input.as_mut().unwrap(), "{order}").unwrap();
    }

    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).unwrap();
            assert!(count > 0, "the listener has ended");
            if let Some(text) = line.trim_end().strip_prefix("crowd: ") {
                return text.to_owned();
            }
        }
    }

    /// Nothing is read from now on.
    pub(crate) fn hold(&mut self) {
        self.tell("hold");
        assert_eq!(self.hear(), "held");
    }

    /// What waits is read.
    pub(crate) fn go(&mut self) {
        self.tell("go");
    }

    pub(crate) fn state(&mut self) -> State {
        self.tell("state");
        let answer = self.hear();
        let numbers: Vec<isize> = answer
            .split(' ')
            .map(|word| word.parse().unwrap())
            .collect();
        let count = |index: usize| usize::try_from(numbers[index]).unwrap();
        State {
            heap: numbers[0],
            resident: resident(self.child.id()),
            descriptors: count(1),
            received: count(2),
            wrong: count(3),
            least: count(4),
        }
    }

    /// The state once so many descriptors are left: that connections are closed is noticed a little later.
    pub(crate) fn state_with(&mut self, descriptors: usize) -> State {
        let begun = Instant::now();
        loop {
            let state = self.state();
            if state.descriptors <= descriptors || begun.elapsed() > Duration::from_secs(10) {
                return state;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.input.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// What a process has in memory, in octets.
fn resident(process: u32) -> isize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}
