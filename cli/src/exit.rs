//! How the command ends: an exit code that scripts can use, and a text for people.

use std::fmt;
use std::process::ExitCode;

use ferrion_messenger::{Error, ErrorKind};

use crate::output::note;

/// How a command ended that did not fail at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is well.
    Good,
    /// Some message was not accepted.
    NotAccepted,
    /// Nothing came within the timeout.
    TimedOut,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Good => Self::SUCCESS,
            Ending::NotAccepted => Self::from(3),
            Ending::TimedOut => Self::from(4),
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of our output went away: nothing is left to say, and nobody to say it to.
    OutputClosed,
    /// A messenger gave up waiting.
    TimedOut(String),
    /// Everything else.
    Other(String),
}

impl Failure {
    /// A failure with this text, which says what to do.
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self::Other(text.to_string())
    }

    /// A failure to write to standard output.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::Other(format!("cannot write to standard output: {error}"))
        }
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::OutputClosed => ExitCode::from(1),
            Self::TimedOut(text) => {
                note(text);
                ExitCode::from(4)
            }
            Self::Other(text) => {
                note(text);
                ExitCode::from(1)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.kind() == ErrorKind::Timeout {
            Self::TimedOut(error.to_string())
        } else {
            Self::Other(error.to_string())
        }
    }
}
