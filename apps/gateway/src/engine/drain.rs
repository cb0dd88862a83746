//! Drains unread request bodies.
//!
//! Over HTTP/1.1, hyper's server closes the connection after a response if the request body was not
//! read completely. The client's next request on this connection then fails, and a POST cannot be
//! retried. So this layer reads the rest of the body before it returns the response. If the rest is
//! too large or too slow, it adds `Connection: close`.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::future::{BoxFuture, Either};
use http::{
    HeaderValue, Request, Response, Version,
    header::{CONNECTION, EXPECT},
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::timeout;
use tower::{Layer, Service};

/// The maximum number of bytes to drain.
const MAX_DRAIN_BYTES: usize = 64 * 1024;

const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);

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
    // The responses to most requests, which have no body, need no second future.
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<B>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // A caller that expects 100 (Continue) has sent no body yet. To read it would request it.
        let expects = request.headers().contains_key(EXPECT);
        if request.version() >= Version::HTTP_2 || expects || request.body().is_end_stream() {
            return Either::Left(self.inner.call(request));
        }
        let (head, body) = request.into_parts();
        let shared = SharedBody(Arc::new(Mutex::new(body)));
        let body = Arc::clone(&shared.0);
        let call = self.inner.call(Request::from_parts(head, Body::new(shared)));
        Either::Right(Box::pin(async move {
            let mut response = call.await?;
            // If a task of the inner service still has the body, that task reads it.
            if let Ok(body) = Arc::try_unwrap(body) {
                let body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
                if !drain(body).await {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
            }
            Ok(response)
        }))
    }
}

/// Reads the rest of the body, and returns whether it reached the end.
async fn drain(mut body: Body) -> bool {
    let drain = async {
        let mut remaining = MAX_DRAIN_BYTES;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(new_remaining) = remaining.checked_sub(size) else { return false };
            remaining = new_remaining;
        }
        true
    };
    timeout(DRAIN_TIMEOUT, drain).await.unwrap_or(false)
}

/// A body that remains available after the inner service drops it.
struct SharedBody(Arc<Mutex<Body>>);

impl SharedBody {
    fn with_body<T>(&self, f: impl FnOnce(&mut Body) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with_body(|body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with_body(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with_body(|body| body.size_hint())
    }
}
