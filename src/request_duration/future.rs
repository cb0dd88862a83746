use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::measure::Measure;
use crate::{
    body::{Extent, Watch, WholeBody, watching},
    error::{BoxError, as_dyn},
    failure::Cause,
};

pin_project! {
    /// Response future of [`RequestDuration`](super::RequestDuration).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // First, so that it is dropped before the duration is recorded.
        #[pin]
        pub(super) inner: F,
        // `None` once there is a result.
        pub(super) measure: Option<Measure>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: 'static,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<<WholeBody as Extent<Response<B>>>::Response<Measure>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(watching(this.measure, || this.inner.poll(cx)));
        let mut measure = this.measure.take();
        Poll::Ready(match result {
            Ok(response) => {
                if let Some(measure) = &mut measure {
                    measure.on_response(response.status());
                }
                Ok(WholeBody::attach(response, measure))
            }
            Err(error) => {
                match (measure, as_dyn(&error)) {
                    (Some(measure), Some(error)) => measure.fail(error),
                    (Some(measure), None) => measure.on_error(Cause::Unknown),
                    (None, _) => {}
                }
                Err(error)
            }
        })
    }
}
