//! Shared code of the fuzz targets: classifies a response on a paused clock.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body, Frame};
use seawall::{
    Failure, Processed,
    bad_gateway::{BadGatewayClassifierLayer, Evidence, ResponseBody},
};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, ServiceExt, service_fn};

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("the runtime builds");
}

/// Runs `future` on a paused clock, which advances without waiting.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Appends a header if `value` is a valid header value.
pub fn append_header(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.append(HeaderName::from_static(name), value);
    }
}

/// Classifies a response and returns it after checks that hold for any response.
pub async fn classify<B>(
    layer: BadGatewayClassifierLayer,
    response: Response<B>,
) -> Response<ResponseBody<B>>
where
    B: Body,
{
    let mut response = Some(response);
    let service = layer.layer(service_fn(move |()| {
        let response = response.take().expect("the service is called once");
        async move { Ok::<_, Infallible>(response) }
    }));
    let Ok(response) = service.oneshot(()).await;
    let is_failed = response.status().as_u16() >= 400;
    let failure = response.extensions().get::<Failure>();
    assert_eq!(is_failed, failure.is_some());
    assert!(failure.is_none_or(|failure| failure.processed() != Processed::No));
    if let Some(proxy_status) =
        response.extensions().get::<Evidence>().and_then(Evidence::proxy_status)
    {
        let texts = [Some(proxy_status.proxy()), proxy_status.error(), proxy_status.details()];
        for text in texts.into_iter().flatten() {
            assert!(text.len() <= 256);
            assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
    response
}

/// One step of a [`Steps`] body.
#[derive(Clone, Debug, arbitrary::Arbitrary)]
pub enum Step {
    Data(Vec<u8>),
    Page,
    Trailers,
    Error,
    Pause,
    Stall,
}

/// A body that yields its steps in order.
#[derive(Clone, Debug)]
pub struct Steps(pub VecDeque<Step>);

const PAGE: &[u8] = b"<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>";

impl Body for Steps {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if matches!(self.0.front(), Some(Step::Stall)) {
            return Poll::Pending;
        }
        Poll::Ready(match self.0.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data.into()))),
            Some(Step::Page) => Some(Ok(Frame::data(Bytes::from_static(PAGE)))),
            Some(Step::Trailers) => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Some(Step::Error) => Some(Err("broken")),
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Stall) | None => None,
        })
    }
}
