use std::{error::Error, sync::Arc, thread};

use http::{Request, StatusCode};
use metrics::{Label, SharedString, histogram};
use seawall_core::{
    Cause,
    classify::{classify_body_error, classify_error},
};
use tokio::time::Instant;

use super::{
    server_labels::ServerLabels,
    settings::{Role, Settings},
};
use crate::{
    RequestAttributes,
    body::CompletionObserver,
    metrics::{CLIENT_REQUEST_DURATION, SERVER_REQUEST_DURATION},
    semconv::{self, OTHER},
};

/// The measurement of one request in flight. Records the duration when dropped.
#[derive(Debug)]
pub struct Measurement {
    role: Role,
    started: Instant,
    method: &'static str,
    server: ServerLabels,
    scheme: Option<&'static str>,
    route: Option<String>,
    attributes: Option<RequestAttributes>,
    labels: Arc<[Label]>,
    status: Option<StatusCode>,
    error_type: Option<&'static str>,
}

impl Measurement {
    pub(super) fn start<B>(
        settings: &Settings,
        request: &Request<B>,
        server: ServerLabels,
        route: Option<String>,
    ) -> Self {
        Self {
            role: settings.role,
            started: Instant::now(),
            method: semconv::method_name(request.method()).unwrap_or(OTHER),
            server,
            scheme: settings.scheme(request.uri().scheme_str()),
            route,
            attributes: request
                .extensions()
                .get()
                .filter(|_| settings.role == Role::Server)
                .cloned(),
            labels: Arc::clone(&settings.labels),
            status: None,
            error_type: None,
        }
    }

    pub(super) fn on_response(&mut self, status: StatusCode) {
        self.status = Some(status);
        // OpenTelemetry: a 4xx is an error of the client, so on a server it has no `error.type`.
        let min_error_status = if self.role == Role::Client { 400 } else { 500 };
        if status.as_u16() >= min_error_status {
            self.error_type = Some(semconv::status_text(status));
        }
    }

    pub(super) fn set_cause(&mut self, cause: Cause) {
        if cause != Cause::Cancelled {
            self.error_type = Some(cause.as_str());
        }
    }
}

impl CompletionObserver for Measurement {
    fn on_panic(&mut self) {
        self.error_type = Some("panic");
    }

    fn on_complete(&mut self) {}

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        // After the head, the error is that of the body, which has other causes than a call.
        let cause = match self.status {
            Some(_) => classify_body_error(error).cause(),
            None => classify_error(error).cause(),
        };
        self.set_cause(cause);
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        // A recorder that panics during unwinding would abort the process.
        if thread::panicking() {
            return;
        }
        let mut labels = Vec::with_capacity(9 + self.labels.len());
        labels.push(Label::new("http.request.method", self.method));
        let mut add = |name: &'static str, value: Option<SharedString>| {
            labels.extend(value.map(|it| Label::new(name, it)));
        };
        add("http.response.status_code", self.status.map(|it| semconv::status_text(it).into()));
        add("error.type", self.error_type.map(Into::into));
        add("url.scheme", self.scheme.map(Into::into));
        add("server.address", self.server.address.take());
        add("server.port", self.server.port.take());
        add("http.route", self.route.take().map(Into::into));
        let names = self.attributes.as_ref().map(RequestAttributes::names).unwrap_or_default();
        add("client", names.client.map(Into::into));
        add("service", names.service.map(Into::into));
        labels.extend(self.labels.iter().cloned());
        let name = if self.role == Role::Client {
            CLIENT_REQUEST_DURATION
        } else {
            SERVER_REQUEST_DURATION
        };
        histogram!(name, labels).record(self.started.elapsed());
    }
}
