use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::Body;
use pin_project_lite::pin_project;

/// The maximum number of bytes read from a discarded response. Error pages of gateways are smaller.
const MAX_BYTES: u64 = 16 * 1024;

/// The maximum number of frames, which bounds a body that sends empty frames.
const MAX_FRAMES: u32 = 64;

pin_project! {
    /// A future that reads a small body to its end, so that its HTTP/1.1 connection can be reused.
    ///
    /// A larger body is dropped unread.
    #[derive(Debug)]
    pub struct Drain<B> {
        #[pin]
        body: Option<B>,
        bytes_left: u64,
        frames_left: u32,
    }
}

impl<B: Body> Drain<B> {
    pub(super) fn new(body: B) -> Self {
        let is_small = body.size_hint().lower() <= MAX_BYTES;
        Self { body: is_small.then_some(body), bytes_left: MAX_BYTES, frames_left: MAX_FRAMES }
    }
}

impl<B: Body> Future for Drain<B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            let bytes_left = match ready!(body.poll_frame(cx)) {
                Some(Ok(_)) if *this.frames_left == 0 => None,
                Some(Ok(frame)) => this
                    .bytes_left
                    .checked_sub(frame.data_ref().map_or(0, |data| data.remaining() as u64)),
                Some(Err(_)) | None => None,
            };
            match bytes_left {
                Some(bytes_left) => {
                    *this.bytes_left = bytes_left;
                    *this.frames_left -= 1;
                }
                None => this.body.set(None),
            }
        }
        Poll::Ready(())
    }
}
