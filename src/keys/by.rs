use std::borrow::Cow;
#[cfg(feature = "standard")]
use std::{fmt, sync::Arc};

#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
use http::Request;
use http::Uri;

/// Which key a request has.
#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no key to requests of type `{Req}`",
    note = "`.keyed(by)` takes a function of the `Uri` of an `http::Request`, such as `by_authority`; for other requests there \
            is `.keyed_by_request(|request: &{Req}| ...)`"
)]
pub trait Key<Req> {
    /// `None`: it has none.
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>>;
}

/// A key made of the URI of an HTTP request.
#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
#[derive(Clone, Copy, Debug)]
pub struct ByUri<F>(pub(crate) F);

/// A key made of the whole of a request, of whatever kind.
#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
#[derive(Clone, Copy, Debug)]
pub struct ByRequest<F>(pub(crate) F);

/// Which key a URI has. Also for a type with a name, where a function's has none, and a pointer to one costs.
#[cfg(feature = "retry")]
#[cfg_attr(not(feature = "standard"), allow(unreachable_pub))]
pub trait KeyOf {
    /// `None`: it has none.
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>>;
}

#[cfg(feature = "retry")]
impl<F> KeyOf for F
where
    F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
{
    #[inline]
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        self(uri)
    }
}

/// Keys by host and port: [`by_authority`](crate::standard::by_authority) as a type.
#[cfg(feature = "standard")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ByAuthority {}

#[cfg(feature = "standard")]
impl KeyOf for ByAuthority {
    #[inline]
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        super::by_authority(uri)
    }
}

/// A key made of the URI of an HTTP request, or a name of its own for those of which none can be made.
#[cfg(feature = "standard")]
pub struct Named<F> {
    pub(crate) by: Arc<F>,
    pub(crate) name: Arc<str>,
    /// Off: there are no keys at all.
    pub(crate) on: bool,
}

#[cfg(feature = "standard")]
impl<F> Clone for Named<F> {
    fn clone(&self) -> Self {
        Self { by: Arc::clone(&self.by), name: Arc::clone(&self.name), on: self.on }
    }
}

#[cfg(feature = "standard")]
impl<F> fmt::Debug for Named<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Named").field(&self.name).finish()
    }
}

#[cfg(feature = "standard")]
impl<F: KeyOf> Named<F> {
    #[inline]
    pub(crate) fn of<'a>(&'a self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        self.on.then(|| self.by.key_of(uri).unwrap_or(Cow::Borrowed(&self.name)))
    }
}

#[cfg(feature = "standard")]
impl<F: KeyOf, B> Key<Request<B>> for Named<F> {
    #[inline]
    fn key<'a>(&'a self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        self.of(request.uri())
    }
}

#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
impl<F, B> Key<Request<B>> for ByUri<F>
where
    F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
{
    fn key<'a>(&'a self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        (self.0)(request.uri())
    }
}

#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
impl<F, Req> Key<Req> for ByRequest<F>
where
    F: for<'a> Fn(&'a Req) -> Option<Cow<'a, str>>,
{
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>> {
        (self.0)(request)
    }
}
