use std::sync::Arc;

use tower_layer::Layer;

use super::{ErrorResponse, settings::Settings};

/// A layer that turns errors into responses with [`ErrorResponse`].
///
/// See the [module docs](super) for the responses and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ErrorResponseLayer {
    settings: Arc<Settings>,
}

impl ErrorResponseLayer {
    /// Creates a layer with the name of this server, such as a host name or a service name.
    ///
    /// `Proxy-Status` (RFC 9209 §2), the page and the plain text contain the name. A structured
    /// field consists of printable ASCII, so any other character is replaced by `?`. The name is
    /// truncated at 255 characters.
    pub fn new(name: &str) -> Self {
        Self { settings: Arc::new(Settings::new(name)) }
    }

    /// Sets whether responses include error messages. Default: `false`.
    ///
    /// The message is sent in the `details` of `Proxy-Status` (RFC 9209 §2.1.5), as `error` in the
    /// problem document, in the page and the plain text, and in `grpc-message`. Error messages
    /// contain internal addresses and similar data, so enable this only if all callers are trusted.
    ///
    /// The message consists of the texts of the error and its sources. It has at most 512
    /// characters, and control characters are replaced by `?`. Users, passwords and queries of URLs
    /// are redacted, and so are the keys and paths that `LoggingLayer` knows as secrets.
    pub fn include_error_text(mut self, include_error_text: bool) -> Self {
        Arc::make_mut(&mut self.settings).include_error_text = include_error_text;
        self
    }

    /// Adds keys whose values are redacted in error messages, as `LoggingLayer::redact` does.
    pub fn redact<'a>(mut self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        let redaction = &mut Arc::make_mut(&mut self.settings).redaction;
        keys.into_iter().for_each(|key| redaction.add_key(key));
        self
    }

    /// Adds paths with a segment that is redacted in error messages, as
    /// `LoggingLayer::redact_paths` does.
    pub fn redact_paths<'a>(mut self, templates: impl IntoIterator<Item = &'a str>) -> Self {
        let redaction = &mut Arc::make_mut(&mut self.settings).redaction;
        templates.into_iter().for_each(|path| redaction.add_path(path));
        self
    }

    /// Sets whether a member of `Proxy-Status` is appended to failed responses of the inner
    /// service. Default: `false`.
    ///
    /// Failed responses are those with a status of 429, or of 500 and above. With the member, the
    /// caller sees each server that forwarded the failure (RFC 9209 §2). Without it, responses are
    /// unchanged except for `x-should-retry`.
    ///
    /// The member follows the existing ones and has `received-status`. It has no `error`, because
    /// that would report an error of this server (RFC 9209 §2.1.1), although this server received a
    /// complete response.
    pub fn append_proxy_status(mut self, append: bool) -> Self {
        Arc::make_mut(&mut self.settings).append_proxy_status = append;
        self
    }
}

impl<S> Layer<S> for ErrorResponseLayer {
    type Service = ErrorResponse<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorResponse { inner, settings: Arc::clone(&self.settings), not_ready: None }
    }
}
