use std::{fmt, sync::Arc};

use http::{HeaderName, header};
use tracing::level_filters::LevelFilter;

use super::{Level, RequestHead, level::Levels, sampler::Sampler};
use crate::{redact::Redaction, rejections::Rejections};

/// The side of the connection that the layer logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// The settings of a layer, shared by its services.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) role: Role,
    pub(super) levels: Levels,
    /// Defaults to the level of a success.
    pub(super) span_level: Option<Level>,
    /// Gives spans all attributes of OpenTelemetry's conventions.
    pub(super) otel_spans: bool,
    pub(super) sampler: Sampler,
    pub(super) skip: Hook<SkipFn>,
    pub(super) route: Hook<RouteFn>,
    pub(super) redaction: Redaction,
    pub(super) scheme: &'static str,
    pub(super) user_agent: bool,
    pub(super) headers: Vec<HeaderName>,
    pub(super) max_failed_body_bytes: usize,
    pub(super) curl: bool,
    /// The calls that a layer without an event of its own rejected.
    pub(super) shed_calls: Arc<Rejections>,
}

type SkipFn = dyn Fn(RequestHead<'_>) -> bool + Send + Sync;
type RouteFn = dyn Fn(RequestHead<'_>) -> Option<String> + Send + Sync;

/// An optional closure set by the user.
pub(super) struct Hook<F: ?Sized>(pub(super) Option<Arc<F>>);

impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook" } else { "None" })
    }
}

impl Settings {
    pub(super) fn new(role: Role, success_level: Level) -> Self {
        let levels = Levels {
            success: success_level,
            retried: Level::Info,
            client_error: None,
            failure: Level::Warn,
            rejected: Level::Debug,
            cancelled: Level::Info,
        };
        Self {
            role,
            levels,
            span_level: None,
            otel_spans: false,
            sampler: Sampler::all(),
            skip: Hook(None),
            route: Hook(None),
            redaction: Redaction::default(),
            scheme: "http",
            user_agent: false,
            headers: Vec::new(),
            max_failed_body_bytes: 0,
            curl: true,
            shed_calls: Arc::default(),
        }
    }

    /// Returns the least verbose level that must be enabled for this layer to emit anything.
    pub(super) fn min_level(&self) -> LevelFilter {
        let Levels { success, retried, client_error, failure, rejected, cancelled } = self.levels;
        let client_error = client_error.unwrap_or(success);
        [success, retried, client_error, failure, rejected, cancelled, self.span_level()]
            .into_iter()
            .filter_map(Level::filter)
            .min()
            // Every level is off. TRACE is the level that the fewest subscribers enable.
            .unwrap_or(LevelFilter::TRACE)
    }

    /// Returns the level of the span around a request.
    pub(super) fn span_level(&self) -> Level {
        self.span_level.unwrap_or(self.levels.success)
    }

    /// Returns whether logs inside this one leave the event of a failure to it.
    pub(super) fn encloses_logs(&self) -> bool {
        self.role == Role::Server && self.levels.failure.is_enabled()
    }

    /// Returns whether a failure is followed by a `curl` command.
    pub(super) fn is_curl_enabled(&self) -> bool {
        self.curl
            && Level::Debug.is_enabled()
            && tracing::enabled!(target: "seawall::logging::curl", tracing::Level::DEBUG)
    }
}

/// The headers that hold credentials. They are never logged, even if selected.
pub(super) const CREDENTIALS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-auth-token"),
    HeaderName::from_static("x-amz-security-token"),
];
