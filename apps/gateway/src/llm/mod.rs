//! The services of a configuration file: proxies for LLM APIs and other servers.
//!
//! Each service is served at `/NAME`. A service with a URL has seawall's standard stack, configured
//! by policies. A service with upstreams has these layers, outermost first: authentication and rate
//! limit, deadline, retry, and a balancer of its endpoints.
//!
//! Each endpoint has its own circuit breaker and timeout. It is not ready while its circuit is
//! open, so a retry reaches another endpoint.

mod balancer;
mod config;
mod config_error;
mod drain;
mod endpoint;
mod endpoint_stack;
mod health;
mod mock_upstream;
mod rejection;
mod reload;
mod service;

pub(crate) use self::{config::Config, config_error::ConfigError, reload::ReloadableRouter};
