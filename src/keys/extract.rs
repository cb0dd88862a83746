use std::borrow::Cow;

use http::{Request, Uri};

/// Which key a request has.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no key to requests of type `{Req}`",
    note = "`.per_key(key_fn)` takes a function of the `Uri` of an `http::Request`, such as `by_authority`; for other requests there \
            is `.per_request_key(|request: &{Req}| ...)`"
)]
pub trait KeyExtractor<Req> {
    /// `None`: it has none.
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>>;
}

/// A key made of the URI of an HTTP request.
#[derive(Clone, Copy, Debug)]
pub struct UriKeyFn<F>(pub(crate) F);

/// A key made of the whole of a request, of whatever kind.
#[derive(Clone, Copy, Debug)]
pub struct RequestKeyFn<F>(pub(crate) F);

/// Which key a URI has. Also for a type with a name, where a function's has none, and a pointer to one costs.
pub trait UriKey {
    /// `None`: it has none.
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>>;
}

impl<F> UriKey for F
where
    F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
{
    #[inline]
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        self(uri)
    }
}

/// Keys by host and port: [`by_authority`](crate::standard::by_authority) as a type.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ByAuthority {}

impl UriKey for ByAuthority {
    #[inline]
    fn key_of<'a>(&self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        super::by_authority(uri)
    }
}

impl<F, B> KeyExtractor<Request<B>> for UriKeyFn<F>
where
    F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
{
    fn key<'a>(&'a self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        (self.0)(request.uri())
    }
}

impl<F, Req> KeyExtractor<Req> for RequestKeyFn<F>
where
    F: for<'a> Fn(&'a Req) -> Option<Cow<'a, str>>,
{
    fn key<'a>(&'a self, request: &'a Req) -> Option<Cow<'a, str>> {
        (self.0)(request)
    }
}
