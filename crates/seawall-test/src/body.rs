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

use crate::response::BodyHalves;
use seawall_core::error::BoxError;

/// Body of a response of [`FlakyService`](crate::FlakyService).
#[derive(Debug, Default)]
pub struct FlakyBody {
    halves: BodyHalves,
    // Created by the first wait, so that a body without a wait needs no runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

impl FlakyBody {
    pub(crate) const fn new(halves: BodyHalves) -> Self {
        Self { halves, timer: None }
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
        let halves = &mut this.halves;
        if !halves.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(take(&mut halves.first)))));
        }
        if !halves.delay.is_zero() {
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(halves.delay)));
            ready!(timer.as_mut().poll(cx));
            (halves.delay, this.timer) = (Duration::ZERO, None);
        }
        Poll::Ready(if !halves.second.is_empty() {
            Some(Ok(Frame::data(take(&mut halves.second))))
        } else if take(&mut halves.truncated) {
            Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()))
        } else {
            None
        })
    }

    fn is_end_stream(&self) -> bool {
        self.halves.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.halves.remaining())
    }
}
