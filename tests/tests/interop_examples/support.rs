//! Running an example program, and messengers that talk to it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use ferrion_messenger::{Credit, Flags, Message, Messenger, Tracker};
use ferrion_tests::interop::{free_port, project};

/// How long anything may take. It bounds a failure; no test that passes waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What example programs of request and reply ask, where they are not told what to.
pub(crate) const REQUESTS: [&str; 4] = [
    "Twas brillig, and the slithy toves",
    "Did gire and gymble in the wabe.",
    "All mimsy were the borogroves,",
    "And the mome raths outgrabe.",
];

/// An example program that runs. It ends with the value.
pub(crate) struct Example {
    title: String,
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Example {
    /// One of Proton's in Python.
    pub(crate) fn python(name: &str, arguments: &[&str]) -> Self {
        let peers = project().join("target/peers/venv/bin/python");
        let python = env::var_os("FERRION_TEST_PYTHON").map_or(peers, PathBuf::from);
        let mut command = Command::new(python);
        command
            .arg("-u")
            .arg(examples().join(format!("proton/python/{name}.py")))
            // What they import from Proton is deprecated in part.
            .args(arguments)
            .env("PYTHONWARNINGS", "ignore")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Self::start(name, &mut command)
    }

    /// One of Proton's in C or C++; `arg0` is what it calls itself, which those in C take as their container-id.
    pub(crate) fn compiled(name: &str, arg0: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(examples().join("bin").join(name));
        // The broker in C looks for its certificates here.
        let folder = examples().join("proton/c");
        command.arg0(arg0).args(arguments).current_dir(folder);
        Self::start(name, &mut command)
    }

    /// One of rhea's.
    pub(crate) fn rhea(name: &str, arguments: &[&str]) -> Self {
        let node = env::var_os("FERRION_TEST_NODE").unwrap_or_else(|| "node".into());
        let modules = project().join("target/peers/node_modules");
        let modules = env::var_os("FERRION_TEST_NODE_PATH").map_or(modules, PathBuf::from);
        let mut command = Command::new(node);
        command
            .arg("--no-deprecation")
            .arg("--dns-result-order=ipv4first")
            .arg(examples().join("rhea").join(format!("{name}.js")))
            .args(arguments)
            .env("NODE_PATH", modules);
        Self::start(name, &mut command)
    }

    fn start(title: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("can not start the example {title}: {error}; scripts/install-test-deps.sh installs it")
            });
        let (sender, lines) = channel();
        let errors = child.stderr.take().expect("a pipe");
        let output = child.stdout.take().expect("a pipe");
        let also = sender.clone();
        thread::spawn(move || {
            let lines = BufReader::new(errors).lines().map_while(Result::ok);
            lines
                .map(|line| format!("! {line}"))
                .try_for_each(|line| also.send(line))
        });
        thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line))
        });
        Self {
            title: title.to_owned(),
            child,
            lines,
            heard: Vec::new(),
        }
    }

    /// The next line that it prints, on standard output or, after `! `, on standard error.
    pub(crate) fn line(&mut self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            panic!(
                "{} says no more ({error}) after {:?}",
                self.title, self.heard
            )
        });
        self.heard.push(line.clone());
        line
    }

    /// The port that it prints that it listens on.
    pub(crate) fn port(&mut self) -> u16 {
        let line = self.line();
        let port = line
            .strip_prefix("listening on ")
            .and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("{} tells no port: {line}", self.title))
    }

    /// Waits until it ends by itself, and well; answers all that it printed.
    pub(crate) fn finish(mut self) -> Vec<String> {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.heard.push(line);
        }
        let ended = self.child.try_wait().expect("a child");
        let status = ended.or_else(|| {
            // Its output has ended, so it is about to.
            let end = Instant::now() + Duration::from_secs(5);
            loop {
                match self.child.try_wait().expect("a child") {
                    None if Instant::now() < end => thread::sleep(Duration::from_millis(5)),
                    status => return status,
                }
            }
        });
        let status = status.unwrap_or_else(|| panic!("{} goes on: {:?}", self.title, self.heard));
        assert!(
            status.success(),
            "{}: {status}, {:?}",
            self.title,
            self.heard
        );
        std::mem::take(&mut self.heard)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn examples() -> PathBuf {
    project().join("target/peers/examples")
}

