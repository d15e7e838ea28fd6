//! Prints what comes, and accepts it when it is printed: `recv [ADDRESS]`.

use ferrion_messenger::{Credit, Flags, Message, Messenger};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "~0.0.0.0".to_owned());

    let mut messenger = Messenger::new()?;
    messenger.start()?;
    messenger.set_incoming_window(1024);
    messenger.subscribe(&address)?;

    let mut message = Message::new();
    loop {
        messenger.recv(Credit::All)?;
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message)?;
            println!("{:?}", message.body()?);
            messenger.accept(tracker, Flags::NONE)?;
        }
    }
}
