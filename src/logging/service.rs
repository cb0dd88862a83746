use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;
use tracing::level_filters::LevelFilter;

use super::{
    Head, ResponseBody, ResponseFuture,
    settings::Settings,
    slot::Slot,
    view::{Known, View},
};
use crate::{
    classify::{Classify, HttpClassifier},
    sharded::Sharded,
};

/// Service made by [`LoggingLayer`](super::LoggingLayer). Makes no errors of its own.
#[derive(Clone, Debug)]
pub struct Logging<S, C = HttpClassifier, V = Known> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) view: V,
    /// What somebody must listen to for anything to be written.
    pub(super) gravest: LevelFilter,
    /// From what on requests are looked at at length.
    pub(super) at_length: LevelFilter,
    pub(super) settings: Sharded<Settings>,
}

impl<S, C, V, ReqBody, ResBody> Service<Request<ReqBody>> for Logging<S, C, V>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Display,
    C: Classify<Response<ResBody>> + Clone,
    V: View<S::Error> + Clone,
    ResBody: http_body::Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C, V>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (classifier, view) = (self.classifier.clone(), self.view.clone());
        // What `begin` decides, but each with a call of its own: one for all takes a call that nobody hears of 80 instructions more.
        let heard = LevelFilter::current();
        if heard < self.gravest {
            let inner = self.inner.call(request);
            return ResponseFuture { inner, slot: Slot::none(), classifier, view };
        }
        if heard < self.at_length {
            let slot = Slot::new(&self.settings, Head::of(&request), false);
            return ResponseFuture { inner: self.inner.call(request), slot, classifier, view };
        }
        let slot = begin(&self.settings, Head::of(&request));
        let inner = {
            let _entered = slot.enter();
            self.inner.call(request)
        };
        ResponseFuture { inner, slot, classifier, view }
    }
}

#[inline(never)]
fn begin(settings: &Sharded<Settings>, head: Head<'_>) -> Slot {
    match &settings.skip.0 {
        Some(skip) if skip(head) => Slot::none(),
        _ => {
            let mut slot = Slot::new(settings, head, settings.span().is_heard());
            if let Some(record) = slot.get() {
                record.read(head);
            }
            slot
        }
    }
}
