use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Response, response::Parts};
use http_body::Body;
use pin_project_lite::pin_project;

use super::{
    ResponseBody,
    end::{End, Ending, innermost, quotes_url},
    left_behind::LeftBehind,
    slot::Slot,
    view::View,
};
use crate::{
    body::is_at_end,
    classify::Classify,
    failure::{Cause, Failure, Reporter},
};

pin_project! {
    /// Response future of [`Logging`](super::Logging).
    #[derive(Debug)]
    pub struct ResponseFuture<F, C, V> {
        // First, so that it is dropped before the line is written.
        #[pin]
        pub(super) inner: F,
        pub(super) slot: Slot,
        pub(super) classifier: C,
        pub(super) view: V,
    }

    impl<F, C, V> PinnedDrop for ResponseFuture<F, C, V> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if let Some(record) = this.project().slot.get() {
                record.left_behind.begin();
            }
        }
    }
}

impl<F, C, V, B, E> Future for ResponseFuture<F, C, V>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Display,
    C: Classify<Response<B>> + Clone,
    V: View<E> + Clone,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    // No reference into the future, or to the response, goes out of line, so that the compiler may take both apart.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(record) = this.slot.record() else {
            let outcome = ready!(this.inner.poll(cx));
            return Poll::Ready(outcome.map(|response| response.map(ResponseBody::unwatched)));
        };
        LeftBehind::forget();
        let outcome = ready!(record.watching(|| {
            let _entered = this.slot.enter();
            this.inner.poll(cx)
        }));
        let slot = this.slot.take();
        match outcome {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let (head, body, slot) = answered(head, body, slot, this.classifier.clone());
                Poll::Ready(Ok(Response::from_parts(head, ResponseBody::new(body, slot))))
            }
            Err(error) => {
                Poll::Ready(Err(ended(error, slot, this.classifier.clone(), this.view.clone())))
            }
        }
    }
}

#[inline(never)]
#[expect(clippy::needless_pass_by_value, reason = "a reference would be one into the future")]
fn answered<B: Body, C: Classify<Response<B>>>(
    head: Parts,
    body: B,
    mut slot: Slot,
    classifier: C,
) -> (Parts, B, Slot) {
    let response = Response::from_parts(head, body);
    note_response(&mut slot, &response, &classifier);
    let (head, body) = response.into_parts();
    (head, body, slot)
}

#[cold]
#[inline(never)]
#[expect(clippy::needless_pass_by_value, reason = "a reference would be one into the future")]
fn ended<B, E: fmt::Display, C: Classify<Response<B>>, V: View<E>>(
    error: E,
    slot: Slot,
    classifier: C,
    view: V,
) -> E {
    note_error(slot, &error, &classifier, &view);
    error
}

/// Notes what came.
fn note_response<B: Body, C: Classify<Response<B>>>(
    slot: &mut Slot,
    response: &Response<B>,
    classifier: &C,
) {
    let Some(record) = slot.get() else { return };
    let failure = classifier.classify(Ok(response));
    record.answered(response.status(), response.version());
    let (headers, extensions) = (response.headers(), response.extensions());
    let has_more = failure.is_some() || !extensions.is_empty() || record.wants_more();
    if has_more || !headers.is_empty() {
        record.read_head(headers, extensions, failure, has_more);
    }
    if record.is_whole() || is_at_end(response.body()) {
        slot.complete();
    }
}

/// An error is the end.
fn note_error<B, E, C, V>(slot: Slot, error: &E, classifier: &C, view: &V)
where
    E: fmt::Display,
    C: Classify<Response<B>>,
    V: View<E>,
{
    let known = view.view(error);
    // What is not a failure to the classifier has still failed.
    let failure = known.and_then(|known| classifier.classify(Err(known)));
    failed(slot, failure.unwrap_or(UNKNOWN), known, error);
}

const UNKNOWN: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

/// Writes that the request ended in an error. `known` is that error, if its type is one that can be looked into.
#[cold]
pub(super) fn failed(
    slot: Slot,
    failure: Failure,
    known: Option<&(dyn Error + 'static)>,
    text: &dyn fmt::Display,
) {
    slot.write(|record| {
        let innermost = known.and_then(innermost);
        let message = match &innermost {
            Some(error) if quotes_url(*error) => None,
            Some(error) => Some(error as &dyn fmt::Display),
            None => Some(text),
        };
        let more = record.more();
        let (attempts, stop) = match known.map(gave_up) {
            Some((Some(attempts), stop)) => (Some(attempts), stop),
            // A deadline drops what it ends; and the error of an only attempt comes out as it is.
            _ if record.status.is_none() => LeftBehind::taken(known, &failure),
            _ => (more.and_then(|it| it.attempts), more.and_then(|it| it.stop)),
        };
        let failure = Some(failure);
        record.write(&Ending { end: End::Error, failure, attempts, stop, message });
    });
}

#[cfg(feature = "retry")]
fn gave_up(error: &(dyn Error + 'static)) -> (Option<u32>, Option<&'static str>) {
    let gave_up = crate::error::find_source::<crate::attempts::GaveUp>(error);
    (gave_up.map(|it| it.attempts().get()), gave_up.map(|it| it.stop().as_str()))
}

#[cfg(not(feature = "retry"))]
fn gave_up(_error: &(dyn Error + 'static)) -> (Option<u32>, Option<&'static str>) {
    (None, None)
}
