use std::time::Duration;

use tower_layer::Layer;

use super::BadGatewayClassifier;

/// Applies [`BadGatewayClassifier`]. See the [module docs](super) for what it concludes, and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
#[doc(alias = "502ClassifierLayer")]
pub struct BadGatewayClassifierLayer {
    settings: Settings,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(super) on: bool,
    pub(super) peek: usize,
    pub(super) peek_wait: Duration,
}

impl BadGatewayClassifierLayer {
    /// Looks at up to 4 KiB of the body of a failed response, and waits for them at most 50 ms.
    pub const fn new() -> Self {
        Self {
            settings: Settings { on: true, peek: 4 * 1024, peek_wait: Duration::from_millis(50) },
        }
    }

    /// Passes every response as it is.
    pub const fn disabled() -> Self {
        Self { settings: Settings { on: false, peek: 0, peek_wait: Duration::ZERO } }
    }

    /// Looks at up to so many bytes of the body of a failed response. Zero: at none. The default is 4 KiB, in which every
    /// page that was recorded has its fingerprint.
    ///
    /// They are copied; the frames they came in, of which the last may be larger, are held until the body is read: at
    /// most 64.
    pub const fn peek(mut self, bytes: usize) -> Self {
        self.settings.peek = bytes;
        self
    }

    /// Waits for those bytes at most so long, from the first time that the body pauses. Zero: looks only at what has
    /// already come. The default is 50 ms.
    pub const fn peek_wait(mut self, wait: Duration) -> Self {
        self.settings.peek_wait = wait;
        self
    }
}

impl Default for BadGatewayClassifierLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for BadGatewayClassifierLayer {
    type Service = BadGatewayClassifier<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BadGatewayClassifier { inner, settings: self.settings }
    }
}
