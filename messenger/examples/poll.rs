//! A program with a loop of its own, around `poll(2)`: messages that come are printed, and lines that are typed
//! are sent. `poll LISTEN SEND-TO`, for example `poll '~127.0.0.1:5680' 127.0.0.1:5680`.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::BufRead;
    use std::time::Duration;

    use ferrion_messenger::{Credit, Error, Message, Messenger};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut arguments = std::env::args().skip(1);
    let listen = arguments
        .next()
        .unwrap_or_else(|| "~127.0.0.1:5680".to_owned());
    let to = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:5680".to_owned());

    let mut messenger = Messenger::new()?;
    messenger.set_passive(true);
    messenger.subscribe(&listen)?;
    let input = std::io::stdin();
    let mut line = Vec::new();
    loop {
        match messenger.recv(Credit::All) {
            Ok(()) | Err(Error::InProgress) => {}
            Err(error) => return Err(error.into()),
        }
        let mut message = Message::new();
        while messenger.get(&mut message).is_ok() {
            println!("{:?}", message.body()?);
        }

        // Everything that this program waits for is in one place: its input, the messenger, and time.
        let due = messenger.deadline().map(Timespec::try_from).transpose()?;
        let mut watched = [
            PollFd::new(&messenger, PollFlags::IN),
            PollFd::new(&input, PollFlags::IN),
        ];
        poll(&mut watched, due.as_ref())?;
        let typed = !watched[1].revents().is_empty();
        messenger.work(Some(Duration::ZERO))?;

        if typed {
            let mut input = input.lock();
            let octets = input.fill_buf()?;
            let count = octets.len();
            if count == 0 {
                break;
            }
            line.extend_from_slice(octets);
            input.consume(count);
            while let Some(end) = line.iter().position(|octet| *octet == b'\n') {
                let text: Vec<u8> = line.drain(..=end).take(end).collect();
                let mut message = Message::with_body(String::from_utf8_lossy(&text).as_ref());
                message.set_address(to.as_str());
                messenger.put(&message)?;
            }
        }
    }
    // The rest may wait.
    messenger.set_passive(false);
    messenger.stop()?;
    Ok(())
}
