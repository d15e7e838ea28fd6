//! The scripts in the pages about Python and Ruby, run as they stand there.
//!
//! They use the port of AMQP, 5672, so they run in a network of their own, where it is free and nobody else hears.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{run, scratch, stdout, tree};
use crate::{python, ruby};

/// A language that has pages.
struct Language {
    name: &'static str,
    pages: [&'static str; 3],
    /// Its program and options, the environment that it wants, and what a script of a page may leave out.
    command: Vec<OsString>,
    environment: (&'static str, OsString),
    prelude: &'static str,
    /// What answers requests.
    server: PathBuf,
    /// How a message that was accepted is shown.
    accepted: &'static str,
}

#[test]
fn the_scripts_in_the_pages_about_python_do_what_is_told_of_them() {
    let words = [python::installed().into(), "-X".into(), "dev".into()];
    try_pages(&Language {
        name: "python",
        pages: ["README.md", "docs/python.md", "bindings/python/README.md"],
        command: words.into(),
        environment: ("PYTHONUNBUFFERED", "1".into()),
        prelude: "from ferrion import *\n",
        server: tree().join("bindings/python/examples/request_server.py"),
        accepted: "ACCEPTED",
    });
}

#[test]
fn the_scripts_in_the_pages_about_ruby_do_what_is_told_of_them() {
    try_pages(&Language {
        name: "ruby",
        pages: ["README.md", "docs/ruby.md", "bindings/ruby/README.md"],
        command: ["ruby".into(), "-w".into()].into(),
        environment: ("GEM_HOME", ruby::installed().into()),
        prelude: "require \"ferrion\"\n$stdout.sync = true\n",
        server: tree().join("bindings/ruby/examples/serve.rb"),
        accepted: "accepted",
    });
}

/// Runs the scripts of the pages that are about messengers and messages: each that sends with each that receives, those that ask with
/// one that answers; and what the others print is what the comments in them say.
fn try_pages(language: &Language) {
    let mut senders = Vec::new();
    let mut receivers = Vec::new();
    let mut asking = Vec::new();
    let mut alone = Vec::new();
    for script in scripts(language) {
        let text = fs::read_to_string(&script).expect("a script");
        let kind = if text.contains(".subscribe(") {
            &mut receivers
        } else if text.contains(".put(") {
            &mut senders
        } else if text.contains(".request(") {
            &mut asking
        } else if text.contains("body_sections") {
            &mut alone
        } else {
            panic!("nobody knows how to run {}", script.display());
        };
        kind.push(script);
    }
    assert_eq!(senders.len(), 3, "{senders:?}");
    assert_eq!([receivers.len(), asking.len(), alone.len()], [2, 1, 1]);

    for receiver in &receivers {
        let mut network = Network::with(language, &[receiver.as_os_str().to_owned()]);
        for sender in &senders {
            let said = network.run(language, sender);
            assert_eq!(said.trim(), language.accepted, "{}", sender.display());
            assert_eq!(network.line(), "Hello World!", "{}", receiver.display());
        }
    }
    let mut network = Network::with(
        language,
        &[
            language.server.clone().into_os_string(),
            "~127.0.0.1".into(),
        ],
    );
    assert_eq!(network.line(), "listening on port 5672");
    for script in &asking {
        assert_eq!(network.run(language, script), "HELLO\n");
    }
    for script in &alone {
        let said = stdout(&mut language.command(script));
        assert_eq!(said.lines().collect::<Vec<_>>().join(" "), told(script));
    }
}

impl Language {
    fn command(&self, script: &Path) -> Command {
        let mut command = Command::new("timeout");
        command.arg("60").args(&self.command).arg(script);
        self.with_environment(&mut command);
        command
    }

    fn with_environment(&self, command: &mut Command) {
        let (name, value) = &self.environment;
        command.env(name, value);
        for other in ["PYTHONPATH", "RUBYLIB", "RUBYOPT"] {
            command.env_remove(other);
        }
    }
}

/// The scripts of a language's pages, each in a file.
fn scripts(language: &Language) -> Vec<PathBuf> {
    let place = scratch("pages").join(language.name);
    fs::create_dir_all(&place).expect("a folder");
    let mut scripts = Vec::new();
    for page in language.pages {
        let text = fs::read_to_string(tree().join(page)).expect(page);
        for block in text.split(&format!("```{}\n", language.name)).skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            // Those are run by bindings/python/tests/test_docs.py.
            if block.contains("ferrion.engine") || block.contains("ferrion.asyncio") {
                continue;
            }
            let script = place.join(format!("{}.txt", scripts.len()));
            fs::write(&script, format!("{}{block}", language.prelude)).expect("a script");
            scripts.push(script);
        }
    }
    scripts
}

/// What the comments of a script say that it prints: up to a colon each, behind which it is explained.
fn told(script: &Path) -> String {
    let text = fs::read_to_string(script).expect("a script");
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("  # ")?.1.split_once(": "))
        .map(|(told, _)| told)
        .collect();
    assert!(told.len() > 3, "{told:?}");
    told.join(" ")
}

/// Brings the loopback interface of a new network up, and becomes another program.
const BEGIN: &str = "
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
";

/// A network with nothing in it but one script that listens, which ends with it.
struct Network {
    listener: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What enters it.
    enter: Vec<String>,
}

impl Network {
    /// Begins one with a script that listens on port 5672 when this comes back.
    fn with(language: &Language, script: &[OsString]) -> Self {
        // Where one has no right to that, one has it as a user of one's own.
        let as_root = Command::new("unshare").args(["--net", "true"]).output();
        let as_root = as_root.expect("unshare").status.success();
        let mut command = Command::new("unshare");
        if !as_root {
            command.arg("--map-root-user");
        }
        command
            .args(["--net", "timeout", "120"])
            .arg(python::system_python())
            .args(["-c", BEGIN])
            .args(&language.command)
            .args(script)
            .stdout(Stdio::piped())
            // Ctrl-C, which ends it, is told there by some.
            .stderr(Stdio::null());
        language.with_environment(&mut command);
        let mut listener = command.spawn().expect("unshare");
        let lines = BufReader::new(listener.stdout.take().expect("a pipe")).lines();
        let network = format!("/proc/{}/ns", listener.id());
        let mut enter = vec![format!("--net={network}/net")];
        if !as_root {
            enter.extend([
                format!("--user={network}/user"),
                "--preserve-credentials".into(),
            ]);
        }
        let begun = Instant::now();
        let listening = |table: &str| table.contains(":1628 00000000:0000 0A");
        while !fs::read_to_string(format!("/proc/{}/net/tcp", listener.id()))
            .is_ok_and(|table| listening(&table))
        {
            assert!(
                listener.try_wait().expect("its state").is_none(),
                "{script:?} ended"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{script:?} does not listen"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            listener,
            lines,
            enter,
        }
    }

    /// The next line that the listening script prints.
    fn line(&mut self) -> String {
        let line = self.lines.next().expect("a line before its end");
        line.expect("text")
    }

    /// What a script prints that runs in this network until it ends.
    fn run(&self, language: &Language, script: &Path) -> String {
        let mut command = Command::new("nsenter");
        command
            .args(&self.enter)
            .args(["timeout", "60"])
            .args(&language.command)
            .arg(script);
        language.with_environment(&mut command);
        stdout(&mut command)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Ctrl-C, as the pages say; it is handed on to the script.
        run(Command::new("kill").args(["-INT", &self.listener.id().to_string()]));
        let _ = self.listener.wait();
    }
}
