//! Functions that extract the key of a request.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{Request, Uri};

use crate::time_limit::BodyWait;

/// Extracts the key of a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` returns no key for requests of type `{Req}`",
    note = "`.per_key(key_fn)` takes a function of the `Uri` of an `http::Request`, such as \
            `by_authority`; for other requests there is `.per_request_key(|request: &{Req}| ...)`"
)]
pub trait KeyExtractor<Req> {
    /// Returns `None` if the request has no key.
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>>;

    /// Returns the waits for the request body, if they are known. The latency of a call excludes
    /// them.
    #[doc(hidden)]
    fn body_wait(&self, _request: &Req) -> Option<BodyWait> {
        None
    }
}

/// A function that extracts the key of an HTTP request from its URI.
///
/// Created by the setter `per_key` of a layer. Clones share the function.
#[derive(Clone)]
pub struct UriKey {
    key_fn: Arc<UriKeyFn>,
    /// The key of a URI for which the function returns `None`.
    default: Option<Arc<str>>,
    enabled: bool,
}

type UriKeyFn = dyn for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync;

impl UriKey {
    pub(crate) fn new(
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self { key_fn: Arc::new(key_fn), default: None, enabled: true }
    }

    /// Sets the key of a URI for which the function returns `None`.
    pub(crate) fn with_default(self, default: Arc<str>) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Sets whether requests have keys. A layer with state per key does nothing for a request
    /// without a key.
    pub(crate) fn with_enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    pub(crate) fn key_of<'a>(&'a self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        if !self.enabled {
            return None;
        }
        (self.key_fn)(uri).or_else(|| self.default.as_deref().map(Cow::Borrowed))
    }
}

impl<B> KeyExtractor<Request<B>> for UriKey {
    fn key<'a>(&'a self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        self.key_of(request.uri())
    }

    #[inline]
    fn body_wait(&self, request: &Request<B>) -> Option<BodyWait> {
        request.extensions().get().cloned()
    }
}

impl fmt::Debug for UriKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UriKey").field("default", &self.default).finish_non_exhaustive()
    }
}

/// A function that extracts the key of a request of type `Req`.
///
/// Created by the setter `per_request_key` of a layer. Clones share the function.
pub struct RequestKey<Req> {
    key_fn: Arc<RequestKeyFn<Req>>,
}

type RequestKeyFn<Req> = dyn for<'a> Fn(&'a Req) -> Option<Cow<'a, str>> + Send + Sync;

impl<Req> RequestKey<Req> {
    pub(crate) fn new(
        key_fn: impl for<'a> Fn(&'a Req) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self { key_fn: Arc::new(key_fn) }
    }
}

impl<Req> KeyExtractor<Req> for RequestKey<Req> {
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>> {
        (self.key_fn)(request)
    }
}

impl<Req> Clone for RequestKey<Req> {
    fn clone(&self) -> Self {
        Self { key_fn: Arc::clone(&self.key_fn) }
    }
}

impl<Req> fmt::Debug for RequestKey<Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestKey").finish_non_exhaustive()
    }
}
