//! The upgrade of a connection to a WebSocket (RFC 6455).

use std::{error::Error, fmt};

use axum::body::{Body, HttpBody};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, UPGRADE},
};
use hyper::upgrade::OnUpgrade;
use seawall::{Cause, Failure, Processed, Reporter};

use super::{
    hop_by_hop::has_option,
    tunnel::{Tunnel, TunnelGuard},
};
use crate::server::ConnectionInfo;

const WEBSOCKET: &str = "websocket";

/// The caller's end of an upgrade that the upstream has not accepted yet.
#[derive(Debug)]
pub(super) struct Upgrade {
    caller: OnUpgrade,
    guard: Option<TunnelGuard>,
}

impl Upgrade {
    /// Takes the upgrade from a request, before its hop-by-hop fields are removed.
    ///
    /// Returns `None` if the request asks for no WebSocket. Then an `Upgrade` to another protocol,
    /// such as `h2c`, is removed as any hop-by-hop field, so no request can hide in a tunnel.
    pub(super) fn take(request: &mut Request<Body>) -> Option<Self> {
        let headers = request.headers();
        let asks = headers.contains_key(UPGRADE)
            && has_option(headers, &UPGRADE, WEBSOCKET)
            && has_option(headers, &CONNECTION, "upgrade")
            && request.version() == Version::HTTP_11
            && request.method() == Method::GET
            && request.body().is_end_stream();
        asks.then(|| Self {
            caller: hyper::upgrade::on(&mut *request),
            guard: request
                .extensions()
                .get()
                .map(|connection: &ConnectionInfo| TunnelGuard::new(connection.tunnel_guard())),
        })
    }

    /// Sets the fields of the upgrade, after the hop-by-hop fields were removed.
    pub(super) fn set_fields(headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
    }

    /// Prepares the tunnel of a 101 response.
    ///
    /// # Errors
    /// Returns an error if the upstream switched to another protocol.
    pub(super) fn accept(self, response: &mut Response<Body>) -> Result<Tunnel, UnexpectedUpgrade> {
        let headers = response.headers();
        let mut protocols = headers.get_all(UPGRADE).iter();
        let is_websocket = protocols
            .next()
            .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes()));
        if !is_websocket || protocols.next().is_some() {
            return Err(UnexpectedUpgrade);
        }
        let upstream = hyper::upgrade::on(&mut *response);
        let guards = [self.guard, response.extensions_mut().remove()];
        Ok(Tunnel { caller: self.caller, upstream, guards })
    }
}

/// Returns whether the upstream switched to another protocol.
pub(super) fn is_switched<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::SWITCHING_PROTOCOLS
}

/// The error of a 101 response that the request did not ask for. The caller gets a 502.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnexpectedUpgrade;

static FAILURE: Failure = Failure::new(Cause::HttpUpgradeFailed)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl fmt::Display for UnexpectedUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the upstream switched to a protocol that the request did not ask for")
    }
}

impl Error for UnexpectedUpgrade {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&FAILURE)
    }
}
