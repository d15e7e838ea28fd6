//! `cargo run --release --locked -p ferrion-tests --example inputs [COUNT [SEED [TARGET...]]]`: inputs made from the fuzz
//! targets' corpus, as many for each target as it has a share of COUNT, without a fuzzer and as fast as they go. Says how many
//! there were, what the slowest took, and how much memory all of it needed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ferrion_tests::fuzz::{Mutator, targets};

/// What any input may take, with other programs on the machine: a hang is longer.
const SLOWEST: Duration = Duration::from_secs(5);
/// Kibibytes that this process may ever have had.
const MOST_MEMORY: u64 = 512 << 10;

/// Shares: those that drive whole conversations take a hundred times as long.
fn share(target: &str) -> u64 {
    match target {
        "messenger_core" | "pair" => 1,
        "client_octets" | "server_octets" | "sasl_octets" => 10,
        _ => 40,
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise| match arguments.next().map(|text| text.parse()) {
        None => otherwise,
        Some(Ok(number)) => number,
        Some(Err(error)) => panic!("a number is needed: {error}"),
    };
    let (count, seed): (u64, u64) = (number(1_000_000), number(1));
    let wanted: Vec<String> = arguments.collect();
    let mut chosen = targets();
    chosen.retain(|(name, _)| wanted.is_empty() || wanted.iter().any(|it| it == name));
    let shares: u64 = chosen.iter().map(|(name, _)| share(name)).sum();
    let mut all = 0;
    for (name, body) in chosen {
        let mut mutator = Mutator::new(name, seed);
        let inputs = count * share(name) / shares;
        let (start, mut slowest) = (Instant::now(), Duration::ZERO);
        for _ in 0..inputs {
            let input = mutator.input();
            let begun = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| body(&input)));
            slowest = slowest.max(begun.elapsed());
            if outcome.is_err() || begun.elapsed() > SLOWEST {
                let file = format!("{name}-found");
                fs::write(&file, &input).expect("the input can be written");
                eprintln!("{name}: the input is in {file}");
                return ExitCode::FAILURE;
            }
        }
        all += inputs;
        println!(
            "{name:<14} {inputs:>10} inputs in {:>6.1} s, the slowest {slowest:.1?}",
            start.elapsed().as_secs_f64()
        );
    }
    let peak = peak();
    println!("{all} inputs; at most {} MiB", peak >> 10);
    if peak > MOST_MEMORY {
        eprintln!("that is more than any of them should need");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The most memory this process had, in kibibytes; 0 where the system does not say.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
