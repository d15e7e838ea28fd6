//! Starting, hearing and ending a peer program.

use super::{Scratch, project};
use serde_json::Value;
use std::{
    collections::VecDeque,
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

/// How long a test waits for a line of a peer. It bounds a failure; no test that passes ever waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The user of [`Sasl::Plain`] and [`Sasl::With`]; to Cyrus SASL, what follows the `@` is the realm.
const USER: &str = "guest@test";
const PASSWORD: &str = "open sesame/%&";

/// The library that a peer program is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// python-qpid-proton.
    Proton,
    /// rhea, under Node.js.
    Rhea,
}

/// What a peer program does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Prints what it receives.
    Sink,
    /// Sends what it is given.
    Source,
    /// Decodes what it receives, encodes it again and sends it back.
    Echo,
    /// Does what it is [told](Program::tell).
    Steps,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Echo => "echo",
            Self::Steps => "steps",
        }
    }
}

/// Which of a library's codecs a peer program works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// The codec of single values, which keeps every type: `proton.Data`, rhea's `types`.
    Typed,
    /// The message as an application sees it: `proton.Message`, rhea's `message`.
    Message,
}

impl Api {
    /// The word for it on a peer's command line and in the table of exceptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Message => "message",
        }
    }
}

/// How client and server agree on who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sasl {
    /// No SASL layer.
    None,
    /// ANONYMOUS.
    Anonymous,
    /// PLAIN, as [`Sasl::user`] with [`Sasl::password`].
    Plain,
    /// The mechanism of this name, with the same.
    With(&'static str),
}

impl Sasl {
    /// The name of the mechanism; `none` without a SASL layer.
    pub const fn mechanism(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Anonymous => "ANONYMOUS",
            Self::Plain => "PLAIN",
            Self::With(name) => name,
        }
    }

    /// The user name that [`Sasl::Plain`] and [`Sasl::With`] stand for.
    pub const fn user() -> &'static str {
        USER
    }

    /// The password that [`Sasl::Plain`] and [`Sasl::With`] stand for. It has octets that an address must write as `%XX`.
    pub const fn password() -> &'static str {
        PASSWORD
    }
}

/// A peer program that runs. It ends with the value.
#[derive(Debug)]
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    port: Option<u16>,
    unsendable: Vec<Value>,
    /// Events that nobody has asked for yet.
    heard: VecDeque<Value>,
    title: String,
    log: Arc<Mutex<Vec<String>>>,
    _scratch: Scratch,
}

impl Program {
    /// Starts a peer as a server on a free port of the loopback interface.
    ///
    /// `arguments` are those of `tests/interop/README.md`; `input` is what a [`Role::Source`] sends, one message in
    /// notation per item.
    ///
    /// # Panics
    ///
    /// When the peer is not installed or does not come up.
    pub fn serve(
        library: Library,
        role: Role,
        sasl: Sasl,
        arguments: &[&str],
        input: &[Value],
    ) -> Self {
        let mut program = Self::start(
            library,
            role,
            sasl,
            &["--listen", "127.0.0.1"],
            arguments,
            input,
        );
        program.get_ready();
        program
    }

    /// Starts a peer as a client of the server at this port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When the peer is not installed or does not come up.
    pub fn connect(
        library: Library,
        port: u16,
        role: Role,
        sasl: Sasl,
        arguments: &[&str],
        input: &[Value],
    ) -> Self {
        let mut program = Self::start(
            library,
            role,
            sasl,
            &["--connect", &format!("127.0.0.1:{port}")],
            arguments,
            input,
        );
        program.get_ready();
        program
    }

    /// The port that a served peer listens on.
    ///
    /// # Panics
    ///
    /// When the peer is a client.
    pub fn port(&self) -> u16 {
        self.port
            .unwrap_or_else(|| panic!("{} listens on no port", self.title))
    }

    /// The messages of the input that the peer's own library could not encode: their index, and the library's words.
    pub fn unsendable(&self) -> impl Iterator<Item = (usize, &str)> {
        self.unsendable.iter().filter_map(|line| {
            let index = usize::try_from(line["index"].as_u64()?).ok()?;
            Some((index, line["error"].as_str()?))
        })
    }

    /// Tells a [`Role::Steps`] what to do next: a step of `tests/interop/README.md`.
    pub fn tell(&mut self, step: &Value) {
        if let Some(stdin) = &mut self.stdin {
            // The log tells more about a peer that is gone already than this error could.
            drop(stdin.write_all(format!("{step}\n").as_bytes()));
        }
    }

