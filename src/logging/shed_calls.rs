//! Summaries of the calls that a layer without an event of its own rejected.

use seawall_core::Detail;
use tokio::time::Instant;

use super::{
    outcome::{Completion, EventKind},
    record::Record,
};

/// Summarizes the calls that a layer of Tower rejected. Circuits and limits of this crate summarize
/// theirs.
pub(super) fn summarize_shed_calls(record: &Record, completion: &Completion<'_>, kind: EventKind) {
    let shed_calls = &record.settings.shed_calls;
    let is_shed = kind == EventKind::Rejected
        && completion.failure.and_then(|it| it.detail()) == Some(Detail::LoadShed)
        // A log inside has counted the call.
        && completion.inner_call.is_none();
    let rejected =
        if is_shed { shed_calls.record(Instant::now()) } else { shed_calls.take(Instant::now) };
    let Some(rejected) = rejected else { return };
    let _entered = record.span.enter();
    let calls = if rejected == 1 { "call" } else { "calls" };
    tracing::warn!(
        name: "load_shed",
        rejected,
        "load shed because a service was not ready: {rejected} {calls} rejected",
    );
}
