//! A messenger as the options of `send` and `recv` want it.

use ferrion_messenger::{ConnectionEvent, Messenger, Reconnect};

use crate::args::Common;
use crate::exit::Failure;
use crate::output::{note, raw_note};

/// The environment variable that has the password of `--user`: a command line can be read by every user of the machine.
const PASSWORD: &str = "FERRION_PASSWORD";

/// Makes a messenger with these options for this address, not started yet.
pub(crate) fn messenger(options: &Common, address: &str) -> Result<Messenger, Failure> {
    let mut messenger = Messenger::new()?;
    let again = !options.give_up_after.is_zero();
    messenger.set_reconnect(again.then(|| Reconnect {
        give_up_after: Some(options.give_up_after),
        initial: options.wait_for_peer,
        ..Reconnect::default()
    }));
    if !options.alternatives.is_empty() {
        let others = options.alternatives.iter().map(String::as_str);
        messenger.set_alternatives(address, others)?;
    }
    messenger.set_tracing(options.trace);
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

/// Prints the warnings, the connections to be made again and the traced frames that came up since the last time.
pub(crate) fn print_notes(messenger: &mut Messenger) {
    while let Some(warning) = messenger.poll_warning() {
        note(format_args!("warning: {warning}"));
    }
    let mut failed = None;
    while let Some(event) = messenger.poll_connection_event() {
        match event {
            ConnectionEvent::Failed { address, .. } => failed = Some(address),
            ConnectionEvent::Retrying { address, .. } => {
                let from = failed.take().unwrap_or_else(|| address.clone());
                note(format_args!(
                    "warning: no connection to {from}; trying {address}"
                ));
            }
            ConnectionEvent::Redirected { address, error } => {
                note(format_args!("warning: {error}; going on at {address}"));
            }
            _ => {}
        }
    }
    while let Some(line) = messenger.poll_trace() {
        raw_note(line);
    }
}
