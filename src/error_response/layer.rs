use std::sync::Arc;

use tower_layer::Layer;

use super::{ErrorResponse, proxy_status};

/// Applies [`ErrorResponse`]. See the [module docs](super) for what is answered and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ErrorResponseLayer {
    name: Arc<str>,
}

impl ErrorResponseLayer {
    /// Answers in the name of `name`: what `Proxy-Status` calls this server, such as a host name or the name of the
    /// service (RFC 9209 §2).
    ///
    /// A structured field can hold printable ASCII only: any other character is replaced by `?`.
    pub fn new(name: &str) -> Self {
        Self { name: proxy_status::name(name).into() }
    }
}

impl<S> Layer<S> for ErrorResponseLayer {
    type Service = ErrorResponse<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorResponse { inner, name: Arc::clone(&self.name), not_ready: None }
    }
}
