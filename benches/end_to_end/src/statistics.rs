//! Medians, and how far to trust them.

/// Values in order.
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        assert!(!values.is_empty(), "of nothing there is no median");
        Self(values)
    }

    /// The value below which this part of the others is.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part).round() as usize]
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Where the median of endlessly many values would be, with 95 % confidence, whatever their distribution: between two of
    /// these values, whose ranks follow from how many of `n` fair coins show heads. Of fewer than 6 values nothing is that sure.
    pub(crate) fn interval(&self) -> (f64, f64) {
        let n = self.0.len() as f64;
        let reach = 1.96 * n.sqrt() / 2.0;
        let low = (n / 2.0 - reach).floor().max(0.0) as usize;
        let high = ((n / 2.0 + reach).ceil() as usize).min(self.0.len() - 1);
        (self.0[low], self.0[high])
    }
}

#[cfg(test)]
mod tests {
    use super::Sorted;

    #[test]
    fn the_interval_of_a_hundred_values_is_about_ten_to_both_sides_of_the_median() {
        let sorted = Sorted::new((0..101).rev().map(f64::from));
        assert!((sorted.median() - 50.0).abs() < f64::EPSILON);
        assert_eq!(sorted.interval(), (40.0, 61.0));
    }

    #[test]
    fn one_value_is_all_there_is() {
        let sorted = Sorted::new([7.0]);
        assert_eq!((sorted.median(), sorted.interval()), (7.0, (7.0, 7.0)));
    }
}
