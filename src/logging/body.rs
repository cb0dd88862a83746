use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::record::Record;
use crate::{Cause, Failure, Processed, Reporter, classify::classify_body_error, error::as_dyn};

pin_project! {
    /// Response body of [`Logging`](super::Logging): the inner body as it is, watched to its end.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        record: Option<Record>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, mut record: Option<Record>) -> Self {
        if inner.is_end_stream() {
            finish(&mut record);
        }
        Self { inner, record }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = {
            let _entered = this.record.as_ref().map(|record| record.span.enter());
            ready!(this.inner.as_mut().poll_frame(cx))
        };
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(record), Some(data)) = (this.record.as_mut(), frame.data_ref()) {
                    record.body_bytes += data.remaining() as u64;
                }
                // A reader may stop here without asking for the end.
                if this.record.is_some() && this.inner.is_end_stream() {
                    finish(this.record);
                }
            }
            Some(Err(error)) => {
                if let Some(record) = this.record.take() {
                    let known = as_dyn(error);
                    record.error(known.map_or(INCOMPLETE, classify_body_error), None, known, error);
                }
            }
            None => finish(this.record),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

const INCOMPLETE: Failure = Failure::new(Cause::HttpResponseIncomplete)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Yes);

fn finish(record: &mut Option<Record>) {
    if let Some(record) = record.take() {
        record.complete();
    }
}
