//! A broker that is killed in the middle, and started again on the data that it left.

use ferrion_tests::interop::{ActiveMqPlan, Signal, Traffic};

#[test]
fn nothing_accepted_is_lost_when_the_broker_is_killed_and_started_again() {
    let mut broker = ActiveMqPlan::new().persistent().start();
    let place = format!("amqp://127.0.0.1:{}", broker.port());
    let traffic = Traffic::start(&format!("{place}/queue://killed"), &[]);
    for _ in 0..2 {
        traffic.flow(300);
        broker.signal(Signal::Kill);
        broker.restart();
    }
    traffic.flow(300);
    for places in traffic.finish() {
        assert_eq!(places, vec![place.clone(); 3]);
    }
}
