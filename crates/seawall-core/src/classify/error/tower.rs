use std::{error::Error, ops::ControlFlow};

use tower::{
    balance::error::Discover,
    buffer::error::{Closed, ServiceError},
    load_shed::error::Overloaded,
    timeout::error::Elapsed,
};

use super::context::ErrorContext;
use crate::failure::{Cause, Detail};

/// Sets the cause of a rejection or a time limit of tower's layers.
///
/// | error | cause | processed |
/// |---|---|---|
/// | `load_shed::error::Overloaded`, also of a `concurrency_limit` or `rate_limit` inside | `connection_limit_reached` | no |
/// | `buffer::error::Closed` and `ServiceError` | `proxy_internal_error` | no |
/// | `balance::error::Discover` | `destination_unavailable` | no |
/// | `timeout::error::Elapsed` | `http_response_timeout`, or `connection_timeout` while connecting | maybe |
pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if error.is::<Overloaded>() {
        // The inner service was not ready, and was not called (tower 0.5: load_shed/mod.rs).
        context.set_detail(Cause::ConnectionLimitReached, Detail::LoadShed);
        context.unprocessed = true;
    } else if error.is::<Closed>() || error.is::<ServiceError>() {
        // The worker ended before it called the inner service. A `ServiceError` repeats the error
        // that ended it for every later call, whatever the upstream does by then (tower 0.5:
        // buffer/worker.rs, `failed`).
        context.set_detail(Cause::ProxyInternalError, Detail::WorkerClosed);
        context.unprocessed = true;
        return ControlFlow::Break(());
    } else if error.is::<Discover>() {
        // Without endpoints the balancer is not ready. It fails if their discovery fails
        // (tower 0.5: balance/p2c/service.rs, `poll_ready`).
        context.set_detail(Cause::DestinationUnavailable, Detail::NoEndpoint);
        context.unprocessed = true;
        return ControlFlow::Break(());
    } else if error.is::<Elapsed>() {
        context.set_cause(context.phase.timeout());
    }
    ControlFlow::Continue(())
}
