//! Label values that callers control, bounded in number and length.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use metrics::SharedString;

/// The maximum number of distinct label values.
const MAX_LABELS: usize = 4_096;
/// The maximum length of a label value: four times the maximum length of a host name.
const MAX_LABEL_BYTES: usize = 1_024;

/// Returns `label`, or `other` if it is too long or the maximum number of labels is reached.
pub(crate) fn bounded_label(label: &str) -> SharedString {
    static KNOWN: OnceLock<RwLock<HashSet<Arc<str>>>> = OnceLock::new();
    if label.len() > MAX_LABEL_BYTES {
        return "other".into();
    }
    let known = KNOWN.get_or_init(RwLock::default);
    // Nearly every request has a known label, so the read lock is usually enough.
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
    fn bounded_label_returns_other_when_maximum_is_reached() {
        for number in 0..MAX_LABELS {
            let label = number.to_string();
            assert_eq!(&*bounded_label(&label), label);
        }
        assert_eq!(&*bounded_label("one more"), "other");
        assert_eq!(&*bounded_label("7"), "7");
    }
}
