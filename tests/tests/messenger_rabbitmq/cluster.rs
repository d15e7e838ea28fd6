//! Three nodes, of which one after the other is killed.

use std::time::Duration;

use ferrion_tests::interop::{Queue, RabbitMqPlan, Signal, Traffic};

#[test]
fn when_the_node_in_use_is_killed_another_goes_on_and_nothing_accepted_is_lost() {
    let mut cluster = RabbitMqPlan::new()
        .nodes(3)
        .returns_after(Duration::from_secs(1))
        .start();
    let queue = Queue::quorum("shared");
    cluster.declare(&queue);
    cluster.save_queues();
    let place = |node| format!("amqp://127.0.0.1:{}", cluster.node_port(node));
    let places: Vec<String> = (0..3).map(place).collect();
    let address = format!("{}/{}", places[0], queue.address());
    let traffic = Traffic::start(&address, &places[1..]);
    traffic.flow(300);
    cluster.signal(0, Signal::Kill);
    traffic.flow(300);
    cluster.restart(0);
    cluster.signal(1, Signal::Kill);
    traffic.flow(300);
    for connected in traffic.finish() {
        let nodes: Vec<Option<usize>> = connected
            .iter()
            .map(|connected| places.iter().position(|place| place == connected))
            .collect();
        assert_eq!(nodes, [Some(0), Some(1), Some(2)]);
    }
}
