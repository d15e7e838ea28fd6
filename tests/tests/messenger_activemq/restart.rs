//! A broker that is killed in the middle, and started again on the data that it left, and that is asked to recover links.

use std::time::Duration;

use ferrion_messenger::{Credit, ErrorKind, Flags, LinkRecovery, Status};
use ferrion_tests::interop::{ActiveMqPlan, Signal, Traffic};

use crate::support::{message_to, messenger, take, text};

#[test]
fn nothing_accepted_is_lost_when_the_broker_is_killed_and_started_again() {
    let mut broker = ActiveMqPlan::new().persistent().start();
    let place = format!("amqp://127.0.0.1:{}", broker.port());
    let traffic = Traffic::start(&format!("{place}/queue://killed"), &[]);
    // The broker remembers nothing: then it is as if nobody had asked.
    let asking = Traffic::start_with(&format!("{place}/queue://asked"), &[], |messenger| {
        messenger.set_link_recovery(Some(LinkRecovery::default()));
    });
    for _ in 0..2 {
        traffic.flow(300);
        asking.flow(1);
        broker.signal(Signal::Kill);
        broker.restart();
    }
    traffic.flow(300);
    for places in [traffic.finish(), asking.finish()].concat() {
        assert_eq!(places, vec![place.clone(); 3]);
    }
}

#[test]
fn what_is_accepted_is_settled_on_links_that_would_be_recovered() {
    let broker = ActiveMqPlan::new().start();
    let address = format!("amqp://127.0.0.1:{}/queue://asked", broker.port());
    let recovering = || {
        let mut messenger = messenger();
        messenger.set_link_recovery(Some(LinkRecovery::default()));
        messenger
    };
    let mut sender = recovering();
    let trackers: Vec<_> = (0..20)
        .map(|n| sender.put(&message_to(&address, n.to_string())).unwrap())
        .collect();
    sender.send().unwrap();
    for tracker in trackers {
        assert_eq!(sender.status(tracker), Status::Accepted);
    }
    sender.stop().unwrap();
    let mut receiver = recovering();
    receiver.subscribe(&address).unwrap();
    for n in 0..20 {
        let (tracker, message) = take(&mut receiver);
        assert_eq!(text(&message), n.to_string());
        receiver.accept(tracker, Flags::NONE).unwrap();
        assert_eq!(receiver.status(tracker), Status::Accepted);
    }
    receiver.stop().unwrap();
    // Nothing is left of them.
    let mut late = messenger();
    late.subscribe(&address).unwrap();
    late.set_timeout(Some(Duration::from_millis(300)));
    let error = late.recv(Credit::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    late.stop().unwrap();
}
