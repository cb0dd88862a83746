//! The rows of the tables.

use std::sync::Arc;

use recloser::AsyncRecloser;
use seawall::{
    CircuitBreakerLayer, InFlightLimitLayer, LoggingLayer, RetryLayer, StandardLayer,
    circuit_breaker::by_authority, retry::Budget,
};
use tower::Layer;

use super::{
    Role, Row,
    probe::{self, Counted, Counter},
};
use crate::{
    breakers::{Failsafe, Locked, Recloser},
    rows::{
        PLENTY, resilience_breaker,
        stacks::{
            composed, of_resilience, of_tower, timed, with_breaker, with_failsafe, with_recloser,
        },
    },
    service::{PendingOnce, Ready},
};

/// The probe that shows whether the threads contended.
pub const ONE_ARC: &str = "probe: 1 Arc";

/// Lists bare and the probes.
macro_rules! references {
    ($inner:expr) => {
        vec![
            Row::new("bare", Role::Bare, $inner),
            Row::new(ONE_ARC, Role::Probe, Counted { inner: $inner, arcs: probe::arcs::<1>() }),
            Row::new(
                "probe: 4 Arcs",
                Role::Probe,
                Counted { inner: $inner, arcs: probe::arcs::<4>() },
            ),
            Row::new(
                "probe: mutex",
                Role::Probe,
                Counter { inner: $inner, calls: probe::counter() },
            ),
        ]
    };
}

/// Lists the whole stacks, with the settings in `rows::stacks`, and single layers that share state.
macro_rules! stacks {
    ($inner:expr) => {{
        let mut rows = references!($inner);
        rows.extend([
            Row::new(
                "seawall StandardLayer",
                Role::Ours,
                StandardLayer::new("billing").layer($inner),
            ),
            Row::new("seawall stack composed by ServiceBuilder", Role::Ours, composed!($inner)),
            Row::new(
                "seawall Retry, keyed budget",
                Role::Part,
                RetryLayer::new().budget_per_key(Budget::default(), by_authority).layer($inner),
            ),
            Row::new(
                "seawall CircuitBreaker, keyed",
                Role::Part,
                CircuitBreakerLayer::new().per_key(by_authority).layer($inner),
            ),
            Row::new(
                "seawall InFlightLimit, keyed",
                Role::Part,
                InFlightLimitLayer::new(PLENTY).per_key(by_authority).layer($inner),
            ),
            Row::new("seawall Logging", Role::Part, LoggingLayer::client().layer($inner)),
            Row::new("tower, tower-http, no breaker", Role::Peer, timed(of_tower($inner))),
            Row::new(
                "tower, tower-http, tower-resilience's breaker",
                Role::Peer,
                timed(with_breaker($inner)),
            )
            .without_oversubscription(),
            Row::new("tower, tower-http, failsafe", Role::Peer, timed(with_failsafe($inner))),
            Row::new("tower, tower-http, recloser", Role::Peer, timed(with_recloser($inner))),
            Row::new(
                "tower-resilience, log and body by tower-http",
                Role::Peer,
                timed(of_resilience($inner)),
            )
            .without_oversubscription(),
        ]);
        rows
    }};
}

/// Returns the whole stacks, around a service that responds at once.
#[must_use]
pub fn stacks() -> Vec<Row> {
    stacks!(Ready)
}

/// Returns the whole stacks, around a service that is pending once.
#[must_use]
pub fn pending_stacks() -> Vec<Row> {
    stacks!(PendingOnce)
}

/// Returns the breakers alone.
#[must_use]
pub fn breakers() -> Vec<Row> {
    let mut rows = references!(Ready);
    let recloser = AsyncRecloser::from(recloser::Recloser::default());
    rows.extend([
        Row::new("floor: mutex breaker", Role::Peer, Locked { inner: Ready, ring: Arc::default() }),
        Row::new("seawall CircuitBreaker", Role::Ours, CircuitBreakerLayer::new().layer(Ready)),
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
        let name = format!("seawall CircuitBreaker, keyed, {keys} keys");
        let keyed = CircuitBreakerLayer::new().per_key(by_authority).layer(Ready);
        rows.push(Row::with_keys(&name, Role::Part, keys, keyed));
    }
    rows
}
