//! Answers that come before the request has been read.
//!
//! Over HTTP/1.1 hyper's server closes a connection whose request it has not read to the end; the client learns of that when it
//! sends the next one, and a POST that meets a closed connection is an error. So what is left is read before the answer is
//! given; and if that is too much, the answer says that the connection closes.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{HeaderValue, Request, Response, Version, header::CONNECTION};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::timeout;
use tower::{Layer, Service};

/// No more is read of what nobody wants.
const BYTES: usize = 64 * 1024;

/// Nor is it waited for any longer.
const WAIT: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(super) struct DrainLayer;

impl<S> Layer<S> for DrainLayer {
    type Service = Drain<S>;

    fn layer(&self, inner: S) -> Drain<S> {
        Drain { inner }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Drain<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Drain<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send + 'static>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
            return Box::pin(self.inner.call(request));
        }
        let (head, body) = request.into_parts();
        let lent = Lent(Arc::new(Mutex::new(body)));
        let body = Arc::clone(&lent.0);
        let call = self.inner.call(Request::from_parts(head, Body::new(lent)));
        Box::pin(async move {
            let mut response = call.await?;
            // Whoever still has it reads it, or sees to its own.
            if let Ok(body) = Arc::try_unwrap(body) {
                let body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
                if !is_read(body).await {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
            }
            Ok(response)
        })
    }
}

/// Reads what is left; whether that was all of it.
async fn is_read(mut body: Body) -> bool {
    let whole = async {
        let mut left = BYTES;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(size) else { return false };
            left = rest;
        }
        true
    };
    timeout(WAIT, whole).await.unwrap_or(false)
}

/// A body that is had back when it is dropped.
struct Lent(Arc<Mutex<Body>>);

impl Lent {
    fn with<T>(&self, act: impl FnOnce(&mut Body) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}
