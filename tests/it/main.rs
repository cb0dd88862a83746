//! Integration tests of the public API of seawall.

#[cfg(all(feature = "full", feature = "hyper-util", feature = "h2", feature = "reqwest-0_13"))]
mod trait_bounds;

#[cfg(all(feature = "full", feature = "hyper-util"))]
mod axum;
#[cfg(all(
    feature = "full",
    feature = "h2",
    feature = "hyper-util",
    feature = "rustls-0_23",
    feature = "tower-0_5",
    feature = "tower-http-0_7"
))]
mod blame;
#[cfg(all(
    feature = "full",
    feature = "h2",
    feature = "hyper-util",
    feature = "metrics",
    feature = "tonic-0_14",
    feature = "tower-0_5"
))]
mod faults;
#[cfg(all(feature = "full", feature = "hyper-util", feature = "h2"))]
mod h2;
#[cfg(all(feature = "full", feature = "hyper-util"))]
mod hyper;
#[cfg(all(feature = "full", feature = "h2", feature = "hyper-util"))]
mod integrations;
#[cfg(all(feature = "full", feature = "reqwest-0_13"))]
mod reqwest;
#[cfg(all(feature = "full", feature = "hyper-util"))]
mod test_util;

#[cfg(all(feature = "retry", feature = "hyper-util"))]
mod connection_reuse;
#[cfg(all(feature = "retry", feature = "tonic-0_14"))]
mod tonic;

#[cfg(all(feature = "metrics", feature = "full"))]
mod metrics;
#[cfg(feature = "retry")]
mod replay;
#[cfg(feature = "retry")]
mod retry;
#[cfg(feature = "timeout")]
mod timeout;
#[cfg(feature = "full")]
mod total_timeout;

#[cfg(feature = "bad-gateway")]
mod bad_gateway;
#[cfg(feature = "full")]
mod body_timeout;
#[cfg(feature = "full")]
mod circuit_breaker;
#[cfg(all(feature = "config", feature = "full"))]
mod config;
#[cfg(feature = "full")]
mod deadline;
#[cfg(all(feature = "full", feature = "hyper-util"))]
mod deadline_chain;
#[cfg(feature = "full")]
mod deadline_header;
#[cfg(feature = "error-response")]
mod error_response;
#[cfg(feature = "full")]
mod full_headers;
mod gateway;
#[cfg(feature = "full")]
mod in_flight;
#[cfg(feature = "full")]
mod invariants;
#[cfg(all(feature = "full", feature = "metrics", feature = "hyper-util"))]
mod log_outcomes;
#[cfg(all(feature = "full", feature = "hyper-util"))]
mod standard;

#[cfg(feature = "logging")]
#[cfg_attr(not(feature = "full"), allow(dead_code))]
mod log_capture;
#[cfg(feature = "logging")]
mod logging;

mod architecture;
mod classify;
mod failure;
mod public_api;
#[cfg_attr(not(feature = "full"), allow(dead_code))]
mod support;
#[cfg(feature = "full")]
mod urllib3;
