//! Runs the contestants' programs and reads what they report.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::work::{Outcome, ensure};

/// Longer than any run takes; a program that says nothing for this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a program reports about one run.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) count: u64,
    pub(crate) nanos: u64,
    pub(crate) check: String,
}

/// Runs `program` with the arguments and reads its report.
pub(crate) fn run_alone(program: &Path, work: &[String]) -> Outcome<Sample> {
    Sample::parse(&output_of(program, work)?)
}

/// Runs `COMMAND-recv` and, when it listens, `COMMAND-send`; the time is the sender's, the checksum the receiver's.
pub(crate) fn run_together(program: &Path, work: &[String]) -> Outcome<Sample> {
    let (command, options) = work.split_first().ok_or("no command")?;
    let with = |suffix: &str, port: Option<u64>| -> Vec<String> {
        let mut arguments = vec![format!("{command}-{suffix}")];
        arguments.extend_from_slice(options);
        arguments.extend(
            port.into_iter()
                .flat_map(|port| ["--port".into(), port.to_string()]),
        );
        arguments
    };
    let mut receiver = Running::start(program, &with("recv", None))?;
    let hello: serde_json::Value = serde_json::from_str(&receiver.line()?)?;
    let port = hello["port"]
        .as_u64()
        .ok_or("the receiver did not say where it listens")?;
    let mut sender = Running::start(program, &with("send", Some(port)))?;
    let sent = Sample::parse(&sender.line()?)?;
    let received = Sample::parse(&receiver.line()?)?;
    sender.finish()?;
    receiver.finish()?;
    ensure!(
        sent.count == received.count,
        "sender and receiver counted differently"
    );
    Ok(Sample {
        check: received.check,
        ..sent
    })
}

/// Runs `program` to its end; answers its output.
pub(crate) fn output_of(program: &Path, arguments: &[String]) -> Outcome<String> {
    let mut running = Running::start(program, arguments)?;
    let mut output = String::new();
    while let Some(line) = running.next_line()? {
        output.push_str(&line);
        output.push('\n');
    }
    running.finish()?;
    Ok(output)
}

impl Sample {
    fn parse(output: &str) -> Outcome<Self> {
        let line = output
            .lines()
            .last()
            .ok_or("the program reported nothing")?;
        let json: serde_json::Value = serde_json::from_str(line)?;
        let number = |name: &str| {
            json[name]
                .as_u64()
                .ok_or_else(|| format!("no {name} in the report: {line}"))
        };
        Ok(Self {
            count: number("count")?,
            nanos: number("nanos")?,
            check: json["check"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// A program under way, ended when this is dropped.
struct Running {
    child: Child,
    lines: Receiver<std::io::Result<String>>,
}

impl Running {
    fn start(program: &Path, arguments: &[String]) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let output = child.stdout.take().ok_or("the program has no output")?;
        let (sender, lines) = channel();
        // A thread of its own, so that a program that hangs cannot hang the runner.
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .try_for_each(|line| sender.send(line))
        });
        Ok(Self { child, lines })
    }

    /// The next line of output; `None` at its end.
    fn next_line(&mut self) -> Outcome<Option<String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line?)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {PATIENCE:?}").into()),
        }
    }

    fn line(&mut self) -> Outcome<String> {
        self.next_line()?
            .ok_or_else(|| "the program ended early; its message is above".into())
    }

    /// Waits for the end.
    fn finish(&mut self) -> Outcome<()> {
        while self.next_line()?.is_some() {}
        let status = self.child.wait()?;
        ensure!(
            status.success(),
            format!("the program failed ({status}); its message is above")
        );
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only if the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
