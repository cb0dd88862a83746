use http::{HeaderValue, Request, Uri, header::HOST};

/// The target of a request as a gateway received it, before it sets the URI of the upstream.
///
/// A request extension. `LoggingLayer::server` logs this target, and the URI of the request as that
/// of the upstream.
///
/// ```
/// use http::Request;
/// use seawall::ReceivedTarget;
///
/// fn to_upstream<B>(mut request: Request<B>) -> Request<B> {
///     ReceivedTarget::insert(&mut request);
///     // Then change the URI, and remove `Host`.
///     request
/// }
/// # to_upstream(Request::new(()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedTarget {
    uri: Uri,
    host: Option<HeaderValue>,
}

impl ReceivedTarget {
    /// Creates a target from a URI and the `Host` header.
    ///
    /// Inside `Router::nest_service`, axum has removed a prefix from the URI of the request. Its
    /// `OriginalUri` has the received one.
    #[must_use]
    pub const fn new(uri: Uri, host: Option<HeaderValue>) -> Self {
        Self { uri, host }
    }

    /// Inserts the current target of a request into its extensions, unless they have one.
    pub fn insert<B>(request: &mut Request<B>) {
        if request.extensions().get::<Self>().is_none() {
            let target = Self::new(request.uri().clone(), request.headers().get(HOST).cloned());
            request.extensions_mut().insert(target);
        }
    }

    /// Returns the URI.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the `Host` header.
    #[must_use]
    pub const fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }
}
