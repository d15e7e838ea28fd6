//! What the demonstration found out.

use std::fmt;
use std::time::Duration;

use ferrion_messenger::Status;
use serde_json::json;

use crate::args;

use super::latency::Latencies;

/// Counts, time and latencies.
pub(super) struct Report {
    /// Messages given to the messenger.
    pub(super) sent: u64,
    /// From the first put to the last outcome.
    pub(super) elapsed: Duration,
    accepted: u64,
    rejected: u64,
    released: u64,
    modified: u64,
    /// Messages whose fate is not known: aborted, or settled without an outcome.
    unknown: u64,
    latencies: Latencies,
    port: u16,
    size: u32,
    window: u32,
}

impl Report {
    pub(super) fn new(port: u16, args: &args::Demo) -> Self {
        Self {
            sent: 0,
            elapsed: Duration::ZERO,
            accepted: 0,
            rejected: 0,
            released: 0,
            modified: 0,
            unknown: 0,
            latencies: Latencies::new(),
            port,
            size: args.size,
            window: args.window,
        }
    }

    /// Counts the outcome of a message, `latency` after it was put.
    pub(super) fn count(&mut self, status: Status, latency: Duration) {
        match status {
            Status::Accepted => self.accepted += 1,
            Status::Rejected => self.rejected += 1,
            Status::Released => self.released += 1,
            Status::Modified => self.modified += 1,
            _ => self.unknown += 1,
        }
        self.latencies.record(latency);
    }

    /// Messages that have an outcome.
    pub(super) const fn settled(&self) -> u64 {
        self.accepted + self.rejected + self.released + self.modified + self.unknown
    }

    pub(super) const fn all_accepted(&self) -> bool {
        self.accepted == self.sent
    }

    /// One object, as `--help` promises it.
    pub(super) fn to_json(&self) -> String {
        let latency = json!({
            "p50": self.latencies.percentile(50),
            "p90": self.latencies.percentile(90),
            "p99": self.latencies.percentile(99),
            "max": self.latencies.max(),
        });
        let report = json!({
            "sent": self.sent,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "released": self.released,
            "modified": self.modified,
            "rate": self.rate().round() as u64,
            "latency_us": latency,
        });
        report.to_string()
    }

    /// Messages with an outcome, a second.
    fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.settled() as f64 / seconds
        } else {
            0.0
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            size, port, window, ..
        } = self;
        let sent = grouped(self.sent);
        writeln!(
            f,
            "{sent} messages of {size} octets over TCP to 127.0.0.1:{port}, acknowledged\n"
        )?;
        let counts = [
            ("sent", self.sent),
            ("accepted", self.accepted),
            ("rejected", self.rejected),
            ("released", self.released),
            ("modified", self.modified),
        ];
        for (name, count) in counts {
            writeln!(f, "  {name:<10}{:>12}", grouped(count))?;
        }
        if self.unknown > 0 {
            writeln!(f, "  {:<10}{:>12}", "unknown", grouped(self.unknown))?;
        }
        let rate = self.rate();
        let bytes = rate * f64::from(*size) / 1e6;
        let seconds = self.elapsed.as_secs_f64();
        writeln!(
            f,
            "\n  {:<10}{:>12} messages/s, {bytes:.1} MB/s of bodies, in {seconds:.3} s",
            "rate",
            grouped(rate as u64)
        )?;
        writeln!(
            f,
            "  {:<10}{:>12} us from put to outcome, with up to {} under way",
            "latency p50",
            micros(self, 50),
            window
        )?;
        for percent in [90, 99] {
            writeln!(
                f,
                "  {:<10}{:>12} us",
                format!("        p{percent}"),
                micros(self, percent)
            )?;
        }
        write!(
            f,
            "  {:<10}{:>12} us",
            "        max",
            grouped(self.latencies.max())
        )
    }
}

fn micros(report: &Report, percent: u64) -> String {
    grouped(report.latencies.percentile(percent))
}

/// A number with a comma before every group of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        let shown: Vec<_> = [0, 999, 1000, 1_234_567, u64::MAX]
            .into_iter()
            .map(grouped)
            .collect();
        assert_eq!(
            shown,
            [
                "0",
                "999",
                "1,000",
                "1,234,567",
                "18,446,744,073,709,551,615"
            ]
        );
    }
}
