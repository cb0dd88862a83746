//! The engine: the services of a configuration, which a reload replaces.
//!
//! Each service is served at `/NAME`. A service has these layers, outermost first: authentication
//! and rate limit, deadline, retry, and a balancer of its endpoints. Each endpoint has its own
//! circuit breaker and timeout. While its circuit is open, a retry uses another endpoint.

mod api_key;
mod auth;
mod balancer;
mod choice;
mod client_wait;
mod credentials;
mod drain;
mod endpoint;
mod endpoint_stack;
mod health;
mod in_flight;
mod kept_bodies;
mod rate_limit;
mod rejection;
mod resources;
mod router;
mod scripted;
mod service;

pub(crate) use self::{
    api_key::{ApiKey, ApiKeyHeader},
    rejection::Rejection,
    router::{ConfigFile, ReloadableRouter},
    scripted::ScriptedBehavior,
};

/// Returns the address of the client.
fn client_address<B>(request: &http::Request<B>) -> Option<std::net::IpAddr> {
    let peer = request.extensions().get::<axum::extract::ConnectInfo<std::net::SocketAddr>>();
    peer.map(|peer| peer.0.ip())
}
