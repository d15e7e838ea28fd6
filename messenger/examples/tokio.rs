//! A messenger as a task of tokio's: it listens and prints what comes, while other tasks run. `tokio [ADDRESS]`.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::time::Duration;

    use ferrion_messenger::Messenger;

    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "~127.0.0.1".to_owned());
    let mut messenger = Messenger::new()?;
    messenger.set_passive(true);
    messenger.subscribe(&address)?;

    let mut ticks = tokio::time::interval(Duration::from_secs(10));
    let receiving = driven::receive(messenger, |message| println!("{:?}", message.body()));
    tokio::pin!(receiving);
    loop {
        tokio::select! {
            ended = &mut receiving => return Ok(ended?),
            _ = ticks.tick() => eprintln!("still here"),
        }
    }
}

#[cfg(unix)]
mod driven {
    use std::time::Duration;

    use ferrion_messenger::{Credit, Error, Message, Messenger};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// Hands over messages for as long as nothing fails.
    pub(super) async fn receive(
        messenger: Messenger,
        mut each: impl FnMut(&Message),
    ) -> Result<(), Error> {
        #[expect(
            deprecated,
            reason = "the new way is unsafe code, for descriptors that change; a messenger keeps its own for life"
        )]
        let mut watched = AsyncFd::with_interest(messenger, Interest::READABLE).map_err(system)?;
        let mut message = Message::new();
        loop {
            let messenger = watched.get_mut();
            match messenger.recv(Credit::All) {
                Ok(()) | Err(Error::InProgress) => {}
                Err(error) => return Err(error),
            }
            while messenger.get(&mut message).is_ok() {
                each(&message);
            }
            // Either the descriptor has news or time is up: both mean work. That there were news is taken back
            // before the work, so that those which come meanwhile are not missed.
            match messenger.deadline() {
                None => watched.readable().await.map_err(system)?.clear_ready(),
                Some(due) => {
                    if let Ok(ready) = tokio::time::timeout(due, watched.readable()).await {
                        ready.map_err(system)?.clear_ready();
                    }
                }
            }
            watched.get_mut().work(Some(Duration::ZERO))?;
        }
    }

    fn system(error: std::io::Error) -> Error {
        Error::System {
            what: "cannot watch the messenger",
            cause: error.to_string(),
        }
    }
}
