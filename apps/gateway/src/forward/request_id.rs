//! The id of each request: `x-request-id`.
//!
//! The id of a trusted proxy is kept if it is valid. Other requests get a new one. The upstream and
//! the caller get the same id, and the log has it. An upstream's own id, such as that of OpenAI's
//! API, goes to the caller as `x-upstream-request-id`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use seawall::RequestAttributes;
use tower::{Layer, Service};

use super::{client_address::peer_address, config::ForwardingConfig};

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_UPSTREAM_REQUEST_ID: HeaderName = HeaderName::from_static("x-upstream-request-id");

/// The maximum length of an id that is kept.
const MAX_ID_BYTES: usize = 128;

/// Sets the id of each request and of its response, and inserts [`RequestAttributes`] for the log
/// and the metrics.
#[derive(Clone, Debug)]
pub(crate) struct RequestIdLayer(Arc<ForwardingConfig>);

impl RequestIdLayer {
    pub(crate) const fn new(config: Arc<ForwardingConfig>) -> Self {
        Self(config)
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> RequestId<S> {
        RequestId { inner, config: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RequestId<S> {
    inner: S,
    config: Arc<ForwardingConfig>,
}

impl<S, B, R> Service<Request<B>> for RequestId<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let peer = peer_address(request.extensions());
        let is_trusted = peer.is_some_and(|peer| self.config.trusted_proxies.contains(peer));
        let received = received_id(request.headers()).filter(|_| is_trusted);
        let id = received.unwrap_or_else(new_id);
        request.headers_mut().insert(&X_REQUEST_ID, id.clone());
        request.extensions_mut().insert(RequestAttributes::default());
        ResponseFuture { inner: self.inner.call(request), id: Some(id) }
    }
}

pin_project! {
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        id: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx));
        if let (Ok(response), Some(id)) = (&mut response, this.id.take()) {
            set_response_id(response.headers_mut(), &id);
        }
        Poll::Ready(response)
    }
}

fn set_response_id(headers: &mut HeaderMap, id: &HeaderValue) {
    // Fails only if the map is full. Then the response has no id.
    let upstream_id = headers.try_insert(&X_REQUEST_ID, id.clone()).ok().flatten();
    if let Some(upstream_id) = upstream_id.filter(|upstream_id| upstream_id != id) {
        let _ = headers.try_insert(&X_UPSTREAM_REQUEST_ID, upstream_id);
    }
}

/// Returns the only id of a request, if it is short and has no characters that need quotes.
fn received_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut ids = headers.get_all(&X_REQUEST_ID).iter();
    let (Some(id), None) = (ids.next(), ids.next()) else { return None };
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~:/+=@".contains(byte);
    let bytes = id.as_bytes();
    ((1..=MAX_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(is_valid)).then(|| id.clone())
}

/// Returns a random id of 128 bits.
fn new_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut id = [0; 32];
    let mut random = fastrand::u128(..);
    for digit in &mut id {
        *digit = DIGITS[(random & 15) as usize];
        random >>= 4;
    }
    // Infallible: hexadecimal digits are valid in a header.
    HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}