    /// Stops the peer where it is: its sockets stay open, and nobody is there.
    ///
    /// # Panics
    ///
    /// When the system does not let it be stopped.
    pub fn freeze(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -STOP \"$0\"", &pid])
            .status();
        assert!(
            status.as_ref().is_ok_and(ExitStatus::success),
            "{} can not be stopped: {status:?}",
            self.title
        );
    }

    /// The oldest event of this name that was not taken yet, when it has come.
    ///
    /// # Panics
    ///
    /// When it does not come within [`PATIENCE`], or the peer ends.
    pub fn expect(&mut self, event: &str) -> Value {
        self.expect_any(&[event])
    }

    /// The oldest event that has one of these names and was not taken yet, when it has come.
    ///
    /// # Panics
    ///
    /// When none comes within [`PATIENCE`], or the peer ends.
    pub fn expect_any(&mut self, names: &[&str]) -> Value {
        let wanted = |line: &Value| names.iter().any(|name| line["event"] == *name);
        let known = self
            .heard
            .iter()
            .position(wanted)
            .and_then(|place| self.heard.remove(place));
        if let Some(line) = known {
            return line;
        }
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => self.heard.push_back(line),
                Err(why) => self.lament(&names.join(" or "), why),
            }
        }
    }

    /// All events of this name that come before the one called `end`.
    ///
    /// # Panics
    ///
    /// When that one does not come within [`PATIENCE`], or the peer ends before.
    pub fn collect(&mut self, event: &str, end: &str) -> Vec<Value> {
        self.expect(end);
        let (found, others) = self
            .heard
            .drain(..)
            .partition(|line| line["event"] == event);
        self.heard = others;
        Vec::from(found)
    }

    /// The oldest event of this name that was not taken yet, if one has come. Does not wait.
    pub fn hear(&mut self, event: &str) -> Option<Value> {
        self.heard.extend(self.events.try_iter());
        let place = self.heard.iter().position(|line| line["event"] == event)?;
        self.heard.remove(place)
    }

    /// Whether no event of this name has come that was not taken yet. Does not wait.
    pub fn is_silent_about(&mut self, event: &str) -> bool {
        self.heard.extend(self.events.try_iter());
        !self.heard.iter().any(|line| line["event"] == event)
    }

    fn start(
        library: Library,
        role: Role,
        sasl: Sasl,
        place: &[&str],
        arguments: &[&str],
        input: &[Value],
    ) -> Self {
        let scratch = Scratch::new();
        let mut command = interpreter(library, role);
        command.arg(role.name());
        command.args(place).args(arguments);
        match sasl {
            Sasl::None => command.args(["--sasl", "none"]),
            Sasl::Anonymous => command.args(["--sasl", "anonymous"]),
            Sasl::Plain | Sasl::With(_) => command
                .args([
                    "--sasl",
                    &sasl.mechanism().to_lowercase(),
                    "--user",
                    USER,
                    "--password",
                    PASSWORD,
                    "--sasl-dir",
                ])
                .arg(scratch.path()),
        };
        let title = format!("the {library:?} {role:?} ({})", place.join(" "));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("can not start {title}: {error}. {INSTALL}"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, events) = channel();
        let errors = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let lines = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let error_log = Arc::clone(&log);
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                note(&error_log, line);
            }
        });
        let event_log = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let event: Option<Value> = serde_json::from_str(&line).ok();
                note(&event_log, line.chars().take(400).collect());
                if event.is_none_or(|event| sender.send(event).is_err()) {
                    break;
                }
            }
        });
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        if role == Role::Source {
            let mut text: String = input.iter().map(|message| format!("{message}\n")).collect();
            text.push('\n');
            // The log tells more about a peer that is gone already than this error could.
            drop(stdin.write_all(text.as_bytes()));
        }
        Self {
            child,
            stdin: Some(stdin),
            events,
            port: None,
            unsendable: Vec::new(),
            heard: VecDeque::new(),
            title,
            log,
            _scratch: scratch,
        }
    }

    fn get_ready(&mut self) {
        loop {
            let line = self.expect_any(&["unsendable", "ready"]);
            if line["event"] == "ready" {
                self.port = line["port"]
                    .as_u64()
                    .and_then(|port| u16::try_from(port).ok());
                return;
            }
            self.unsendable.push(line);
        }
    }

    fn lament(&mut self, event: &str, why: RecvTimeoutError) -> ! {
        let state = match why {
            RecvTimeoutError::Timeout => String::from("still runs"),
            RecvTimeoutError::Disconnected => match self.child.wait() {
                Ok(status) => format!("has ended ({status})"),
                Err(error) => format!("is lost ({error})"),
            },
        };
        let log = self
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n  ");
        panic!(
            "{} {state} without saying {event:?}. It said:\n  {log}",
            self.title
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // An error means that it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            // What the peer said last mostly tells why.
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let last = log.len().saturating_sub(10);
            eprintln!(
                "{} said at last:\n  {}",
                self.title,
                log[last..].join("\n  ")
            );
        }
    }
}

const INSTALL: &str = "The tests want real peers: run `make test`, or `scripts/install-test-deps.sh` once before `cargo test`";

/// The command that runs a library's program for a role, without its arguments.
fn interpreter(library: Library, role: Role) -> Command {
    let program = if role == Role::Steps { "steps" } else { "peer" };
    let project = project();
    let peers = project.join("target/peers");
    let programs = project.join("tests/interop");
    match library {
        Library::Proton => {
            let python = given("FERRION_TEST_PYTHON", peers.join("venv/bin/python"));
            demand(&python);
            let mut command = Command::new(python);
            command
                .arg("-u")
                .arg(programs.join(format!("proton_{program}.py")))
                .env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
        Library::Rhea => {
            let modules = given("FERRION_TEST_NODE_PATH", peers.join("node_modules"));
            demand(&modules.join("rhea"));
            let mut command = Command::new(given("FERRION_TEST_NODE", PathBuf::from("node")));
            command
                .arg(programs.join(format!("rhea_{program}.js")))
                .env("NODE_PATH", modules);
            command
        }
    }
}

fn given(variable: &str, otherwise: PathBuf) -> PathBuf {
    env::var_os(variable).map_or(otherwise, PathBuf::from)
}

fn demand(path: &Path) {
    assert!(path.exists(), "{} is not there. {INSTALL}", path.display());
}

fn note(log: &Mutex<Vec<String>>, line: String) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    // The first lines of a long story are enough, and its last.
    if log.len() > 200 {
        log.remove(100);
    }
    log.push(line);
}
