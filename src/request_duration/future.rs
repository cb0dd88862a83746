use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use seawall_core::{BoxError, Cause, internal::as_std_error};

use super::measure::Measurement;
use crate::body::{CompleteOnBodyEnd, CompletionObserver, PanicGuard, TrackCompletion};

pin_project! {
    /// The response future of [`RequestDuration`](super::RequestDuration).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // Declared first, so that it is dropped before the duration is recorded.
        #[pin]
        pub(super) inner: F,
        pub(super) measurement: PanicGuard<Measurement>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: 'static,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output =
        Result<<CompleteOnBodyEnd as TrackCompletion<Response<B>>>::Response<Measurement>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.measurement.enter();
        let polled = this.inner.poll(cx);
        this.measurement.leave();
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Ok(response)) => {
                if let Some(measurement) = this.measurement.get_mut() {
                    measurement.on_response(response.status());
                }
            }
            Poll::Ready(Err(error)) => {
                this.measurement.finish(|measurement| match as_std_error(error) {
                    Some(error) => measurement.on_error(error),
                    None => measurement.set_cause(Cause::Unknown),
                });
            }
        }
        polled.map_ok(|response| CompleteOnBodyEnd::wrap_response(response, this.measurement))
    }
}
