//! Breakers with settings as similar as possible.
//!
//! They open on 5 failures of 10, or on 5 consecutive failures. They stay open for [`OPEN_FOR`] and
//! then admit one probe.

use std::{error::Error, num::NonZeroU32, time::Duration};

use failsafe::{
    FailurePolicy, StateMachine, backoff, failure_policy, futures::CircuitBreaker as _,
};
use futures_util::future::BoxFuture;
use recloser::AsyncRecloser;
use seawall::{
    BoxError, Cause, Failure,
    circuit_breaker::{CircuitBreakerLayer, CircuitOpen},
    classify::classify_fn,
    find_source,
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::CircuitBreakerError;

pub(crate) const OPEN_FOR: Duration = Duration::from_millis(100);

pub(crate) type Call = BoxFuture<'static, Result<(), ()>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed,
    Rejected,
}

pub(crate) type Breaker = Box<dyn Fn(Call) -> BoxFuture<'static, Outcome>>;

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// True for seawall, which uses tokio's clock. The other peers use a clock that cannot be
    /// paused.
    pub(crate) is_seawall: bool,
    pub(crate) make: fn() -> Breaker,
}

pub(crate) fn all() -> Vec<Peer> {
    let peer = |name, make| Peer { name, is_seawall: false, make };
    let seawall_peer = |name, make| Peer { is_seawall: true, ..peer(name, make) };
    vec![
        seawall_peer("seawall CircuitBreaker, ratio and 5 consecutive failures", || {
            seawall(CircuitBreakerLayer::new().min_calls(10).consecutive_failures(FIVE))
        }),
        seawall_peer("seawall CircuitBreaker, 5 consecutive failures", || {
            seawall(CircuitBreakerLayer::new().without_failure_ratio().consecutive_failures(FIVE))
        }),
        peer("tower-resilience CircuitBreaker", tower_resilience),
        peer("failsafe, 5 consecutive failures", || {
            failsafe(failure_policy::consecutive_failures(5, backoff::constant(OPEN_FOR)))
        }),
        peer("recloser", recloser),
    ]
}

const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

fn seawall(layer: CircuitBreakerLayer) -> Breaker {
    let failure = |outcome: Result<&(), &(dyn Error + 'static)>| {
        outcome.err().map(|_| Failure::new(Cause::ConnectionRefused))
    };
    let layer = layer
        .open_duration(OPEN_FOR)
        .half_open_probes(NonZeroU32::MIN)
        .classifier(classify_fn(failure));
    let inner = service_fn(async |call: Call| call.await.map_err(|()| BoxError::from("failed")));
    service(layer.layer(inner), |error| find_source::<CircuitOpen>(&**error).is_some())
}

fn tower_resilience() -> Breaker {
    let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(10)
        .minimum_number_of_calls(10)
        .wait_duration_in_open(OPEN_FOR)
        .permitted_calls_in_half_open(1)
        .failure_classifier(|outcome: &Result<(), ()>| outcome.is_err())
        .build()
        .expect("the settings are valid");
    let is_rejection = |error: &_| !matches!(error, CircuitBreakerError::Inner(()));
    service(layer.layer(service_fn(|call: Call| call)), is_rejection)
}

fn service<S>(service: S, is_rejection: fn(&S::Error) -> bool) -> Breaker
where
    S: Service<Call, Response = (), Error: Send, Future: Send> + Clone + Send + 'static,
{
    Box::new(move |call| classify_outcome(service.clone().oneshot(call), is_rejection))
}

fn failsafe(policy: impl FailurePolicy + Send + Sync + 'static) -> Breaker {
    let breaker: StateMachine<_, ()> = failsafe::Config::new().failure_policy(policy).build();
    Box::new(move |call| {
        classify_outcome(breaker.call(call), |error| matches!(error, failsafe::Error::Rejected))
    })
}

fn recloser() -> Breaker {
    let settings = recloser::Recloser::custom().error_rate(0.5).closed_len(10).half_open_len(1);
    let breaker = AsyncRecloser::from(settings.open_wait(OPEN_FOR).build());
    Box::new(move |call| {
        classify_outcome(breaker.call(call), |error| matches!(error, recloser::Error::Rejected))
    })
}

fn classify_outcome<E: 'static>(
    call: impl Future<Output = Result<(), E>> + Send + 'static,
    is_rejection: fn(&E) -> bool,
) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        match call.await {
            Ok(()) => Outcome::Ok,
            Err(error) if is_rejection(&error) => Outcome::Rejected,
            Err(_) => Outcome::Failed,
        }
    })
}
