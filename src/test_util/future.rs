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
use seawall_core::{
    error::BoxError,
    failure::{Cause, Failure, Reporter},
};
use tokio::time::{Sleep, sleep};

use super::{
    FlakyBody, Step,
    action::Action,
    shared::{Place, Shared},
};

pin_project! {
    /// Response future of [`FlakyService`](super::FlakyService).
    #[derive(Debug)]
    pub struct ResponseFuture<B> {
        // `None` once it is read, and from the start for a connection that is refused.
        #[pin]
        body: Option<B>,
        #[pin]
        timer: Option<Sleep>,
        method: Method,
        step: Step,
        place: Place,
        shared: Arc<Shared>,
    }
}

impl<B> ResponseFuture<B> {
    pub(super) fn new(
        body: B,
        method: Method,
        step: Step,
        place: Place,
        shared: Arc<Shared>,
    ) -> Self {
        let body = (!step.action.is_refusal()).then_some(body);
        Self { body, timer: None, method, step, place, shared }
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
                // A client fails too when it cannot have the body.
                Some(Err(error)) => return Poll::Ready(Err(error.into())),
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        while data.has_remaining() {
                            let chunk = data.chunk();
                            this.shared.add(*this.place, chunk);
                            data.advance(chunk.len());
                        }
                    }
                }
                None => {
                    this.shared.end(*this.place);
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
                Ok(response.head().map(|()| FlakyBody::new(response.halves(this.method))))
            }
            Action::Silent => return Poll::Pending,
            Action::Close => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            Action::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            Action::Refuse => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            Action::Error(error) => Err(error.make()),
            Action::Garbage => Err(NotHttp::new().into()),
        })
    }
}

/// Stands in for the errors of client libraries at bytes that are not HTTP.
#[derive(Debug)]
struct NotHttp(Failure);

impl NotHttp {
    const fn new() -> Self {
        Self(Failure::new(Cause::HttpProtocolError).with_reporter(Reporter::Local))
    }
}

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is not HTTP")
    }
}

impl Error for NotHttp {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
