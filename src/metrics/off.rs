//! Replaces the module `metrics` if the feature is disabled, so that layers need no `cfg`.

use std::{num::NonZeroU32, sync::Arc};

use http::HeaderName;
use seawall_core::Cause;

pub(crate) fn record_attempt(_key: Option<&Arc<str>>, _cause: Option<Cause>, _attempt: u32) {}
pub(crate) fn record_retries_exhausted(_key: Option<&Arc<str>>, _stop_reason: &'static str) {}
pub(crate) fn record_budget_ratio(_key: Option<&Arc<str>>, _ratio: f64) {}
pub(crate) fn record_circuit_state(
    _key: Option<&Arc<str>>,
    _old: &'static str,
    _new: &'static str,
) {
}
pub(crate) fn record_circuit_rejection(_key: Option<&Arc<str>>) {}
pub(crate) fn record_in_flight_limit(_key: Option<&Arc<str>>, _limit: NonZeroU32) {}
pub(crate) fn record_in_flight_rejection(_key: Option<&Arc<str>>) {}
pub(crate) fn record_failure_before_commit(_cause: Cause) {}
pub(crate) fn record_broken_stream(_cause: Cause) {}
pub(crate) fn record_untracked_key(_layer: &'static str) {}
pub(crate) fn record_dropped_header(_name: &HeaderName) {}
