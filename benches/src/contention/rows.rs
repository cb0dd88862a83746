//! The rows of the tables.

use std::sync::Arc;

use recloser::AsyncRecloser;
use seawall::{
    circuit_breaker::CircuitBreakerLayer,
    in_flight::InFlightLimitLayer,
    keys::by_authority,
    logging::LoggingLayer,
    retry::{Budget, RetryLayer},
    standard::StandardLayer,
};
use tower::Layer;

use super::{
    Role, Row,
    probe::{self, ArcProbe, MutexProbe},
};
use crate::{
    cases::{
        UNLIMITED, resilience_breaker,
        stacks::{
            composed, resilience_stack, tower_stack, with_body_timeout, with_breaker,
            with_failsafe, with_recloser,
        },
    },
    inner_service::{PendingOnce, Ready},
    peer_breakers::{Failsafe, MinimalBreaker, Recloser},
};

/// The name of the probe that shows whether the threads contended.
pub const ONE_ARC: &str = "probe: 1 Arc";

/// Lists the bare service and the probes.
macro_rules! baselines {
    ($inner:expr) => {
        vec![
            Row::new("bare", Role::Bare, $inner),
            Row::new(ONE_ARC, Role::Probe, ArcProbe { inner: $inner, arcs: probe::arcs::<1>() }),
            Row::new(
                "probe: 4 Arcs",
                Role::Probe,
                ArcProbe { inner: $inner, arcs: probe::arcs::<4>() },
            ),
            Row::new(
                "probe: mutex",
                Role::Probe,
                MutexProbe { inner: $inner, calls: probe::counter() },
            ),
        ]
    };
}

/// Lists the complete stacks, with the settings of `cases::stacks`, and single layers that share
/// state.
macro_rules! stacks {
    ($inner:expr) => {{
        let mut rows = baselines!($inner);
        rows.extend([
            Row::new(
                "seawall StandardLayer",
                Role::Seawall,
                StandardLayer::new("billing").layer($inner),
            ),
            Row::new("seawall stack composed by ServiceBuilder", Role::Seawall, composed!($inner)),
            Row::new(
                "seawall Retry, budget per key",
                Role::Unpaired,
                RetryLayer::new().budget_per_key(Budget::default(), by_authority).layer($inner),
            ),
            Row::new(
                "seawall CircuitBreaker, per key",
                Role::Unpaired,
                CircuitBreakerLayer::new().per_key(by_authority).layer($inner),
            ),
            Row::new(
                "seawall InFlightLimit, per key",
                Role::Unpaired,
                InFlightLimitLayer::new(UNLIMITED).per_key(by_authority).layer($inner),
            ),
            Row::new("seawall Logging", Role::Unpaired, LoggingLayer::client().layer($inner)),
            Row::new(
                "tower, tower-http, no breaker",
                Role::Peer,
                with_body_timeout(tower_stack($inner)),
            ),
            Row::new(
                "tower, tower-http, tower-resilience's breaker",
                Role::Peer,
                with_body_timeout(with_breaker($inner)),
            )
            .without_oversubscription(),
            Row::new(
                "tower, tower-http, failsafe",
                Role::Peer,
                with_body_timeout(with_failsafe($inner)),
            ),
            Row::new(
                "tower, tower-http, recloser",
                Role::Peer,
                with_body_timeout(with_recloser($inner)),
            ),
            Row::new(
                "tower-resilience, log and body by tower-http",
                Role::Peer,
                with_body_timeout(resilience_stack($inner)),
            )
            .without_oversubscription(),
        ]);
        rows
    }};
}

/// Returns the complete stacks around a service that is ready at the first poll.
#[must_use]
pub fn stacks() -> Vec<Row> {
    stacks!(Ready)
}

/// Returns the complete stacks around a service that is pending once.
#[must_use]
pub fn pending_stacks() -> Vec<Row> {
    stacks!(PendingOnce)
}

/// Returns the breakers alone.
#[must_use]
pub fn breakers() -> Vec<Row> {
    let mut rows = baselines!(Ready);
    let recloser = AsyncRecloser::from(recloser::Recloser::default());
    rows.extend([
        Row::new(
            "minimal: mutex breaker",
            Role::Peer,
            MinimalBreaker { inner: Ready, window: Arc::default() },
        ),
        Row::new("seawall CircuitBreaker", Role::Seawall, CircuitBreakerLayer::new().layer(Ready)),
        Row::new("tower-resilience", Role::Peer, resilience_breaker().layer(Ready))
            .without_oversubscription(),
        Row::new(
            "failsafe",
            Role::Peer,
            Failsafe { inner: Ready, breaker: failsafe::Config::new().build() },
        ),
        Row::new("recloser", Role::Peer, Recloser { inner: Ready, breaker: recloser }),
    ]);
    for keys in [1, 1_000, 4_096] {
        let name = format!("seawall CircuitBreaker, per key, {keys} keys");
        let keyed = CircuitBreakerLayer::new().per_key(by_authority).layer(Ready);
        rows.push(Row::with_keys(&name, Role::Unpaired, keys, keyed));
    }
    rows
}
