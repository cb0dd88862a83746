//! The engine: the services of a configuration, which a reload replaces.
//!
//! Each service is served at `/NAME`. A service has these layers, outermost first: authentication
//! and rate limit, deadline, retry, and a balancer of its endpoints. Each endpoint has its own
//! circuit breaker and timeout. While its circuit is open, a retry uses another endpoint.

mod balancer;
mod choice;
mod client_wait;
mod drain;
mod edit_request;
mod endpoint;
mod endpoint_stack;
mod front;
mod health;
mod in_flight;
mod kept_bodies;
mod last_response;
mod rejection;
mod reload;
mod resources;
mod router;
mod routes;
mod scripted;
mod service;
mod status;

pub(crate) use self::{
    rejection::is_rejected,
    reload::ConfigStatus,
    router::{ConfigFile, ReloadableRouter},
    routes::Routes,
    scripted::ScriptedBehavior,
    status::ServiceStatus,
};
