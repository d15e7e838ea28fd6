//! The client's side of a round in which it receives.

use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, Flags, Message, Messenger};

use crate::fountain::Fountain;
use crate::hall::Tally;
use crate::round::{Promise, Round};
use crate::{MESSAGES, WATCHDOG};

/// Who hears nothing for so long asks again.
const QUIET: Duration = Duration::from_millis(50);

impl Round {
    /// The client's name. A label of more than 63 octets is the name of no host: who has left is not looked for elsewhere.
    pub(crate) fn name(&self) -> String {
        format!("gauntlet-{}-{}", self.number, "x".repeat(60))
    }

    /// Receives and accepts everything, and answers how often each message came.
    pub(crate) fn receive(
        &self,
        messenger: &mut Messenger,
        fountain: &Fountain,
        port: u16,
    ) -> Result<Tally, String> {
        let failed = |what: &str, error| format!("{what}: {error}");
        let (begun, scheme) = (Instant::now(), self.wire.scheme());
        let address = |node: &str| format!("{scheme}://127.0.0.1:{port}/{node}");
        let mut tally = vec![0_u8; MESSAGES];
        let mut message = Message::new();
        fountain.begin(self.number);
        messenger
            .subscribe(&address("feed"))
            .map_err(|error| failed("subscribe", error))?;
        let mut question = Message::with_body(self.number.to_string());
        question.set_address(address("ask"));
        question.set_reply_to("~/feed");
        let ask = |messenger: &mut Messenger| {
            let asked = messenger.put(&question);
            asked.map(|_| ()).map_err(|error| failed("put", error))
        };
        ask(messenger)?;
        messenger.set_timeout(Some(QUIET));
        while !fountain.is_done(self.number) {
            match messenger.recv(Credit::All) {
                Ok(()) => {}
                Err(Error::Timeout { .. }) => {
                    // What was recovered comes without being asked for once more.
                    if self.promise == Promise::AtLeastOnce && messenger.outgoing() == 0 {
                        ask(messenger)?;
                    }
                }
                Err(error) => return Err(failed("recv", error)),
            }
            while let Ok(tracker) = messenger.get(&mut message) {
                let body = message.body_text().unwrap().unwrap();
                let number = body.strip_prefix(&format!("{} ", self.number)).unwrap();
                let number: usize = number.parse().unwrap();
                tally[number] = tally[number].saturating_add(1);
                messenger
                    .accept(tracker, Flags::NONE)
                    .map_err(|error| failed("accept", error))?;
            }
            if begun.elapsed() > WATCHDOG {
                let (accepted, again) = fountain.end(self.number);
                let came = tally.iter().filter(|count| **count > 0).count();
                return Err(format!(
                    "a hang: {came} came, of the first {accepted} were accepted, {again} were put again"
                ));
            }
        }
        messenger.set_timeout(Some(WATCHDOG));
        let (_, again) = fountain.end(self.number);
        if self.promise == Promise::ExactlyOnce && again > 0 {
            return Err(format!("{again} messages were given up"));
        }
        Ok(tally)
    }
}
