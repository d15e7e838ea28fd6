//! Where messages are that did not arrive: in their queue, or nowhere.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    time::{Duration, Instant},
};

use ferrion_messenger::{Credit, Error, Message, Messenger};

/// How long a queue may be silent before it counts as empty: longer than the minute for which RabbitMQ keeps what it gave
/// to a node that is lost. Only a test that has failed waits for it.
const SILENCE: Duration = Duration::from_secs(75);
/// How many runs of numbers are told.
const FEW: usize = 20;

/// Says of messages whose bodies are numbers, and that did not arrive, which of them are still in the queue at this address
/// or its alternatives, and which are lost. Takes what is in the queue.
///
/// # Panics
///
/// When an address can not be understood.
#[must_use]
pub fn whereabouts(missing: &BTreeSet<usize>, address: &str, alternatives: &[String]) -> String {
    let mut text = format!("{} have not arrived ({})", missing.len(), runs(missing));
    let (left, error) = left(missing, address, alternatives);
    let found = &left & missing;
    let lost = missing - &found;
    let _ = write!(
        text,
        "; {} of them are still in the queue ({}), and {} nowhere ({})",
        found.len(),
        runs(&found),
        lost.len(),
        runs(&lost)
    );
    if let Some(error) = error {
        let _ = write!(text, ", as far as could be seen: {error}");
    }
    text
}

/// The numbers in a queue, as far as these are among them; and why there may be more.
fn left(
    wanted: &BTreeSet<usize>,
    address: &str,
    alternatives: &[String],
) -> (BTreeSet<usize>, Option<Error>) {
    let mut left = BTreeSet::new();
    let mut messenger = Messenger::new().expect("a messenger");
    let others = alternatives.iter().map(String::as_str);
    let known = messenger.set_alternatives(address, others);
    known.expect("addresses");
    messenger.subscribe(address).expect("a subscription");
    let mut message = Message::new();
    let mut last = Instant::now();
    while !wanted.is_subset(&left) && last.elapsed() < SILENCE {
        messenger.set_timeout(Some(SILENCE.saturating_sub(last.elapsed())));
        match messenger.recv(Credit::All) {
            Ok(()) => last = Instant::now(),
            Err(Error::Timeout { .. }) => break,
            Err(error) => return (left, Some(error)),
        }
        while messenger.get(&mut message).is_ok() {
            let number = message.body_text().ok().flatten();
            left.extend(number.and_then(|text| text.parse::<usize>().ok()));
        }
    }
    (left, None)
}

/// Numbers, runs of them as one: `1-3, 7`.
fn runs(numbers: &BTreeSet<usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let mut text: Vec<String> = runs
        .iter()
        .take(FEW)
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        })
        .collect();
    if runs.len() > FEW {
        text.push(format!("and {} runs more", runs.len() - FEW));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{FEW, runs};

    #[test]
    fn numbers_are_told_as_runs_and_not_all_of_many() {
        assert_eq!(runs(&[].into()), "");
        assert_eq!(runs(&[7, 1, 2, 3, 9].into()), "1-3, 7, 9");
        let many = (0..2 * FEW + 2).step_by(2).collect();
        assert!(runs(&many).ends_with("38, and 1 runs more"));
    }
}
