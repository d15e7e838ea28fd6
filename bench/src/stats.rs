//! The few statistics of repeated runs.

/// The middle, the ends and the spread of some samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Half the distance between the quartiles, in percent of the median.
    pub(crate) spread: f64,
}

impl Summary {
    /// `None` without samples.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = quantile(&sorted, 0.5);
        let spread = (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / 2.0 / median * 100.0;
        Some(Self {
            median,
            min,
            max,
            spread,
        })
    }
}

/// The value below which `share` of the sorted samples lie, interpolated between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn the_middle_of_an_even_number_of_samples_lies_between_two() {
        let summary = Summary::of(&[4.0, 1.0, 2.0, 3.0]).expect("there are samples");
        assert_eq!((summary.median, summary.min, summary.max), (2.5, 1.0, 4.0));
        assert_eq!(summary.spread, 30.0);
    }

    #[test]
    fn one_sample_has_no_spread() {
        let summary = Summary::of(&[7.0]).expect("there is a sample");
        assert_eq!((summary.median, summary.spread), (7.0, 0.0));
        assert_eq!(Summary::of(&[]), None);
    }
}
