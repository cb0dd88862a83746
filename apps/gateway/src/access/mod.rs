//! Access to the gateway: which callers may use a service, the dashboard, the metrics and the
//! controls.
//!
//! # Services
//!
//! With a `[[client]]`, a request to a service must carry the token of a client. The token is in a
//! header of an API key, or in the query parameter `key`. A header has it alone, after a scheme, or
//! as the user or the password of HTTP Basic. Without a `[[client]]`, every caller is admitted.
//!
//! No token of the gateway is forwarded, to any upstream. [`redact`] lists the fields.
//!
//! A request from the page of another site is refused before the gateway adds an API key to it.
//! [`origin`] and [`cors`] describe the exceptions.
//!
//! # Guesses
//!
//! Tokens are compared as SHA-256 digests, all of them, in constant time. Wrong tokens are limited
//! by address; [`failed_tokens`] describes the limit.
//!
//! # The gateway's own pages
//!
//! The dashboard, `/metrics` and the controls have one policy, [`AdminAccess`].

mod admin;
mod admin_policy;
mod admission;
mod api_key;
mod auth;
mod client_address;
mod config;
mod cors;
mod credentials;
mod failed_tokens;
mod origin;
mod problem;
mod query;
mod rate_limit;
mod rate_limit_exceeded;
mod redact;
mod refusals;
mod token;
mod viewers;

pub(crate) use self::{
    admin::{AdminAccess, require_admin},
    admission::{ClientName, ServiceAccess},
    api_key::{ApiKey, ApiKeyHeader},
    client_address::{ClientNetwork, client_address},
    config::{AccessConfig, AdminConfig, AllowedOrigin, ClientConfig, RateLimitConfig, validate},
    cors::CorsLayer,
    credentials::{credential_values, remove_credentials},
    problem::Problem,
    rate_limit::ClientRateLimiter,
    viewers::Viewers,
};
