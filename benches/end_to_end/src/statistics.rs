//! Medians and their confidence intervals.

/// Sorted values.
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        assert!(!values.is_empty(), "expected at least one value, found none");
        Self(values)
    }

    /// Returns the value at a quantile.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * quantile).round() as usize]
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Returns the 95 % confidence interval of the median, for any distribution of values.
    ///
    /// The bounds are two of the values, with ranks from the binomial distribution. Fewer than 6
    /// values do not give this confidence.
    pub(crate) fn confidence_interval(&self) -> (f64, f64) {
        let n = self.0.len() as f64;
        let margin = 1.96 * n.sqrt() / 2.0;
        let low = (n / 2.0 - margin).floor().max(0.0) as usize;
        let high = ((n / 2.0 + margin).ceil() as usize).min(self.0.len() - 1);
        (self.0[low], self.0[high])
    }
}

#[cfg(test)]
mod tests {
    use super::Sorted;

    #[test]
    fn confidence_interval_spans_21_ranks_of_101_values() {
        let sorted = Sorted::new((0..101).rev().map(f64::from));
        assert!((sorted.median() - 50.0).abs() < f64::EPSILON);
        assert_eq!(sorted.confidence_interval(), (40.0, 61.0));
    }

    #[test]
    fn confidence_interval_contains_only_value() {
        let sorted = Sorted::new([7.0]);
        assert_eq!((sorted.median(), sorted.confidence_interval()), (7.0, (7.0, 7.0)));
    }
}
