//! The server for callers: time limits, the drain, TLS and the number of connections.

#![cfg(unix)]

mod caller;
mod config;
mod connections;
mod drain;
mod flow_control;
mod http2;
mod running;
mod stream_origin;
#[path = "../support/mod.rs"]
mod support;
mod time_limits;
mod tls;
mod tls_files;
