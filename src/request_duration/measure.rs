use std::{borrow::Cow, error::Error};

use http::{StatusCode, request::Parts};
use metrics::{SharedString, histogram};
use tokio::time::Instant;

use super::layer::{RequestDurationLayer, Side};
use crate::{
    Cause,
    body::Watch,
    classify::{classify_body_error, classify_error},
    metrics as names,
    semconv::{self, OTHER, port_of_scheme},
};

/// One request under way, measured when it ends.
#[derive(Debug)]
pub struct Measure {
    side: Side,
    started: Instant,
    method: &'static str,
    address: Option<SharedString>,
    port: Option<u16>,
    scheme: Option<&'static str>,
    route: Option<String>,
    status: Option<StatusCode>,
    error: Option<Cow<'static, str>>,
    told: bool,
}

impl Measure {
    pub(super) fn start(layer: &RequestDurationLayer, head: &Parts) -> Self {
        let client = layer.side == Side::Client;
        let host = head.uri.host().filter(|_| client);
        let port = head.uri.port_u16().or_else(|| port_of_scheme(&head.uri)).filter(|_| client);
        let (address, port) = match host.map(|host| (host.to_ascii_lowercase(), port)) {
            None => (None, None),
            Some((host, port)) => {
                // Both together are bounded: a peer that chooses one chooses the other.
                let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
                match &*names::bounded(&authority) {
                    "other" => (Some("other".into()), None),
                    _ => (Some(host.into()), port),
                }
            }
        };
        Self {
            side: layer.side,
            started: Instant::now(),
            method: semconv::method(&head.method).unwrap_or(OTHER),
            address,
            port,
            scheme: layer.scheme(head.uri.scheme_str()),
            route: layer.route.0.as_ref().and_then(|by| by(head)),
            status: None,
            error: None,
            told: false,
        }
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        // OpenTelemetry: a client's fault is none of the server's.
        let least = if self.side == Side::Client { 400 } else { 500 };
        if status.as_u16() >= least {
            self.error = Some(status.as_u16().to_string().into());
        }
    }

    pub(super) fn failed(&mut self, cause: Cause) {
        if cause != Cause::Cancelled {
            self.error = Some(cause.as_str().into());
        }
        self.tell();
    }

    fn tell(&mut self) {
        // First, so that a recorder that panics is not asked again when this is dropped.
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut labels: Vec<(&'static str, SharedString)> =
            vec![("http.request.method", self.method.into())];
        let mut add = |name, value: Option<SharedString>| labels.extend(value.map(|it| (name, it)));
        let status = self.status.map(|status| status.as_u16().to_string().into());
        add("http.response.status_code", status);
        add("error.type", self.error.take().map(Into::into));
        add("url.scheme", self.scheme.map(Into::into));
        add("server.address", self.address.take());
        add("server.port", self.port.map(|port| port.to_string().into()));
        add("http.route", self.route.take().map(Into::into));
        let seconds = self.started.elapsed();
        match self.side {
            Side::Client => histogram!(names::CLIENT, &labels).record(seconds),
            Side::Server => histogram!(names::SERVER, &labels).record(seconds),
        }
    }
}

impl Watch for Measure {
    fn panicked(&mut self) {
        self.error = Some("panic".into());
        self.tell();
    }

    fn complete(&mut self) {
        self.tell();
    }

    fn fail(&mut self, error: &(dyn Error + 'static)) {
        // A body that breaks off differs from a call that fails.
        let cause = match self.status {
            Some(_) => classify_body_error(error).cause(),
            None => classify_error(error).cause(),
        };
        self.failed(cause);
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        self.tell();
    }
}
