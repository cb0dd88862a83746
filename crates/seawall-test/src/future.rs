use std::{
    error::Error,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::{Method, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use crate::{
    FlakyBody, Step,
    action::Action,
    state::{RequestIndex, UpstreamState},
};
use seawall_core::{BoxError, Cause, Failure, Reporter};

pin_project! {
    /// The response future of [`FlakyService`](crate::FlakyService).
    #[derive(Debug)]
    pub struct ResponseFuture<B> {
        // `None` after it was read, and for a refused connection.
        #[pin]
        body: Option<B>,
        #[pin]
        timer: Option<Sleep>,
        method: Method,
        step: Step,
        index: RequestIndex,
        state: Arc<UpstreamState>,
    }
}

impl<B> ResponseFuture<B> {
    pub(crate) fn new(
        body: B,
        method: Method,
        step: Step,
        index: RequestIndex,
        state: Arc<UpstreamState>,
    ) -> Self {
        let body = (!step.action.refuses_connection()).then_some(body);
        Self { body, timer: None, method, step, index, state }
    }
}

impl<B> Future for ResponseFuture<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<FlakyBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            match ready!(body.poll_frame(cx)) {
                // A real client fails too if it cannot read the body.
                Some(Err(error)) => return Poll::Ready(Err(error.into())),
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        while data.has_remaining() {
                            let chunk = data.chunk();
                            this.state.receive_body(*this.index, chunk);
                            data.advance(chunk.len());
                        }
                    }
                }
                None => {
                    this.state.receive_end(*this.index);
                    this.body.set(None);
                }
            }
        }
        if !this.step.delay.is_zero() {
            if this.timer.is_none() {
                this.timer.set(Some(sleep(this.step.delay)));
            }
            if let Some(timer) = this.timer.as_mut().as_pin_mut() {
                ready!(timer.poll(cx));
            }
        }
        Poll::Ready(match &this.step.action {
            Action::Respond => {
                let response = this.step.response();
                Ok(response.head().map(|()| FlakyBody::new(response.body_parts(this.method))))
            }
            Action::Silent => return Poll::Pending,
            Action::Close => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            Action::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            Action::Refuse => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            Action::Error(error) => Err(error.create()),
            Action::Garbage => Err(InvalidHttp::new().into()),
        })
    }
}

/// The error for bytes that are not HTTP. It replaces the error of a client library.
#[derive(Debug)]
struct InvalidHttp(Failure);

impl InvalidHttp {
    const fn new() -> Self {
        Self(Failure::new(Cause::HttpProtocolError).with_reporter(Reporter::Local))
    }
}

impl fmt::Display for InvalidHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response is not HTTP")
    }
}

impl Error for InvalidHttp {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
