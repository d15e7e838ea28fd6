//! Three nodes of RabbitMQ to be killed and started again by commands on standard input; see `scripts/three-brokers.sh`.

use std::{
    fs,
    io::{self, BufRead},
    time::Duration,
};

use ferrion_tests::interop::{Queue, RabbitMqPlan, Signal, project};

/// What the places are called in the file.
const NAMES: [&str; 3] = ["ONE", "TWO", "THREE"];

fn main() -> io::Result<()> {
    let mut cluster = RabbitMqPlan::new()
        .nodes(NAMES.len())
        .returns_after(Duration::from_secs(1))
        .start();
    cluster.declare(&Queue::quorum("orders"));
    cluster.save_queues();
    let lines = NAMES.iter().enumerate();
    let places: String = lines
        .map(|(node, name)| format!("{name}=127.0.0.1:{}\n", cluster.node_port(node)))
        .collect();
    let file = project().join("target/three-brokers.env");
    fs::write(&file, &places)?;
    println!("{places}ready: kill N, start N, or quit");
    let mut runs = [true; NAMES.len()];
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let number = words.next().and_then(|word| word.parse::<usize>().ok());
        let node = number.and_then(|number| number.checked_sub(1));
        let running = node.and_then(|node| runs.get(node).copied());
        match (command, node, running) {
            ("quit", ..) => break,
            ("kill", Some(node), Some(true)) => {
                cluster.signal(node, Signal::Kill);
                runs[node] = false;
                println!("killed");
            }
            ("start", Some(node), Some(false)) => {
                cluster.restart(node);
                runs[node] = true;
                println!("started");
            }
            ("kill" | "start", _, Some(_)) => println!("it is in that state already"),
            _ => println!("there are: kill N and start N, where N is 1, 2 or 3; and quit"),
        }
    }
    fs::remove_file(file)
}
