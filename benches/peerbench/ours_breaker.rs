//! seawall's breaker among those whose behaviour the other harness probes: `compare.py` puts it beside `ours.rs`.
use crate::breakers::{CallFn, OPEN_WAIT, Outcome, Work};
use seawall::{circuit_breaker::{CircuitBreakerLayer, CircuitOpen}, classify::classify_fn, find_source, BoxError, Cause, Failure};
use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};
use tower::{Layer, Service, ServiceExt, service_fn};

/// As many as failsafe is given there.
const FIVE: Option<NonZeroU32> = NonZeroU32::new(5);

pub fn ratio_and_consecutive() -> CallFn {
    of(CircuitBreakerLayer::new().min_calls(10).consecutive_failures(FIVE))
}

pub fn consecutive() -> CallFn {
    of(CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(FIVE))
}

pub fn ratio() -> CallFn {
    of(CircuitBreakerLayer::new().min_calls(10).window(Duration::from_secs(1)))
}

fn of(layer: CircuitBreakerLayer) -> CallFn {
    let failed = |outcome: Result<&(), &(dyn Error + 'static)>| {
        outcome.err().map(|_| Failure::new(Cause::ConnectionRefused))
    };
    let breaker = layer
        .open_duration(OPEN_WAIT)
        .half_open_probes(NonZeroU32::MIN)
        .classifier(classify_fn(failed))
        .layer(service_fn(async |work: Work| work.await.map_err(|()| BoxError::from("failed"))));
    Arc::new(move |work| {
        let mut breaker = breaker.clone();
        Box::pin(async move {
            let ready = breaker.ready().await.expect("it refuses by its response");
            match ready.call(work).await {
                Ok(()) => Outcome::Ok,
                Err(error) if find_source::<CircuitOpen>(&*error).is_some() => Outcome::Rejected,
                Err(_) => Outcome::Failed,
            }
        })
    })
}
