//! Looks at the first frame of a response, which may be the trailers.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::headers::merge_grpc_status;

pin_project! {
    /// The response future of [`Client`](super::Client).
    #[derive(Debug)]
    pub struct ClientFuture<F> {
        #[pin]
        pub(super) inner: F,
    }
}

impl<F, B, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body + Unpin,
{
    type Output = Result<Response<ClientBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx))?;
        let (mut head, mut inner) = response.into_parts();
        let mut peeked = None;
        if !head.headers.contains_key("grpc-status") && !inner.is_end_stream() {
            // Does not wait: gRFC A6 ends all retries when the head of a response arrives, and a
            // stream may be silent for long.
            peeked = match Pin::new(&mut inner).poll_frame(cx) {
                Poll::Pending => None,
                Poll::Ready(Some(Ok(frame))) => Some(match frame.into_trailers() {
                    // The same as a "trailers-only" response, whose status classifiers read.
                    Ok(trailers) => match merge_grpc_status(trailers, &mut head.headers) {
                        Ok(()) => None,
                        Err(trailers) => Some(Ok(Frame::trailers(trailers))),
                    },
                    Err(frame) => Some(Ok(frame)),
                }),
                Poll::Ready(frame) => Some(frame),
            };
        }
        Poll::Ready(Ok(Response::from_parts(head, ClientBody { peeked, inner })))
    }
}

pin_project! {
    /// The response body of [`Client`](super::Client).
    pub struct ClientBody<B: Body> {
        peeked: Option<Option<Result<Frame<B::Data>, B::Error>>>,
        #[pin]
        inner: B,
    }
}

impl<B: Body> Body for ClientBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        match this.peeked {
            // The end of a body may be polled repeatedly.
            Some(None) => Poll::Ready(None),
            Some(_) => Poll::Ready(this.peeked.take().flatten()),
            None => this.inner.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.peeked {
            Some(frame) => frame.is_none(),
            None => self.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let peeked = match &self.peeked {
            Some(None) => return SizeHint::with_exact(0),
            Some(Some(Ok(frame))) => frame.data_ref().map_or(0, Buf::remaining) as u64,
            Some(Some(Err(_))) | None => 0,
        };
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(peeked));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(peeked));
        }
        hint
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for ClientBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBody").field(&self.inner).finish()
    }
}
