//! Deliveries that come in parts, and ones that are taken back (2.7.5). rhea can do neither: it sends a message whole, hands
//! one on when it is complete, and takes the transfer that says `aborted` for the last part.

use ferrion_engine::{Event, SendOptions};
use ferrion_tests::interop::Library;
use serde_json::json;

use crate::common::{Side, attach, everywhere, meet, message};

everywhere!(ferrion_takes_a_delivery_back);

fn ferrion_takes_a_delivery_back(library: Library, side: Side) {
    let mut m = meet(library, side);
    let link = m.accept(&attach("receiver", "in"));
    m.tell(&json!({"do": "credit", "link": "in", "count": 5}));
    m.talk.until("credit", |engine| {
        (engine.sender(link).ok()?.credit() == 5).then_some(())
    });
    let mut sender = m.talk.engine().sender(link).unwrap();
    let delivery = sender.stream(b"half", &SendOptions::default()).unwrap();
    let whole = message("half of this");
    sender.write(delivery, &whole[..10]).unwrap();
    m.talk.rest(std::time::Duration::from_millis(20));
    let mut sender = m.talk.engine().sender(link).unwrap();
    sender.abort(delivery).unwrap();
    m.talk.send_settled(link, message("next"));
    match library {
        Library::Proton => {
            m.hear("aborted");
        }
        // It shows its application what there was of it.
        Library::Rhea => assert_eq!(m.hear("message")["length"], 5),
    }
    assert_eq!(m.hear("message")["text"], "next");
    m.part();
}

#[test]
fn proton_takes_a_delivery_back_as_a_server() {
    proton_takes_a_delivery_back(Side::Client);
}

#[test]
fn proton_takes_a_delivery_back_as_a_client() {
    proton_takes_a_delivery_back(Side::Server);
}

fn proton_takes_a_delivery_back(side: Side) {
    let mut m = meet(Library::Proton, side);
    let link = m.receiver("node");
    let name = m.name(link);
    m.talk.engine().receiver(link).unwrap().set_streaming(true);
    m.talk.grant(link, 5);
    m.talk.rest(std::time::Duration::from_millis(20));
    m.tell(&json!({"do": "part", "link": name, "size": 1000}));
    m.talk.expect(Event::Deliveries(link));
    let mut receiver = m.talk.engine().receiver(link).unwrap();
    let part = receiver.read_partial().expect("a part");
    assert_eq!(part.len(), 508);
    assert!(receiver.next_delivery().is_none());
    m.tell(&json!({"do": "abort", "link": name, "index": 0}));
    let rest = m.talk.receive(link);
    assert!(rest.aborted && rest.payload.is_empty());
    m.tell(&json!({"do": "send", "link": name, "texts": ["next"]}));
    assert_eq!(m.talk.receive(link).payload.into_bytes(), message("next"));
    m.part();
}
