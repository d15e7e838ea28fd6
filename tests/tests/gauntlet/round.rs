//! One exchange of a thousand messages through a proxy that does something to it once.

use std::time::{Duration, Instant};

use ferrion_messenger::{LinkRecovery, Message, Messenger, Reconnect, Status, Tracker};
use ferrion_tests::interop::proxy::{Cut, Direction, Proxy};

use crate::hall::Hall;
use crate::support::Wire;
use crate::{IDLE, MESSAGES, WATCHDOG};

/// Messages that are put at a time; twice as many are on their way at most.
const BURST: usize = 20;

/// How long the links of those who left without a word are kept: far longer than it takes to come back.
pub(crate) const KEEP: Duration = Duration::from_secs(4);

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
        (self == Self::ExactlyOnce).then(|| LinkRecovery {
            keep_for: KEEP,
            ..LinkRecovery::default()
        })
    }
}

/// What a round showed.
pub(crate) struct Outcome {
    /// Whether the exchange came so far that something happened to it.
    pub(crate) met: bool,
    /// How many messages came more than once.
    pub(crate) repeated: usize,
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
    /// Sends everything, and answers what is wrong with what came of it.
    pub(crate) fn run(&self, hall: &Hall) -> Result<Outcome, String> {
        let proxy = match self.cut {
            Some(cut) => Proxy::once(hall.port, cut),
            None => Proxy::start(hall.port, None),
        };
        hall.begin(self.number);
        let mut messenger = self.messenger();
        let begun = Instant::now();
        let sent = self.send(&mut messenger, proxy.port());
        let explain = |messenger: &mut Messenger, what: String| {
            let trail: Vec<_> = std::iter::from_fn(|| messenger.poll_connection_event()).collect();
            format!("{what}, after {:?}; {trail:?}", begun.elapsed())
        };
        let trackers = sent.map_err(|what| explain(&mut messenger, what))?;
        messenger
            .stop()
            .map_err(|error| explain(&mut messenger, format!("stop: {error}")))?;
        for (number, tracker) in trackers.into_iter().enumerate() {
            let status = messenger.status(tracker);
            if status != Status::Accepted {
                let error = messenger.tracker_error(tracker).cloned();
                let what = format!("message {number} is {status}: {error:?}");
                return Err(explain(&mut messenger, what));
            }
        }
        let tally = hall.end(self.number);
        let missing: Vec<_> = (0..MESSAGES).filter(|n| tally[*n] == 0).collect();
        if !missing.is_empty() {
            let what = format!("accepted, and not received: {missing:?}");
            return Err(explain(&mut messenger, what));
        }
        let repeated = tally.iter().filter(|count| **count > 1).count();
        if self.promise == Promise::ExactlyOnce && repeated > 0 {
            let what = format!("{repeated} messages were received more than once");
            return Err(explain(&mut messenger, what));
        }
        drop(messenger);
        let carried = |direction| (proxy.frames(direction).len(), proxy.octets(direction));
        Ok(Outcome {
            met: proxy.has_cut(),
            repeated,
            to_server: carried(Direction::ToServer),
            to_client: carried(Direction::ToClient),
        })
    }

    fn messenger(&self) -> Messenger {
        let mut messenger = self.wire.client();
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
