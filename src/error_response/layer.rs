use std::sync::Arc;

use tower_layer::Layer;

use super::{ErrorResponse, settings::Settings};

/// Applies [`ErrorResponse`]. See the [module docs](super) for what is answered and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ErrorResponseLayer {
    settings: Arc<Settings>,
}

impl ErrorResponseLayer {
    /// Creates a layer that responds in the name of `name`, such as a host name or the name of the service. `Proxy-Status` and
    /// the page show it (RFC 9209 §2).
    ///
    /// A structured field holds printable ASCII only: any other character is replaced by `?`. The name is cut at 255
    /// characters.
    pub fn new(name: &str) -> Self {
        Self { settings: Arc::new(Settings::new(name)) }
    }

    /// Sets whether the texts of errors leave this server: in the `details` of `Proxy-Status` (RFC 9209 §2.1.5), as `error`
    /// in the problem document, on the page, and in `grpc-message`. Defaults to `false`, since they contain addresses and
    /// the like. Enable it only if all readers of the responses are trusted.
    ///
    /// The text is that of the error and of its sources, at most 512 characters, with control characters replaced by `?`.
    pub fn include_error_text(mut self, include_error_text: bool) -> Self {
        Arc::make_mut(&mut self.settings).include_error_text = include_error_text;
        self
    }

    /// Sets whether passing responses with a status of 429, or of 500 and above, get a member of `Proxy-Status` appended (RFC
    /// 9209 §2). The caller then sees each server that the failure has passed. Defaults to `false`: responses pass
    /// unchanged, but for `x-should-retry`.
    ///
    /// Existing members are kept before it. It has `received-status`, and no `error`: that would mean that this server met an
    /// error (RFC 9209 §2.1.1), whereas it received a complete response.
    pub fn append_proxy_status(mut self, append: bool) -> Self {
        Arc::make_mut(&mut self.settings).append = append;
        self
    }
}

impl<S> Layer<S> for ErrorResponseLayer {
    type Service = ErrorResponse<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorResponse { inner, settings: Arc::clone(&self.settings), not_ready: None }
    }
}
