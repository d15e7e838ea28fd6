//! `ferrion send`: messages from lines or files to an address, and what became of each.

mod input;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ferrion_messenger::{Address, Error, Message, Messenger, Status, Tracker};
use serde_json::json;

use crate::args;
use crate::exit::{Ending, Failure};
use crate::output::{Output, note};
use crate::session;

use input::{Input, Next};

/// Runs the command.
pub(crate) fn run(args: &args::Send) -> Result<Ending, Failure> {
    // A wrong address is told before anything is read, and also if nothing is.
    Address::parse(&args.address)?;
    let mut messenger = session::messenger(&args.common, &args.address)?;
    messenger.set_outgoing_window(args.window as usize);
    messenger.set_timeout(Some(args.timeout));
    messenger.start()?;
    let input = Input::start(args, messenger.interrupter());
    let mut sending = Sending {
        args,
        messenger,
        output: Output::standard(),
        open: VecDeque::new(),
        put: 0,
        settled: 0,
        refused: 0,
        lost: None,
    };
    let sent = sending.run(&input);
    if sent.is_err() {
        // There was patience enough: what is left is given up now.
        sending.messenger.set_timeout(Some(Duration::ZERO));
    }
    let stopped = uninterrupted(|| sending.messenger.stop());
    session::print_notes(&mut sending.messenger);
    sending.report_outcomes()?;
    sending.output.flush()?;
    sent?;
    // Every message has its outcome already: a connection that does not end well takes nothing back.
    if let Err(error) = stopped {
        note(format_args!("warning: {error}"));
    }
    Ok(if sending.refused == 0 {
        Ending::Good
    } else {
        Ending::NotAccepted
    })
}

struct Sending<'a> {
    args: &'a args::Send,
    messenger: Messenger,
    output: Output,
    /// Messages without an outcome, the oldest first.
    open: VecDeque<Tracker>,
    put: u64,
    settled: u64,
    /// Messages that were not accepted.
    refused: u64,
    /// Why a message did not get through to a receiver.
    lost: Option<Failure>,
}

impl Sending<'_> {
    /// Sends everything that the input gives, and waits for all outcomes.
    fn run(&mut self, input: &Input) -> Result<(), Failure> {
        let mut last_progress = Instant::now();
        let mut input_fault = None;
        let mut at_end = false;
        loop {
            while !at_end && self.open.len() < self.args.window as usize {
                match input.next() {
                    Next::Message(message) => self.put(*message)?,
                    Next::NotYet => break,
                    Next::End => at_end = true,
                    Next::Fault(fault) => {
                        // What was read before the fault is on its way: its outcomes are still worth telling.
                        input_fault = Some(fault);
                        at_end = true;
                    }
                }
                last_progress = Instant::now();
            }
            if self.report_outcomes()? {
                last_progress = Instant::now();
                // What could not be delivered once will not be for the next line: no reading on.
                at_end |= self.lost.is_some();
                continue;
            }
            if self.open.is_empty() && at_end {
                break;
            }
            if at_end || self.open.len() >= self.args.window as usize || input.will_wait() {
                self.wait(last_progress)?;
                input.has_waited();
            }
        }
        let failure = self.lost.take().or(input_fault);
        failure.map_or(Ok(()), Err)
    }

    fn put(&mut self, mut message: Message) -> Result<(), Failure> {
        message.set_address(self.args.address.as_str());
        let tracker = uninterrupted(|| self.messenger.put(&message))?;
        self.open.push_back(tracker);
        self.put += 1;
        Ok(())
    }

    /// Works until something happens. Only a message that waits for its outcome can make it lose patience.
    fn wait(&mut self, last_progress: Instant) -> Result<(), Failure> {
        let patience = if self.open.is_empty() {
            None
        } else {
            let patience = self.args.timeout.saturating_sub(last_progress.elapsed());
            if patience.is_zero() {
                let (open, seconds) = (self.open.len(), self.args.timeout.as_secs_f64());
                let advice =
                    "has the receiver given credit, and does it answer? --timeout waits longer";
                return Err(Failure::TimedOut(format!(
                    "no outcome within {seconds} s for {open} messages: {advice}"
                )));
            }
            Some(patience)
        };
        self.output.flush()?;
        let worked = self.messenger.work(patience);
        session::print_notes(&mut self.messenger);
        match worked {
            Ok(_) | Err(Error::Interrupted) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Prints the outcomes that have come, in the order of the messages; tells whether there were any.
    fn report_outcomes(&mut self) -> Result<bool, Failure> {
        let before = self.settled;
        while let Some(&tracker) = self.open.front() {
            let status = self.messenger.status(tracker);
            if status == Status::Pending {
                break;
            }
            self.open.pop_front();
            self.settled += 1;
            if status != Status::Accepted {
                self.refused += 1;
            }
            if status == Status::Aborted && self.lost.is_none() {
                let reason = self.messenger.reason(tracker).map(ToString::to_string);
                self.lost = Some(Failure::new(
                    reason.unwrap_or_else(|| "the connection was lost".to_owned()),
                ));
            }
            if status != Status::Accepted || !self.args.quiet {
                self.print_outcome(tracker, status)?;
            }
        }
        Ok(self.settled > before)
    }

    fn print_outcome(&mut self, tracker: Tracker, status: Status) -> Result<(), Failure> {
        let number = self.settled;
        let outcome = name(status);
        let condition = self.messenger.condition(tracker);
        let condition = condition.map(|c| (c.condition.as_str(), c.description.as_deref()));
        let line = if self.args.json {
            let mut line = json!({ "message": number, "outcome": outcome });
            if let Some((condition, description)) = condition {
                line["condition"] = condition.into();
                line["description"] = description.into();
            }
            line.to_string()
        } else {
            match condition {
                None => format!("{number} {outcome}"),
                Some((condition, None)) => format!("{number} {outcome} {condition}"),
                Some((condition, Some(description))) => {
                    format!("{number} {outcome} {condition}: {description}")
                }
            }
        };
        self.output.line(&line)
    }
}

/// The reader of the input interrupts a wait for it; what comes too late for that wait ends up in the next call that waits.
fn uninterrupted<T>(mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match call() {
            Err(Error::Interrupted) => {}
            done => return done,
        }
    }
}

const fn name(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Accepted => "accepted",
        Status::Rejected => "rejected",
        Status::Released => "released",
        Status::Modified => "modified",
        Status::Aborted => "aborted",
        Status::Settled => "settled",
        Status::Unknown => "unknown",
    }
}
