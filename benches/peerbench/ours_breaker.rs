//! seawall's breaker for the behavior probes of the independent harness.
//!
//! `compare.py` copies this file into the harness.
use crate::breakers::{CallFn, OPEN_WAIT, Outcome, Work};
use seawall::{
    BoxError, Cause, Failure,
    circuit_breaker::{CircuitBreakerLayer, CircuitOpen},
    classify::classify_fn,
    find_source,
};
use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};
use tower::{Layer, Service, ServiceExt, service_fn};

/// The number of failures that opens failsafe's breaker in the harness.
const FIVE: Option<NonZeroU32> = NonZeroU32::new(5);

pub fn ratio_and_consecutive() -> CallFn {
    breaker(CircuitBreakerLayer::new().min_calls(10).consecutive_failures(FIVE))
}

pub fn consecutive() -> CallFn {
    breaker(CircuitBreakerLayer::new().without_failure_ratio().consecutive_failures(FIVE))
}

pub fn ratio() -> CallFn {
    breaker(CircuitBreakerLayer::new().min_calls(10).window(Duration::from_secs(1)))
}

fn breaker(layer: CircuitBreakerLayer) -> CallFn {
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
            let ready = breaker.ready().await.expect("the breaker rejects calls, not readiness");
            match ready.call(work).await {
                Ok(()) => Outcome::Ok,
                Err(error) if find_source::<CircuitOpen>(&*error).is_some() => Outcome::Rejected,
                Err(_) => Outcome::Failed,
            }
        })
    })
}
