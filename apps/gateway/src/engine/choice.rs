//! The choice of an endpoint: the less loaded of two random candidates.

/// Returns the position of the endpoint for a request, or `None` without candidates.
///
/// Compares the loads of two different random candidates (power of two choices), which spreads the
/// load almost as well as a scan of all endpoints. `random` returns a number below its argument.
pub(super) fn choose(
    candidates: &[usize],
    load: impl Fn(usize) -> usize,
    mut random: impl FnMut(usize) -> usize,
) -> Option<usize> {
    match *candidates {
        [] => None,
        [only] => Some(only),
        _ => {
            let first = random(candidates.len());
            // Skips the first, so that the two differ.
            let second = (first + 1 + random(candidates.len() - 1)) % candidates.len();
            let [first, second] = [candidates[first], candidates[second]];
            Some(if load(second) < load(first) { second } else { first })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_is_less_loaded_of_two_different_candidates() {
        let loads = [5, 3, 9, 1];
        assert_eq!(choose(&[], |_| 0, |_| 0), None);
        assert_eq!(choose(&[2], |index| loads[index], |_| unreachable!()), Some(2));
        for first in 0..3 {
            for offset in 0..2 {
                let mut numbers = [first, offset].into_iter();
                let candidates = [0, 2, 3];
                let chosen =
                    choose(&candidates, |index| loads[index], |_| numbers.next().unwrap()).unwrap();
                let second = (first + 1 + offset) % 3;
                assert_ne!(first, second);
                assert_eq!(loads[chosen], loads[candidates[first]].min(loads[candidates[second]]));
            }
        }
    }
}
