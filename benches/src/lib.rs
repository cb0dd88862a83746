//! The cost of a call through each layer, compared with the same call without a layer and with the equivalent layers of
//! tower and tower-http.
//!
//! A [`Case`] is one row of the results. `overhead` measures its time and allocations, and `icount` runs it under callgrind,
//! which counts its instructions. Rules that make the cases comparable:
//!
//! - Requests are built before the measured region, which is one function that is not inlined.
//! - The inner service reads the request's body to its end, and the caller reads the response's.
//! - Futures are polled directly, in a runtime whose driver is never woken for them: see [`runtime::enter`].
//! - Each case has a base, measured in the same process and in the same rounds.

pub mod case;
mod cases;
mod classify;
mod classify_502;
pub mod contention;
mod inner_service;
mod minimal;
mod minimal_log;
mod peer_breakers;
pub mod request;
pub mod runner;
pub mod runtime;
mod tower_policy;

pub use self::{
    case::{Case, Readiness, Subscriber},
    cases::{all, find},
    runner::Runner,
};
