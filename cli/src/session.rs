//! A messenger as the options of `send` and `recv` want it.

use std::io::{self, Write};

use ferrion_messenger::Messenger;

use crate::args::Common;
use crate::exit::Failure;

/// The environment variable that has the password of `--user`: a command line can be read by every user of the machine.
const PASSWORD: &str = "FERRION_PASSWORD";

/// Makes a messenger with these options, not started yet.
pub(crate) fn messenger(options: &Common) -> Result<Messenger, Failure> {
    let mut messenger = Messenger::new()?;
    messenger.set_tracer(options.trace);
    messenger.set_allow_plain_without_tls(options.allow_plain_without_tls);
    if let Some(file) = &options.ca {
        messenger.set_trusted_certificates(file)?;
    }
    if let Some(certificate) = &options.cert {
        messenger.set_certificate(certificate, options.key.as_ref().unwrap_or(certificate))?;
    }
    if let Some(path) = &options.websocket_path {
        messenger.set_websocket_path(path);
    }
    messenger.set_dangerous_accept_any_certificate(options.dangerous_accept_any_certificate);
    if let Some(user) = &options.user {
        let password = std::env::var(PASSWORD).map_err(|_| {
            Failure::new(format!(
                "--user needs a password: set the environment variable {PASSWORD}"
            ))
        })?;
        messenger.set_credentials(Some(user), Some(&password));
    }
    Ok(messenger)
}

/// Prints the warnings and the traced frames that came up since the last time. That nobody reads them is no failure.
pub(crate) fn print_notes(messenger: &mut Messenger) {
    let mut to = io::stderr().lock();
    while let Some(warning) = messenger.poll_warning() {
        let _ = writeln!(to, "ferrion: warning: {warning}");
    }
    while let Some(line) = messenger.poll_trace() {
        let _ = writeln!(to, "{line}");
    }
}
