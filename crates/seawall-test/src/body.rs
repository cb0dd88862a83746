use std::{
    io,
    mem::take,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::response::BodyParts;
use seawall_core::BoxError;

/// The response body of [`FlakyService`](crate::FlakyService).
#[derive(Debug, Default)]
pub struct FlakyBody {
    parts: BodyParts,
    // Created at the first wait, so that a body without waits needs no runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

impl FlakyBody {
    pub(crate) const fn new(parts: BodyParts) -> Self {
        Self { parts, timer: None }
    }
}

impl Body for FlakyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let parts = &mut this.parts;
        if !parts.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(take(&mut parts.first)))));
        }
        if !parts.delay.is_zero() {
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(parts.delay)));
            ready!(timer.as_mut().poll(cx));
            (parts.delay, this.timer) = (Duration::ZERO, None);
        }
        Poll::Ready(if !parts.second.is_empty() {
            Some(Ok(Frame::data(take(&mut parts.second))))
        } else if take(&mut parts.truncated) {
            Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()))
        } else {
            None
        })
    }

    fn is_end_stream(&self) -> bool {
        self.parts.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.parts.remaining())
    }
}
