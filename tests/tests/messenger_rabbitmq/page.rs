//! The page about more than one machine is true: its commands are run as they stand there.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command as Process, Stdio},
    thread,
    time::{Duration, Instant},
};

use ferrion_tests::interop::{Command, as_typed, project, whereabouts};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long no order may arrive. It bounds a failure; no test that passes ever waits for it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many orders the page sends.
const ORDERS: usize = 30_000;

const PAGE: &str = include_str!("../../../docs/more-than-one-machine.md");

/// The commands that the page tells to type in one of the terminals.
fn typed(terminal: &str) -> &'static str {
    let (_, rest) = PAGE
        .split_once(&format!("\n```sh {terminal}\n"))
        .unwrap_or_else(|| panic!("the page has no terminal {terminal}"));
    rest.split_once("```\n").expect("the end of the block").0
}

/// A terminal in which such commands are typed. What runs in it ends with the value.
struct Terminal(Child);

impl Terminal {
    fn open(name: &str) -> Self {
        let inherited = env::var("PATH").unwrap_or_default();
        let path = format!("{}:{inherited}", Command::folder().display());
        let shell = as_typed(&mut Process::new("bash"))
            .args(["-euc", typed(name)])
            .current_dir(project())
            .env("PATH", path)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(shell.expect("a shell"))
    }

    /// What it shows in the end, when all of it has gone well: standard output, and standard error.
    fn shown(mut self) -> (String, String) {
        drop(self.0.stdin.take());
        let (mut output, mut errors) = (String::new(), String::new());
        // Little is told of errors: a pipe holds it.
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_string(&mut output).expect("text");
        }
        let pipe = self.0.stderr.as_mut().expect("a pipe");
        pipe.read_to_string(&mut errors).expect("text");
        let status = self.0.wait().expect("an end");
        assert!(status.success(), "{status}: {errors}");
        (output, errors)
    }

    /// Ends what runs, as Ctrl-C does.
    fn interrupt(&mut self) {
        // Not by the signal of Ctrl-C: whoever is started in the background of a shell may ignore that.
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        // It fails only if all of it has ended already.
        let _ = kill_process_group(group.expect("a process"), Signal::TERM);
        drop(self.0.wait());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            self.interrupt();
        }
    }
}

/// The orders that have been printed, as far as their lines are complete.
fn printed(file: &Path) -> BTreeSet<usize> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let (lines, _) = text.rsplit_once('\n').unwrap_or_default();
    let number = |line: &str| line.parse().expect("a number");
    lines.lines().map(number).collect()
}

/// Waits until orders that are enough have been printed, or until none have come for long. Answers those that have.
fn wait_for(file: &Path, enough: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut last = Instant::now();
    while seen.len() < enough && last.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(if seen.is_empty() { 5 } else { 100 }));
        let now = printed(file);
        if now.len() > seen.len() {
            (seen, last) = (now, Instant::now());
        }
    }
    seen
}

#[test]
fn the_commands_of_the_page_bring_every_order_through_the_kill_of_a_node() {
    let orders = project().join("target/orders.txt");
    drop(fs::remove_file(&orders));
    let mut brokers = Terminal::open("brokers");
    let mut commands = brokers.0.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(brokers.0.stdout.take().expect("a pipe")).lines();
    let ready = |line: &String| line.starts_with("ready");
    let said: Vec<String> = lines
        .by_ref()
        .map_while(Result::ok)
        .take_while(|line| !ready(line))
        .collect();
    if said.len() < 3 {
        panic!("{}", brokers.shown().1);
    }
    let mut receiver = Terminal::open("receiver");
    let sender = Terminal::open("sender");
    assert!(!wait_for(&orders, 1).is_empty(), "no order arrives");
    writeln!(commands, "kill 1").expect("somebody who reads");
    let (_, told) = sender.shown();
    assert!(
        told.contains("no connection to amqp://127.0.0.1:"),
        "{told}"
    );
    let seen = wait_for(&orders, ORDERS);
    let missing: BTreeSet<usize> = (1..=ORDERS)
        .filter(|number| !seen.contains(number))
        .collect();
    if !missing.is_empty() {
        // What the receiver holds must be back before it can be found.
        receiver.interrupt();
        let places: Vec<String> = said
            .iter()
            .filter_map(|line| line.split_once('='))
            .map(|(_, place)| place.to_owned())
            .collect();
        let address = format!("amqp://{}//queues/orders", places[1]);
        panic!(
            "of {ORDERS} {}",
            whereabouts(&missing, &address, &places[2..])
        );
    }
    assert_eq!(seen.len(), ORDERS, "and no other");
    assert_eq!(Terminal::open("count").shown().0.trim(), "30000");
    receiver.interrupt();
    writeln!(commands, "start 1\nquit").expect("somebody who reads");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(rest, ["killed", "started"]);
    brokers.shown();
}
