use std::error::Error;

use http::{StatusCode, request::Parts};
use metrics::{Label, SharedString, histogram};
use tokio::time::Instant;

use super::{
    layer::{RequestDurationLayer, Side},
    server::Server,
};
use crate::{
    Cause,
    body::Watch,
    classify::{classify_body_error, classify_error},
    metrics as names,
    panics::at_most_one,
    semconv::{self, OTHER},
};

/// One request under way, measured when it ends.
#[derive(Debug)]
pub struct Measure {
    side: Side,
    started: Instant,
    method: &'static str,
    server: Server,
    scheme: Option<&'static str>,
    route: Option<String>,
    status: Option<StatusCode>,
    error: Option<&'static str>,
    told: bool,
}

impl Measure {
    pub(super) fn start(layer: &RequestDurationLayer, head: &Parts, server: Server) -> Self {
        Self {
            side: layer.side,
            started: Instant::now(),
            method: semconv::method(&head.method).unwrap_or(OTHER),
            server,
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
            self.error = Some(semconv::status(status));
        }
    }

    pub(super) fn failed(&mut self, cause: Cause) {
        if cause != Cause::Cancelled {
            self.error = Some(cause.as_str());
        }
        self.tell();
    }

    fn tell(&mut self) {
        // First, so that a recorder that panics is not asked again when this is dropped.
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut labels = Vec::with_capacity(7);
        labels.push(Label::new("http.request.method", self.method));
        let mut add = |name: &'static str, value: Option<SharedString>| {
            labels.extend(value.map(|it| Label::new(name, it)));
        };
        add("http.response.status_code", self.status.map(|it| semconv::status(it).into()));
        add("error.type", self.error.map(Into::into));
        add("url.scheme", self.scheme.map(Into::into));
        add("server.address", self.server.address.take());
        add("server.port", self.server.port.take());
        add("http.route", self.route.take().map(Into::into));
        let seconds = self.started.elapsed();
        let name = if self.side == Side::Client { names::CLIENT } else { names::SERVER };
        // A recorder may panic, and this may be a drop.
        at_most_one(|| histogram!(name, labels).record(seconds));
    }
}

impl Watch for Measure {
    fn panicked(&mut self) {
        self.error = Some("panic");
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
