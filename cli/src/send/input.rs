//! The messages to send, read in a thread of their own, so that a slow terminal keeps no heartbeat waiting.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use ferrion_messenger::{Interrupter, Message};

use crate::args;
use crate::exit::Failure;
use crate::json::message_from_json;

/// Messages that are read ahead. Few, because each may be large.
const AHEAD: usize = 16;

/// The messages that lines or files become.
pub(super) struct Input {
    messages: Receiver<Result<Message, Failure>>,
    /// Whether the sender is about to wait, and must be interrupted when a message comes.
    waits: Arc<AtomicBool>,
}

/// What the input has.
pub(super) enum Next {
    Message(Box<Message>),
    NotYet,
    End,
    Fault(Failure),
}

impl Input {
    /// Begins to read. The thread ends with the input, or with the process.
    pub(super) fn start(args: &args::Send, sender: Interrupter) -> Self {
        let (to, messages) = sync_channel(AHEAD);
        let waits = Arc::new(AtomicBool::new(false));
        let mut reading = Reading {
            to: Some(to),
            waits: Arc::clone(&waits),
            sender,
            form: Form::of(args),
        };
        let files = args.files.clone();
        thread::spawn(move || {
            if let Err(Stop::Fault(fault)) = reading.read(&files) {
                let _ = reading.give(Err(fault));
            }
            reading.to = None;
            reading.wake();
        });
        Self { messages, waits }
    }

    /// The next message, if one is there already.
    pub(super) fn next(&self) -> Next {
        match self.messages.try_recv() {
            Ok(Ok(message)) => Next::Message(Box::new(message)),
            Ok(Err(fault)) => Next::Fault(fault),
            Err(TryRecvError::Empty) => Next::NotYet,
            Err(TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Says that the sender will wait until it is interrupted. If it answers `false`, this was news: ask for the next
    /// message once more, because one may have come just before, and nobody was interrupted for it.
    pub(super) fn will_wait(&self) -> bool {
        self.waits.swap(true, Ordering::SeqCst)
    }

    /// Says that the sender waits no more.
    pub(super) fn has_waited(&self) {
        self.waits.store(false, Ordering::SeqCst);
    }
}

/// What a line or a file is.
#[derive(Clone, Copy)]
struct Form {
    json: bool,
    data: bool,
    whole_files: bool,
}

impl Form {
    const fn of(args: &args::Send) -> Self {
        Self {
            json: args.json,
            data: args.data,
            whole_files: args.file,
        }
    }

    fn message(self, octets: Vec<u8>) -> Result<Message, String> {
        if self.json {
            let json = serde_json::from_slice(&octets).map_err(|e| format!("not JSON: {e}"))?;
            return message_from_json(&json).map_err(|e| e.to_string());
        }
        if self.data || self.whole_files {
            return Ok(Message::with_body(octets));
        }
        let text = String::from_utf8(octets)
            .map_err(|_| "not UTF-8; --data sends lines as octets".to_owned())?;
        Ok(Message::with_body(text.as_str()))
    }
}

/// Why reading ends early.
enum Stop {
    /// The sender wants no more.
    Unwanted,
    Fault(Failure),
}

struct Reading {
    to: Option<SyncSender<Result<Message, Failure>>>,
    waits: Arc<AtomicBool>,
    sender: Interrupter,
    form: Form,
}

impl Reading {
    fn read(&self, files: &[PathBuf]) -> Result<(), Stop> {
        if files.is_empty() {
            return self.read_one(Path::new("-"));
        }
        files.iter().try_for_each(|file| self.read_one(file))
    }

    fn read_one(&self, file: &Path) -> Result<(), Stop> {
        if file == Path::new("-") {
            return self.read_from("standard input", io::stdin().lock());
        }
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|e| fault(&name, &e.to_string()))?;
        self.read_from(&name, BufReader::new(opened))
    }

    fn read_from(&self, name: &str, mut from: impl BufRead) -> Result<(), Stop> {
        if self.form.whole_files {
            let mut octets = Vec::new();
            from.read_to_end(&mut octets)
                .map_err(|e| fault(name, &e.to_string()))?;
            let message = self.form.message(octets).map_err(|e| fault(name, &e))?;
            return self.give(Ok(message));
        }
        for number in 1_u64.. {
            let mut line = Vec::new();
            if from
                .read_until(b'\n', &mut line)
                .map_err(|e| fault(name, &e.to_string()))?
                == 0
            {
                break;
            }
            trim_line_break(&mut line);
            if self.form.json && line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let message = self
                .form
                .message(line)
                .map_err(|e| fault(&format!("{name}, line {number}"), &e))?;
            self.give(Ok(message))?;
        }
        Ok(())
    }

    fn give(&self, message: Result<Message, Failure>) -> Result<(), Stop> {
        let to = self.to.as_ref().ok_or(Stop::Unwanted)?;
        to.send(message).map_err(|_| Stop::Unwanted)?;
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        if self.waits.swap(false, Ordering::SeqCst) {
            self.sender.interrupt();
        }
    }
}

fn trim_line_break(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
}

fn fault(name: &str, what: &str) -> Stop {
    Stop::Fault(Failure::new(format!("cannot read {name}: {what}")))
}
