//! A message that is too large to be held.

use ferrion_engine::protocol::DeliveryState;
use ferrion_tests::interop::{
    ActiveMqPlan, Conversation,
    large::{narrow, peak_memory, receive_large, send_large},
};

use crate::support::config;

/// Octets of the message, of which the broker makes several copies in memory.
const SIZE: u32 = 200 << 20;
/// Octets that ferrion may need for it, the program itself included.
const MEMORY: u64 = 16 << 20;

#[test]
fn a_large_message_goes_through_in_bounded_memory() {
    let peak = peak_memory(
        "large::a_large_message_goes_through_in_bounded_memory",
        || {
            let broker = ActiveMqPlan::new().heap(2048).start();
            let mut talk = Conversation::connect(broker.port(), config("large"));
            talk.open();
            let session = talk.begin_with(narrow());
            let sender = talk.sender(session, "queue://large");
            let delivery = send_large(&mut talk, sender, SIZE);
            assert_eq!(
                talk.outcome(sender, delivery),
                Some(DeliveryState::Accepted)
            );
            let receiver = talk.receiver(session, "queue://large");
            let delivery = receive_large(&mut talk, receiver, SIZE);
            talk.settle(receiver, delivery, DeliveryState::Accepted);
            assert_eq!(talk.close(), None);
        },
    );
    assert!(peak < MEMORY, "{peak} octets");
}
