//! Forwards a caller's message to the upstream, and the upstream's message to the caller.
//!
//! [`ValidateLayer`] surrounds all routes of the server. It refuses requests that are malformed or
//! not for a gateway. [`ForwardLayer`] surrounds one service and is outside of retry, so each
//! request passes it once. [`ToUpstream`] is the only step of each attempt, and sets the URL.
//!
//! | step | where | file |
//! |---|---|---|
//! | `Host`, target, transfer coding, `CONNECT`, `TRACE`, `Max-Forwards` | server | `message`, `host` |
//! | `x-request-id` | all services | `request_id` |
//! | the path stays below `/NAME` | service | `path` |
//! | upgrade to a WebSocket | service | `upgrade`, `tunnel`, `activity` |
//! | hop-by-hop fields, cookies, `Via` | service | `hop_by_hop`, `fields` |
//! | client address, `X-Forwarded-*`, `Forwarded` | service | `client_address`, `forwarded` |
//! | `Location` of the response | service | `location` |
//! | URL, `TE` | attempt | `to_upstream` |
//!
//! # Refusals
//!
//! | request | status |
//! |---|---|
//! | missing, repeated or invalid `Host` (RFC 9112 §3.2); `:authority` that differs from `Host` (RFC 9113 §8.3.1) | 400 |
//! | `*`, or a target with a user or a scheme other than `http` and `https` | 400 |
//! | `Transfer-Encoding` other than `chunked` | 501, and the connection closes |
//! | `Transfer-Encoding` with `Content-Length` | 400, and the connection closes |
//! | `CONNECT` | 501 |
//! | `TRACE`, because it would echo credentials and forwarded fields | 405 |
//! | a path that leaves `/NAME` by dot segments | 400 |
//! | a target longer than 60,000 bytes | 414 |
//!
//! The server does not offer the extended CONNECT of HTTP/2 (RFC 8441), so browsers open a
//! WebSocket over HTTP/1.1.
//!
//! The authority of an absolute-form target replaces `Host` (RFC 9112 §3.2.2).

mod activity;
mod client_address;
mod config;
mod fields;
mod forwarded;
mod hop_by_hop;
mod host;
mod layer;
mod location;
mod message;
mod path;
mod refusal;
mod request_id;
mod to_upstream;
mod trusted_proxies;
mod tunnel;
mod upgrade;
mod validate;

pub(crate) use self::{
    client_address::{ClientAddress, peer_address},
    config::ForwardingConfig,
    host::is_host_and_port,
    layer::ForwardLayer,
    request_id::{RequestId, RequestIdLayer},
    to_upstream::ToUpstream,
    tunnel::TunnelGuard,
    validate::{Validate, ValidateLayer},
};

/// The name in `Via` and `Proxy-Status`.
pub(crate) const GATEWAY_NAME: &str = "seawall-gateway";
