use std::time::Duration;

use tower_layer::Layer;

use super::{BadGatewayClassifier, settings::Settings};

/// Applies [`BadGatewayClassifier`]. See the [module docs](super) for its rules and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
#[doc(alias = "502ClassifierLayer")]
pub struct BadGatewayClassifierLayer {
    settings: Settings,
}

impl BadGatewayClassifierLayer {
    /// Creates a layer that inspects up to 4 KiB of the body of a failed response, and waits for
    /// them at most 50 ms.
    pub const fn new() -> Self {
        Self {
            settings: Settings {
                enabled: true,
                max_peek_bytes: 4 * 1024,
                peek_timeout: Duration::from_millis(50),
            },
        }
    }

    /// Creates a layer that passes every response unchanged.
    pub const fn disabled() -> Self {
        Self {
            settings: Settings { enabled: false, max_peek_bytes: 0, peek_timeout: Duration::ZERO },
        }
    }

    /// Sets the maximum number of inspected bytes of the body of a failed response. Zero disables
    /// the inspection. Defaults to 4 KiB, which contains the fingerprint of every recorded page.
    ///
    /// The bytes are copied. Their frames, at most 64, are held until the body is read. The last
    /// frame may exceed the limit.
    pub const fn max_peek_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_peek_bytes = bytes;
        self
    }

    /// Sets the maximum wait for these bytes, from the first pause of the body. Zero inspects only
    /// bytes that are ready. Defaults to 50 ms.
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
