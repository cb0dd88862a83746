//! Stands in for `metrics` while the feature is off, so that layers call it unconditionally.

use std::{num::NonZeroU32, sync::Arc};

use seawall_core::failure::Cause;

pub(crate) fn attempt(_cause: Option<Cause>, _attempt: u32) {}
pub(crate) fn retries_exhausted(_stop: &'static str) {}
pub(crate) fn budget(_spent: f64) {}
pub(crate) fn circuit(_key: Option<&Arc<str>>, _old: &'static str, _new: &'static str) {}
pub(crate) fn rejected(_key: Option<&Arc<str>>) {}
pub(crate) fn in_flight_limit(_key: Option<&Arc<str>>, _limit: NonZeroU32) {}
pub(crate) fn in_flight_rejected(_key: Option<&Arc<str>>) {}
pub(crate) fn overflow(_layer: &'static str) {}
