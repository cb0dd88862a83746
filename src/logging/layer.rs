use tower_layer::Layer;

use super::{Level, Logging};
use crate::HttpClassifier;

/// Applies [`Logging`]. See the [module docs](super) for what is logged and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct LoggingLayer<C = HttpClassifier> {
    classifier: C,
    side: Side,
    levels: Levels,
}

/// Which end of the exchange a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) success: Level,
    pub(super) failure: Level,
}

impl LoggingLayer {
    /// Logs the requests that a client sends: success at DEBUG, failure at WARN, by whole URL without query.
    pub const fn client() -> Self {
        Self::new(Side::Client, Level::Debug)
    }

    /// Logs the requests that a server answers: success at INFO, failure at WARN, by path.
    pub const fn server() -> Self {
        Self::new(Side::Server, Level::Info)
    }

    const fn new(side: Side, success: Level) -> Self {
        let levels = Levels { success, failure: Level::Warn };
        Self { classifier: HttpClassifier::new(), side, levels }
    }
}

impl<C> LoggingLayer<C> {
    /// Decides by `classifier` what is a failure, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> LoggingLayer<C2> {
        LoggingLayer { classifier, side: self.side, levels: self.levels }
    }

    /// The level of requests that succeed. Default: INFO on a server, DEBUG on a client.
    pub fn success(mut self, level: Level) -> Self {
        self.levels.success = level;
        self
    }

    /// The level of requests that fail. Default: WARN.
    pub fn failure(mut self, level: Level) -> Self {
        self.levels.failure = level;
        self
    }
}

impl<S, C: Clone> Layer<S> for LoggingLayer<C> {
    type Service = Logging<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Logging { inner, classifier: self.classifier.clone(), side: self.side, levels: self.levels }
    }
}
