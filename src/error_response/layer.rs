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
    /// Answers in the name of `name`: what `Proxy-Status` and the page for a person call this server, such as a host
    /// name or the name of the service (RFC 9209 §2).
    ///
    /// A structured field can hold printable ASCII only: any other character is replaced by `?`. It is cut at 255
    /// characters.
    pub fn new(name: &str) -> Self {
        Self { settings: Arc::new(Settings::new(name)) }
    }

    /// Whether the texts of errors leave this server: in the `details` of `Proxy-Status` (RFC 9209 §2.1.5), as `error`
    /// in the problem document, on the page, and in `grpc-message`. Off by default, since they tell of addresses and
    /// the like; turn it on where only people you trust can see the answers.
    ///
    /// It is the text of the error and of its sources, at most 512 characters, control characters replaced by `?`.
    pub fn disclose(mut self, disclose: bool) -> Self {
        Arc::make_mut(&mut self.settings).disclose = disclose;
        self
    }

    /// Whether upstream responses with a status of 429, or of 500 and above, that pass through get a member of
    /// `Proxy-Status` appended (RFC 9209 §2), so that a caller sees each server that the failure has passed. Off by
    /// default: then responses pass as they are, but for `x-should-retry`.
    ///
    /// The members that are there stay as they are, before it. It says `received-status`, and no `error`: that would
    /// say that this server met with one (RFC 9209 §2.1.1), whereas it received a complete response.
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
