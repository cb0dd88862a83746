//! Stops calling an upstream that is down, and finds out by itself when it is back.

mod circuit;
mod error;
mod future;
mod handle;
mod layer;
mod permit;
mod readiness;
mod select;
mod service;
mod settings;
mod state;
mod sync;
mod waiting;
mod window;

#[cfg(all(test, not(seawall_loom)))]
mod model;
#[cfg(all(test, seawall_loom))]
mod threads;

pub use self::{
    error::CircuitOpen,
    future::ResponseFuture,
    handle::{Circuit, Circuits, Snapshot},
    layer::CircuitBreakerLayer,
    service::CircuitBreaker,
    settings::WhenOpen,
    state::State,
};
pub use crate::keys::by_authority;

/// Response body of [`CircuitBreaker`] with [`whole_body`](CircuitBreakerLayer::whole_body): the inner body as it is,
/// watched to its end.
pub type ResponseBody<B> = crate::body::Watched<B, permit::Permit>;
