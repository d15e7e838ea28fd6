//! The page about more than one machine is true: its commands are run as they stand there.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command as Process, Stdio},
    thread,
    time::{Duration, Instant},
};

use ferrion_tests::interop::{Command, project};

use crate::support::PATIENCE;

const PAGE: &str = include_str!("../../../docs/more-than-one-machine.md");

/// The commands that the page tells to type in one of the terminals.
fn typed(terminal: &str) -> &'static str {
    let (_, rest) = PAGE
        .split_once(&format!("\n```sh {terminal}\n"))
        .unwrap_or_else(|| panic!("the page has no terminal {terminal}"));
    rest.split_once("```\n").expect("the end of the block").0
}

/// A terminal in which these commands are typed.
fn terminal(name: &str) -> Child {
    let inherited = env::var("PATH").unwrap_or_default();
    let path = format!("{}:{inherited}", Command::folder().display());
    Process::new("bash")
        .args(["-euc", typed(name)])
        .current_dir(project())
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell")
}

/// What a terminal shows in the end: standard output, and standard error.
fn shown(terminal: Child) -> (String, String) {
    let output = terminal.wait_with_output().expect("an end");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (output, errors) = (
        output.status.success().then_some(output.stdout),
        output.stderr,
    );
    let errors = text(&errors);
    let output = output.unwrap_or_else(|| panic!("it failed: {errors}"));
    (text(&output), errors)
}

#[test]
fn the_commands_of_the_page_bring_every_order_through_the_kill_of_a_node() {
    let orders = project().join("target/orders.txt");
    drop(fs::remove_file(&orders));
    let mut brokers = terminal("brokers");
    let mut commands = brokers.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(brokers.stdout.take().expect("a pipe")).lines();
    let ready = |line: &String| line.starts_with("ready");
    let said = lines.by_ref().map_while(Result::ok).find(ready);
    if said.is_none() {
        panic!("{}", shown(brokers).1);
    }
    let receiver = terminal("receiver");
    let sender = terminal("sender");
    let begun = Instant::now();
    while fs::metadata(&orders).map_or(0, |file| file.len()) == 0 {
        assert!(begun.elapsed() < PATIENCE, "no order arrives");
        thread::sleep(Duration::from_millis(5));
    }
    writeln!(commands, "kill 1").expect("somebody who reads");
    let (_, told) = shown(sender);
    assert!(
        told.contains("no connection to amqp://127.0.0.1:"),
        "{told}"
    );
    let (count, told) = shown(receiver);
    assert_eq!(count.trim(), "30000", "{told}");
    writeln!(commands, "start 1\nquit").expect("somebody who reads");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(rest, ["killed", "started"]);
    shown(brokers);
}
