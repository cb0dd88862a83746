//! The cost of a call through each layer, compared with the same call without the layer, and with
//! equivalent layers of other crates.
//!
//! A [`Case`] is one row of the results. `overhead` measures its time and allocations. `icount`
//! runs it under callgrind, which counts instructions. Rules that make the cases comparable:
//!
//! - Requests are built before the measured region, which is a function that is not inlined.
//! - The inner service reads the complete request body, and the caller reads the complete response
//!   body.
//! - Futures are polled directly, in a runtime whose driver is never woken: see [`runtime::enter`].
//! - Each case has a base that is measured in the same process and in the same rounds.

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
