use std::{fmt, sync::Arc};

use http::{HeaderName, header};
use tracing::level_filters::LevelFilter;

use super::{Head, Level, level::Levels, redact::Secrets, sample::Sample};

/// Which end of the exchange a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// What a layer and all its services have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) side: Side,
    pub(super) levels: Levels,
    /// What somebody must listen to for a success to be written: that of its level, at hand.
    success: Option<LevelFilter>,
    pub(super) span: Option<Level>,
    /// Whether the span holds all that OpenTelemetry wants of one.
    pub(super) traces: bool,
    pub(super) sample: Sample,
    pub(super) skip: Hook<Skip>,
    pub(super) route: Hook<Route>,
    pub(super) secrets: Secrets,
    pub(super) scheme: &'static str,
    pub(super) user_agent: bool,
    pub(super) headers: Vec<HeaderName>,
    pub(super) failed_body: usize,
    pub(super) curl: bool,
}

type Skip = dyn Fn(Head<'_>) -> bool + Send + Sync;
type Route = dyn Fn(Head<'_>) -> Option<String> + Send + Sync;

/// A closure of the user's.
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
    pub(super) fn new(side: Side, success: Level) -> Self {
        let levels = Levels {
            success,
            retried: Level::Info,
            client_error: None,
            failure: Level::Warn,
            refused: Level::Debug,
            cancelled: Level::Info,
        };
        Self {
            side,
            levels,
            success: success.filter(),
            span: None,
            traces: false,
            sample: Sample::all(),
            skip: Hook(None),
            route: Hook(None),
            secrets: Secrets::default(),
            scheme: "http",
            user_agent: false,
            headers: Vec::new(),
            failed_body: 0,
            curl: true,
        }
    }

    /// What somebody must listen to for anything to be written.
    pub(super) fn gravest(&self) -> LevelFilter {
        let Levels { success, retried, client_error, failure, refused, cancelled } = self.levels;
        let client_error = client_error.unwrap_or(success);
        [success, retried, client_error, failure, refused, cancelled, self.span()]
            .into_iter()
            .filter_map(Level::filter)
            .min()
            // Whoever listens, nothing is; it only has to be something.
            .unwrap_or(LevelFilter::TRACE)
    }

    pub(super) fn set_success(&mut self, level: Level) {
        self.levels.success = level;
        self.success = level.filter();
    }

    #[inline]
    pub(super) fn wants_success(&self) -> bool {
        self.success.is_some_and(|filter| LevelFilter::current() >= filter)
    }

    /// From what on requests are looked at at length: there is a span, or what else not every layer has.
    pub(super) fn at_length(&self) -> LevelFilter {
        let hooks = self.skip.0.is_some() || self.route.0.is_some();
        if hooks || self.user_agent || !self.headers.is_empty() {
            return LevelFilter::OFF;
        }
        [self.span(), if self.curl { Level::Debug } else { Level::Off }]
            .into_iter()
            .filter_map(Level::filter)
            .min()
            // Whoever listens, there is nothing.
            .unwrap_or(LevelFilter::TRACE)
    }

    pub(super) fn span(&self) -> Level {
        self.span.unwrap_or(self.levels.success)
    }
}

/// Headers that are credentials by definition, or as good as: never written, whoever asks.
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
