//! HTTP as the RFCs define it, on raw sockets.

#[path = "../support/mod.rs"]
mod support;

mod client_wait;
mod commit;
mod connection;
mod dialect;
mod exchange;
mod expect;
mod forwarded;
mod host;
mod http2;
mod last_response;
mod location;
mod origin;
mod path;
mod probes;
mod smuggling;
mod websocket;
