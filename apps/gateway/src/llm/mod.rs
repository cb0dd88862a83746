//! The gateway configured by a file: a proxy for LLM APIs and for any other server.
//!
//! Each service of the file is served at `/NAME`. A service with one URL gets the library's default stack under policies. A
//! request to a service with several upstreams passes, from the outside in: authentication and the rate limit, the deadline,
//! retry, and a balancer over the service's endpoints. Each endpoint has its own circuit breaker and timeout, and is not
//! ready while its circuit is open, so that a retry reaches another endpoint.

mod api_key;
mod auth;
mod balancer;
mod config;
mod config_error;
mod credentials;
mod drain;
mod endpoint;
mod endpoint_stack;
mod health;
mod mock_upstream;
mod rate_limit;
mod rejection;
mod reload;
mod service;

pub(crate) use self::{config::Config, config_error::ConfigError, reload::ReloadableRouter};
