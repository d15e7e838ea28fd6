//! `ferrion demo`: a messenger sends to another one over TCP, reliably, and the outcomes are counted and timed.

mod latency;
mod report;

use std::collections::VecDeque;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, Flags, Message, Messenger, Status, Tracker};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::args;
use crate::exit::{Ending, Failure};
use crate::output::Output;

use report::Report;

/// How many messages the receiver takes before it accepts them all with one disposition.
const BATCH: usize = 1024;

/// Runs the command: the receiver in a thread of its own, the sender in this one.
pub(crate) fn run(args: &args::Demo) -> Result<Ending, Failure> {
    let mut receiver = Messenger::with_name("ferrion-demo-receiver")?;
    receiver.set_incoming_window(BATCH);
    let subscription = receiver.subscribe("~127.0.0.1:0")?;
    receiver.start()?;
    let port = receiver.subscription_port(subscription);
    let port = port
        .ok_or_else(|| Failure::new("the listener has no port: is the loopback interface up?"))?;
    let end_of_demo = receiver.interrupter();
    let receiving = thread::spawn(move || receive(receiver));

    let progress = progress_bar(args);
    let mut report = Report::new(port, args);
    let sent = send(args, port, &mut report, &progress);
    progress.finish_and_clear();

    end_of_demo.interrupt();
    let received = receiving
        .join()
        .map_err(|_| Failure::new("the receiver broke down; please report this"))?;

    let mut output = Output::standard();
    output.line(&if args.json {
        report.to_json()
    } else {
        report.to_string()
    })?;
    output.flush()?;
    received?;
    sent?;
    Ok(if report.all_accepted() {
        Ending::Good
    } else {
        Ending::NotAccepted
    })
}

/// Takes and accepts messages until it is interrupted.
fn receive(mut messenger: Messenger) -> Result<(), Failure> {
    let mut message = Message::new();
    loop {
        match messenger.recv(Credit::All) {
            Ok(()) => {}
            Err(Error::Interrupted) => break,
            Err(error) => return Err(error.into()),
        }
        let mut last = None;
        for _ in 0..BATCH {
            match messenger.get(&mut message) {
                Ok(tracker) => last = Some(tracker),
                Err(Error::EndOfQueue) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(tracker) = last {
            messenger.accept(tracker, Flags::CUMULATIVE)?;
        }
    }
    Ok(messenger.stop()?)
}

/// Sends all messages and waits for their outcomes, at most `window` of them open at a time.
fn send(
    args: &args::Demo,
    port: u16,
    report: &mut Report,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    let window = args.window as usize;
    let mut messenger = Messenger::with_name("ferrion-demo-sender")?;
    messenger.set_outgoing_window(window);
    messenger.set_timeout(Some(args.timeout));
    messenger.start()?;
    let mut message = Message::with_body(vec![b'f'; args.size as usize]);
    message.set_address(format!("amqp://127.0.0.1:{port}/demo"));

    let mut open = VecDeque::with_capacity(window);
    let begin = Instant::now();
    let mut last_outcome = begin;
    while report.settled() < args.count {
        while open.len() < window && report.sent < args.count {
            let since = Instant::now();
            open.push_back((messenger.put(&message)?, since));
            report.sent += 1;
        }
        let patience = args.timeout.saturating_sub(last_outcome.elapsed());
        if patience.is_zero() {
            report.elapsed = begin.elapsed();
            return Err(no_outcome(args.timeout, open.len()));
        }
        messenger.work(Some(patience))?;
        if take_outcomes(&messenger, &mut open, report) {
            last_outcome = Instant::now();
            report.elapsed = begin.elapsed();
            progress.set_position(report.settled());
        }
    }
    Ok(messenger.stop()?)
}

/// Counts and times the outcomes that have come, oldest message first; tells whether there were any.
fn take_outcomes(
    messenger: &Messenger,
    open: &mut VecDeque<(Tracker, Instant)>,
    report: &mut Report,
) -> bool {
    let now = Instant::now();
    let before = open.len();
    while let Some(&(tracker, since)) = open.front() {
        match messenger.status(tracker) {
            Status::Pending => break,
            status => report.count(status, now.saturating_duration_since(since)),
        }
        open.pop_front();
    }
    open.len() < before
}

fn no_outcome(timeout: Duration, open: usize) -> Failure {
    let seconds = timeout.as_secs_f64();
    Failure::TimedOut(format!(
        "no outcome came for {seconds} s, and {open} messages wait for theirs; is the machine overloaded?"
    ))
}

/// A bar on a terminal; nothing otherwise, and nothing beside JSON.
fn progress_bar(args: &args::Demo) -> ProgressBar {
    if args.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(args.count);
    let template = "{wide_bar} {human_pos} of {human_len}, {rate}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key(
            "rate",
            |state: &ProgressState, text: &mut dyn fmt::Write| {
                // A bar without its rate is still a bar.
                let _ = write!(text, "{:.0}/s", state.per_sec());
            },
        ));
    }
    bar
}
