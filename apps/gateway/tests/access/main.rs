//! Access to the services, the dashboard and the metrics, over raw connections.

mod admin;
mod admin_requests;
mod clients;
mod config;
mod forwarded_tokens;
mod guesses;
mod origins;
mod preflights;
mod raw;
mod setup;
#[path = "../support/mod.rs"]
mod support;
mod viewers;
