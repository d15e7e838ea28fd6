//! Sends a message and says what became of it: `send ADDRESS [TEXT]`.

use ferrion_messenger::{Message, Messenger};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .unwrap_or_else(|| "amqp://127.0.0.1".to_owned());
    let text = arguments
        .next()
        .unwrap_or_else(|| "Hello World!".to_owned());

    let mut messenger = Messenger::new()?;
    messenger.start()?;
    messenger.set_outgoing_window(100);

    let mut message = Message::with_body(text.as_str());
    message.set_address(address);
    let tracker = messenger.put(&message)?;
    messenger.send()?;

    println!("{}", messenger.status(tracker));
    messenger.stop()?;
    Ok(())
}
