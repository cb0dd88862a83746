use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::Body;
use pin_project_lite::pin_project;

/// How much of a response given up for a retry is read. A gateway's error page is smaller than this.
const LIMIT: u64 = 16 * 1024;

/// In how many frames at the most, so that empty ones do not go on for ever.
const MAX_FRAMES: u32 = 64;

pin_project! {
    /// Reads a small body to its end, so that an HTTP/1.1 connection can be used again; a larger one is not worth it.
    #[derive(Debug)]
    pub struct Drain<B> {
        #[pin]
        body: Option<B>,
        left: u64,
        frames: u32,
    }
}

impl<B: Body> Drain<B> {
    pub(super) fn new(body: B) -> Self {
        let small = body.size_hint().lower() <= LIMIT;
        Self { body: small.then_some(body), left: LIMIT, frames: MAX_FRAMES }
    }
}

impl<B: Body> Future for Drain<B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            let left = match ready!(body.poll_frame(cx)) {
                Some(Ok(_)) if *this.frames == 0 => None,
                Some(Ok(frame)) => this
                    .left
                    .checked_sub(frame.data_ref().map_or(0, |data| data.remaining() as u64)),
                Some(Err(_)) | None => None,
            };
            match left {
                Some(left) => {
                    *this.left = left;
                    *this.frames -= 1;
                }
                None => this.body.set(None),
            }
        }
        Poll::Ready(())
    }
}
