use std::time::Duration;

use tower_layer::Layer;

use super::{BadGatewayClassifier, settings::Settings};

/// Applies [`BadGatewayClassifier`]. See the [module docs](super) for what it concludes, and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
#[doc(alias = "502ClassifierLayer")]
pub struct BadGatewayClassifierLayer {
    settings: Settings,
}

impl BadGatewayClassifierLayer {
    /// Inspects up to 4 KiB of the body of a failed response, and waits for them up to 50 ms.
    pub const fn new() -> Self {
        Self {
            settings: Settings {
                on: true,
                peek: 4 * 1024,
                peek_timeout: Duration::from_millis(50),
            },
        }
    }

    /// Passes every response unchanged.
    pub const fn disabled() -> Self {
        Self { settings: Settings { on: false, peek: 0, peek_timeout: Duration::ZERO } }
    }

    /// Sets how many bytes of the body of a failed response are inspected. Zero disables it. Defaults to 4 KiB, which contains
    /// the fingerprint of every recorded page.
    ///
    /// The bytes are copied. Their frames, at most 64, are held until the body is read; the last one may be larger.
    pub const fn max_peek_bytes(mut self, bytes: usize) -> Self {
        self.settings.peek = bytes;
        self
    }

    /// Sets the maximum wait for these bytes, from the first pause of the body. Zero inspects only the bytes that are
    /// ready. Defaults to 50 ms.
    pub const fn peek_timeout(mut self, wait: Duration) -> Self {
        self.settings.peek_timeout = wait;
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
