//! Labels that callers can choose, bounded in number and length.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use metrics::SharedString;

/// The maximum number of labels that are told apart.
const MAX_LABELS: usize = 4_096;
/// The maximum length of a label that is told apart: four times that of a host name.
const MAX_LABEL_BYTES: usize = 1_024;

/// Returns `label`, or `other` if it is too long or there are too many labels already.
pub(crate) fn bounded(label: &str) -> SharedString {
    static KNOWN: OnceLock<RwLock<HashSet<Arc<str>>>> = OnceLock::new();
    if label.len() > MAX_LABEL_BYTES {
        return "other".into();
    }
    let known = KNOWN.get_or_init(RwLock::default);
    // Nearly every request has a known label.
    if let Some(label) = known.read().unwrap_or_else(PoisonError::into_inner).get(label) {
        return Arc::clone(label).into();
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(label) && known.len() == MAX_LABELS {
        return "other".into();
    }
    let label: Arc<str> = label.into();
    known.insert(Arc::clone(&label));
    label.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_others_make_up_so_much_is_told_apart_and_the_rest_is_other() {
        for number in 0..MAX_LABELS {
            let label = number.to_string();
            assert_eq!(&*bounded(&label), label);
        }
        assert_eq!(&*bounded("one more"), "other");
        assert_eq!(&*bounded("7"), "7");
    }
}