/// Starts a program that has to be told its port and does not say when it listens. It is not connected to, as some of them
/// end when their first client has gone.
pub(crate) fn listening(start: impl FnOnce(u16) -> Example) -> (Example, u16) {
    let port = free_port();
    let mut example = start(port);
    let begun = Instant::now();
    while !somebody_listens(port) {
        let ended = example.child.try_wait().expect("a child");
        assert!(ended.is_none(), "{} has ended", example.title);
        assert!(
            begun.elapsed() < PATIENCE,
            "{} does not listen",
            example.title
        );
        thread::sleep(Duration::from_millis(10));
    }
    (example, port)
}

/// Whether the kernel knows of a socket that listens on this port, by either version of IP.
fn somebody_listens(port: u16) -> bool {
    let local = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let table = fs::read_to_string(table).unwrap_or_default();
        table.lines().any(|line| {
            // Number, local address, remote address, state: 0A is LISTEN.
            let mut fields = line.split_whitespace().skip(1);
            fields
                .next()
                .is_some_and(|address| address.ends_with(&local))
                && fields.nth(1) == Some("0A")
        })
    })
}

/// A messenger that remembers everything, and waits for no longer than [`PATIENCE`].
pub(crate) fn messenger() -> Messenger {
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger
}

/// A messenger that listens, and its port.
pub(crate) fn listener() -> (Messenger, u16) {
    let mut messenger = messenger();
    let subscription = messenger.subscribe("~127.0.0.1:0").expect("a listener");
    let port = messenger.subscription_port(subscription).expect("a port");
    (messenger, port)
}

pub(crate) fn message_to(address: &str, body: &str) -> Message {
    let mut message = Message::with_body(body);
    message.set_address(address);
    message
}

/// Waits for the next message.
pub(crate) fn take(messenger: &mut Messenger) -> (Tracker, Message) {
    if messenger.incoming() == 0 {
        messenger.recv(Credit::All).expect("a message");
    }
    let mut message = Message::new();
    let tracker = messenger.get(&mut message).expect("a message");
    (tracker, message)
}

/// The text that is the body of a message.
pub(crate) fn text(message: &Message) -> String {
    let body = message.body_text().expect("a body");
    body.expect("a text").to_owned()
}

/// Takes so many messages `{"sequence": 1}`, `{"sequence": 2}` ..., and accepts them.
pub(crate) fn take_sequence(messenger: &mut Messenger, count: usize) {
    for number in 1..=count {
        let (tracker, message) = take(messenger);
        let body = format!("{:?}", message.body().expect("a body"));
        assert!(
            body.contains("sequence") && body.contains(&format!("({number})")),
            "{number}: {body}"
        );
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
    }
}

/// Works until the example has ended: what a messenger has decided goes out while it works.
pub(crate) fn work_until_over(messenger: &mut Messenger, mut example: Example) -> Vec<String> {
    let begun = Instant::now();
    while example.child.try_wait().expect("a child").is_none() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{} goes on: {:?}",
            example.title,
            {
                example.heard.extend(example.lines.try_iter());
                &example.heard
            }
        );
        messenger
            .work(Some(Duration::from_millis(5)))
            .expect("work");
    }
    example.finish()
}

/// Waits until a client has connected and asked for messages, and answers the name that it goes by.
pub(crate) fn name_of_receiver(messenger: &mut Messenger) -> String {
    let begun = Instant::now();
    let mut name = None;
    loop {
        while let Some(line) = messenger.poll_trace() {
            if !line.contains("<-") {
                continue;
            }
            if let Some((_, rest)) = line.split_once("container-id=\"") {
                name = rest.split('"').next().map(str::to_owned);
            }
            if let Some(name) = name.take_if(|_| line.contains("@attach")) {
                return name;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "nobody asks for messages");
        messenger
            .work(Some(Duration::from_millis(5)))
            .expect("work");
    }
}
