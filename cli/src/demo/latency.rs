//! A histogram of durations in bounded memory: what percentiles need, however many messages there are.

use std::time::Duration;

/// Each power of two is cut into this many steps, so that a percentile is at most 1/128 too high.
const STEPS: u64 = 128;
/// Up to 2^40 microseconds, twelve days; longer ones count as that.
const POWERS: u64 = 40;
const BUCKETS: usize = ((POWERS - 6) * STEPS) as usize;

/// Durations, counted in buckets whose width grows with the value. The maximum is exact.
pub(crate) struct Latencies {
    buckets: Box<[u64]>,
    count: u64,
    max: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into_boxed_slice(),
            count: 0,
            max: 0,
        }
    }

    /// Counts one duration, to the microsecond.
    pub(crate) fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(micros)) {
            *bucket += 1;
        }
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// The number of microseconds that `percent` of all durations do not exceed; 0 without any.
    pub(crate) fn percentile(&self, percent: u64) -> u64 {
        let rank = self.count.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_bound(bucket).min(self.max);
            }
        }
        self.max
    }

    /// The longest, in microseconds.
    pub(crate) const fn max(&self) -> u64 {
        self.max
    }
}

/// Values below [`STEPS`] have a bucket each; above, a bucket is the power of two and the next seven bits.
fn bucket_of(micros: u64) -> usize {
    let micros = micros.min((1 << POWERS) - 1);
    let shift = u64::from(micros.checked_ilog2().unwrap_or(0)).saturating_sub(7);
    (shift * STEPS + (micros >> shift)) as usize
}

/// The largest value that falls into a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    let mantissa = bucket - shift * STEPS;
    ((mantissa + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_and_the_buckets_are_narrow() {
        let powers = (0..POWERS).flat_map(|p| [(1 << p) - 1, 1 << p, (1 << p) + 1]);
        for micros in powers.chain(0..5000).chain([123_456, 99_999_999]) {
            let micros = u64::min(micros, (1 << POWERS) - 1);
            let bound = upper_bound(bucket_of(micros));
            assert!(bound >= micros, "{micros} > {bound}");
            assert!(
                bound - micros <= micros / 128,
                "{micros} counted as {bound}"
            );
        }
    }

    #[test]
    fn percentiles_of_a_thousand_different_durations() {
        let mut latencies = Latencies::new();
        for micros in (1..=1000).rev() {
            latencies.record(Duration::from_micros(micros));
        }
        assert_eq!(
            latencies.percentile(50),
            501,
            "500 falls into the bucket 498..=501 or narrower"
        );
        assert!(latencies.percentile(99).abs_diff(990) <= 8);
        assert_eq!(latencies.percentile(100), 1000);
        assert_eq!(latencies.max(), 1000);
    }

    #[test]
    fn nothing_and_too_much_are_no_trouble() {
        let mut latencies = Latencies::new();
        assert_eq!((latencies.percentile(50), latencies.max()), (0, 0));
        latencies.record(Duration::MAX);
        assert_eq!(latencies.max(), u64::MAX);
        assert!(latencies.percentile(50) >= 1 << 39);
    }
}
