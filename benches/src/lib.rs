//! What a call costs through each layer: against the same call through none, and through the layers of tower and
//! tower-http that do the same.
//!
//! A [`Case`] is one row of the results; `overhead` takes its time and counts its allocations, `icount` runs it for
//! callgrind, which counts its instructions. Rules, so that the rows can be compared:
//!
//! - Requests are built before the measured region, which is one function not inlined into any other.
//! - The inner service reads the request's body to its end, and the caller reads the response's.
//! - Futures are polled by hand in a runtime whose driver is never woken for them: see [`runtime::enter`].
//! - Each row has a base, measured in the same process and in the same rounds.

mod breakers;
pub mod case;
mod classifying;
pub mod contention;
mod failing;
mod floor;
mod floor_log;
pub mod request;
mod retry_502;
mod rows;
pub mod runner;
pub mod runtime;
mod service;

pub use self::{
    case::{Answer, Case, Subscriber},
    rows::{all, find},
    runner::Runner,
};
