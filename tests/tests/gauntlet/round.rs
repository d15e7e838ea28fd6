//! One exchange of a thousand messages through a proxy that does something to it once.

use std::time::{Duration, Instant};

use ferrion_messenger::{
    ConnectionEvent, LinkRecovery, Message, Messenger, Reconnect, Status, Tracker,
};
use ferrion_tests::interop::proxy::{Cut, Direction, Proxy};

use crate::far::Far;
use crate::hall::{Hall, Tally};
use crate::support::Wire;
use crate::{IDLE, MESSAGES, WATCHDOG};

/// Messages that are put at a time; twice as many are on their way at most.
const BURST: usize = 20;

/// What is promised about messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    AtLeastOnce,
    /// By link recovery, which both sides want.
    ExactlyOnce,
}

impl Promise {
    /// The setting that keeps it.
    pub(crate) fn recovery(self) -> Option<LinkRecovery> {
        // What is kept of those who left without a word is kept for far longer than it takes to come back, on any machine.
        (self == Self::ExactlyOnce).then(LinkRecovery::default)
    }
}

/// What a round showed.
pub(crate) struct Outcome {
    /// Whether the exchange came so far that something happened to it.
    pub(crate) met: bool,
    /// How many messages came more than once.
    pub(crate) repeated: usize,
    /// Whether a connection was lost: to what the proxy did, or as a machine with other things to do kept silent.
    pub(crate) lost: bool,
    /// Frames and octets that the proxy carried in either direction.
    pub(crate) to_server: (usize, usize),
    pub(crate) to_client: (usize, usize),
}

pub(crate) struct Round {
    pub(crate) number: u32,
    pub(crate) wire: Wire,
    pub(crate) promise: Promise,
    pub(crate) cut: Option<Cut>,
}

impl Round {
    /// Exchanges everything, and answers what is wrong with what came of it.
    pub(crate) fn run(&self, far: &Far) -> Result<Outcome, String> {
        let proxy = match self.cut {
            Some(cut) => Proxy::once(far.port(), cut),
            None => Proxy::start(far.port(), None),
        };
        let mut messenger = self.messenger();
        let begun = Instant::now();
        let exchanged = match far {
            Far::Hall(hall) => self.send_all(&mut messenger, hall, proxy.port()),
            Far::Fountain(fountain) => self
                .receive(&mut messenger, fountain, proxy.port())
                .and_then(|tally| stop(&mut messenger).map(|()| tally)),
        };
        let judged = exchanged.and_then(|tally| self.judge(&tally));
        let trail: Vec<_> = std::iter::from_fn(|| messenger.poll_connection_event()).collect();
        let repeated =
            judged.map_err(|what| format!("{what}, after {:?}; {trail:?}", begun.elapsed()))?;
        let lost = |event: &ConnectionEvent| matches!(event, ConnectionEvent::Failed { .. });
        drop(messenger);
        let carried = |direction| (proxy.frames(direction).len(), proxy.octets(direction));
        Ok(Outcome {
            met: proxy.has_cut(),
            repeated,
            lost: trail.iter().any(lost),
            to_server: carried(Direction::ToServer),
            to_client: carried(Direction::ToClient),
        })
    }

    /// All were accepted: each was received, and how many more than once is answered.
    fn judge(&self, tally: &Tally) -> Result<usize, String> {
        let missing: Vec<_> = (0..MESSAGES).filter(|n| tally[*n] == 0).collect();
        if !missing.is_empty() {
            return Err(format!("accepted, and not received: {missing:?}"));
        }
        let repeated = tally.iter().filter(|count| **count > 1).count();
        if self.promise == Promise::ExactlyOnce && repeated > 0 {
            return Err(format!("{repeated} messages were received more than once"));
        }
        Ok(repeated)
    }

    /// Sends everything until it is accepted, and answers how often each message was received.
    fn send_all(&self, messenger: &mut Messenger, hall: &Hall, port: u16) -> Result<Tally, String> {
        hall.begin(self.number);
        let trackers = self.send(messenger, port)?;
        stop(messenger)?;
        for (number, tracker) in trackers.into_iter().enumerate() {
            let status = messenger.status(tracker);
            if status != Status::Accepted {
                let error = messenger.reason(tracker).cloned();
                return Err(format!("message {number} is {status}: {error:?}"));
            }
        }
        Ok(hall.end(self.number))
    }

    fn messenger(&self) -> Messenger {
        let mut messenger = self.wire.client_with_name(Some(&self.name()));
        messenger.set_timeout(Some(WATCHDOG));
        messenger.set_outgoing_window(usize::MAX);
        messenger.set_idle_time_out(Some(IDLE));
        messenger.set_handshake_time_out(IDLE);
        messenger.set_reconnect_seed(u64::from(self.number));
        messenger.set_reconnect(Some(Reconnect {
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(50),
            give_up_after: None,
            initial: true,
        }));
        messenger.set_link_recovery(self.promise.recovery());
        messenger
    }

    fn send(&self, messenger: &mut Messenger, port: u16) -> Result<Vec<Tracker>, String> {
        let scheme = self.wire.scheme();
        let mut trackers = Vec::with_capacity(MESSAGES);
        let mut message = Message::new();
        message.set_address(format!("{scheme}://127.0.0.1:{port}/gauntlet"));
        let failed = |what: &str, error| format!("{what}: {error}");
        for number in 0..MESSAGES {
            message.set_body(format!("{} {number}", self.number));
            let tracker = messenger
                .put(&message)
                .map_err(|error| failed("put", error))?;
            trackers.push(tracker);
            if trackers.len() > BURST && trackers.len() % BURST == 0 {
                messenger
                    .send_n(messenger.outgoing().saturating_sub(BURST))
                    .map_err(|error| failed("send_n", error))?;
            }
        }
        messenger.send().map_err(|error| failed("send", error))?;
        Ok(trackers)
    }
}

fn stop(messenger: &mut Messenger) -> Result<(), String> {
    messenger.stop().map_err(|error| format!("stop: {error}"))
}
