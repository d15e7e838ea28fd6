//! `ferrion recv`: messages from an address, printed, then answered.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ferrion_engine::codec::{DecodeError, Value};
use ferrion_engine::message::Body;
use ferrion_engine::protocol::Modified;
use ferrion_engine::sasl::Secret;
use ferrion_messenger::{
    Address, ClientCertificates, Credit, Error, ErrorKind, Flags, Message, Messenger,
    SubscribeOptions, Tracker,
};

use crate::args::{self, Outcome};
use crate::exit::{Ending, Failure};
use crate::json::message_to_json;
use crate::output::{Output, note};
use crate::session;

/// How long a wait goes on before warnings and traced frames are printed that came up in it.
const NOTES_EVERY: Duration = Duration::from_millis(100);
/// How many messages are printed before they are answered together.
const BATCH: usize = 1000;

/// Runs the command.
pub(crate) fn run(args: &args::Recv) -> Result<Ending, Failure> {
    let mut messenger = session::messenger(&args.common, &args.address)?;
    messenger.set_incoming_window(BATCH);
    if let Some(file) = &args.users {
        messenger.set_listener_passwords(read_users(file)?);
    }
    messenger.set_listeners_allow_plain(args.allow_plain_clients);
    messenger.set_client_certificates(match args.client_certificates {
        args::ClientCertificates::Ignore => ClientCertificates::Ignore,
        args::ClientCertificates::Accept => ClientCertificates::Accept,
        args::ClientCertificates::Require => ClientCertificates::Require,
    });
    let mut options = SubscribeOptions::new();
    if let Some(selector) = &args.selector {
        options = options.selector(selector);
    }
    let subscription = messenger.subscribe_with(&args.address, &options)?;
    messenger.start()?;
    if let Some(port) = messenger.subscription_port(subscription) {
        note(format_args!("listening on {}:{port}", host(&args.address)?));
    }
    let mut receiving = Receiving {
        args,
        messenger,
        output: Output::standard(),
        received: 0,
    };
    let ended = receiving.run();
    receiving.messenger.set_timeout(args.timeout);
    let stopped = receiving.messenger.stop();
    session::print_notes(&mut receiving.messenger);
    receiving.output.flush()?;
    let ending = ended?;
    stopped?;
    Ok(ending)
}

struct Receiving<'a> {
    args: &'a args::Recv,
    messenger: Messenger,
    output: Output,
    received: u64,
}

impl Receiving<'_> {
    /// Receives until the count is reached, or nothing comes within the timeout.
    fn run(&mut self) -> Result<Ending, Failure> {
        let mut last_message = Instant::now();
        while self.wanted() > 0 {
            let credit = match self.args.count {
                Some(_) => Credit::Explicit(u32::try_from(self.wanted()).unwrap_or(u32::MAX)),
                None => Credit::All,
            };
            let left = self
                .args
                .timeout
                .map(|timeout| timeout.saturating_sub(last_message.elapsed()));
            let slice = left.map_or(NOTES_EVERY, |left| left.min(NOTES_EVERY));
            self.messenger.set_timeout(Some(slice));
            let waited = self.messenger.recv(credit);
            session::print_notes(&mut self.messenger);
            match waited {
                Ok(()) => {
                    self.take_batch()?;
                    last_message = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    if left.is_none_or(|left| left > slice) {
                        continue;
                    }
                    let enough = self.args.count.is_none() && self.received > 0;
                    if enough {
                        return Ok(Ending::Good);
                    }
                    note(&error);
                    return Ok(Ending::TimedOut);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ending::Good)
    }

    /// Prints what has come, then answers it: a message that could not be printed is not answered.
    fn take_batch(&mut self) -> Result<(), Failure> {
        let mut message = Message::new();
        let mut last = None;
        let mut fault = Ok(());
        for _ in 0..self.wanted().min(BATCH as u64) {
            let got = match self.messenger.get(&mut message) {
                Err(Error::EndOfQueue) => break,
                got => got.map_err(Failure::from),
            };
            match got.and_then(|tracker| self.print(&message).map(|()| tracker)) {
                Ok(tracker) => last = Some(tracker),
                Err(failure) => {
                    fault = Err(failure);
                    break;
                }
            }
            self.received += 1;
        }
        self.output.flush()?;
        last.map_or(Ok(()), |tracker| self.answer(tracker))?;
        fault
    }

    /// Answers every message up to this one.
    fn answer(&mut self, tracker: Tracker) -> Result<(), Failure> {
        let messenger = &mut self.messenger;
        match self.args.outcome {
            Outcome::Accept => messenger.accept(tracker, Flags::CUMULATIVE)?,
            Outcome::Reject => messenger.reject(tracker, Flags::CUMULATIVE)?,
            Outcome::Release => messenger.release(tracker, Flags::CUMULATIVE)?,
            Outcome::Modify => messenger.modify(tracker, Flags::CUMULATIVE, failed())?,
        }
        Ok(())
    }

    fn print(&mut self, message: &Message) -> Result<(), Failure> {
        let malformed = |e: DecodeError| {
            Failure::new(format!("a message that cannot be read was received: {e}"))
        };
        if self.args.json {
            let json = message_to_json(message).map_err(malformed)?;
            return self.output.line(&json.to_string());
        }
        match message.body().map_err(malformed)? {
            Body::Value(Value::String(text)) => self.output.octets_line(text.as_bytes()),
            Body::Value(Value::Binary(octets)) => self.output.octets_line(octets),
            Body::Value(value) => self.output.line(&value.to_string()),
            Body::Data(sections) => self.output.octets_line(&sections.concat()),
            Body::Sequence(lists) => lists
                .iter()
                .try_for_each(|list| self.output.line(&Value::List(list.clone()).to_string())),
        }
    }

    fn wanted(&self) -> u64 {
        self.args
            .count
            .map_or(u64::MAX, |count| count.saturating_sub(self.received))
    }
}

/// The host of an address, as one writes it before a port.
fn host(address: &str) -> Result<String, Failure> {
    let host = Address::parse(address)?.host;
    Ok(match host.as_str() {
        "" => "*".to_owned(),
        v6 if v6.contains(':') => format!("[{v6}]"),
        _ => host,
    })
}

/// What `modify` says: an attempt was made, and failed.
fn failed() -> Modified {
    Modified {
        delivery_failed: Some(true),
        ..Modified::default()
    }
}

/// Reads lines of USER:PASSWORD; empty lines and lines that begin with # do not count. Of two lines for a user the later one
/// counts.
fn read_users(file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let name = file.display();
    let cannot = |why: &dyn Display| Failure::new(format!("cannot read {name}: {why}"));
    // What was read is overwritten, and the passwords once they were told to the messenger: none is a text of its own before all
    // lines are known to be good.
    let octets = Secret::from(fs::read(file).map_err(|e| cannot(&e))?);
    let text = str::from_utf8(octets.as_bytes()).map_err(|e| cannot(&e))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let users: Vec<(&str, &str)> = lines
        .map(|(number, line)| {
            line.split_once(':').ok_or_else(|| {
                let number = number + 1;
                Failure::new(format!("{name}, line {number}: should be USER:PASSWORD"))
            })
        })
        .collect::<Result<_, _>>()?;
    if users.is_empty() {
        // Everyone would be let in, which is not what a file of users is given for.
        let text = format!(
            "{name} names no user; give a line USER:PASSWORD for each, or leave --users out"
        );
        return Err(Failure::new(text));
    }
    let own = |(user, password): (&str, &str)| (user.to_owned(), password.to_owned());
    Ok(users.into_iter().map(own).collect())
}
