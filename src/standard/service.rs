use std::{
    fmt, mem,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tokio::time::Instant;
use tower_service::Service;

use super::{
    ByAuthority, ResponseFuture,
    attempt::{self, Attempt, AttemptBody, Pass},
};
use crate::{
    BoxError, Classify, DeadlineLayer, HttpClassifier,
    body::Working,
    keys::KeyOf,
    logging::Logging,
    retry,
    retry::{Convert, Http, Retry, Saved},
};

/// Service made by [`StandardLayer`](super::StandardLayer).
///
/// The client inside must be `Clone`, and takes [`ReplayBody`](crate::retry::ReplayBody)s, or what
/// [`send_as`](super::StandardLayer::send_as) makes of them.
pub struct Standard<S, C = HttpClassifier, P = Http, K = ByAuthority> {
    pub(super) inner: Retry<Attempt<S, C, K>, C, P>,
    pub(super) log: Logging<(), C>,
    pub(super) deadline: DeadlineLayer,
    /// Budget and circuit of the last call have the same key, and each request spelled like it has both, so that it need be
    /// compared only once.
    pub(super) alike: bool,
}

/// Response body of [`Standard`].
pub type ResponseBody<B> = AttemptBody<B>;

impl<S, C, F, K, ReqBody, ResBody> Service<Request<ReqBody>> for Standard<S, C, Http<F>, K>
where
    S: Service<Request<F::Body>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<Response<AttemptBody<ResBody>>> + Clone,
    F: Convert<ReqBody> + Clone,
    K: KeyOf,
    ReqBody: Body,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = BoxError;
    type Future =
        ResponseFuture<retry::ResponseFuture<Attempt<S, C, K>, C, Http<F>, Request<ReqBody>>, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    /// What `Logging`, `WithDeadline`, `Retry` and an attempt do one inside the other, by their own parts: as services they would
    /// each copy the request, its future and its response. Behind the client's call there is next to nothing that may fail, so
    /// that its future is made where it stays.
    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let mut head = Request::from_parts(parts, ());
        let slot = self.log.begin(&head);
        let log_classifier = self.log.classifier();
        let entered = slot.enter();
        let (limit, is_late) = self.deadline.start(&mut head);
        if is_late {
            // What it was given to be ready is somebody else's to use.
            self.inner = self.inner.clone();
            drop(entered);
            return ResponseFuture::new(None, limit, slot, log_classifier);
        }
        let started = limit.as_ref().map_or_else(Instant::now, |limit| limit.started);
        // Not alike any more, should others' code panic half way.
        let alike = mem::take(&mut self.alike);
        let again = alike && self.inner.first().circuits.is_spelled(head.uri());
        let begun = self.inner.begin_at(&head, again, started);
        let (body, kept) = begun.body(body);
        let saved = Saved::of(&head);
        let pass = self.inner.first().admit(&mut head, again);
        self.alike = again || self.are_alike();
        let attempts = self.inner.first();
        let Pass { mut permit, place, classifier, settings } = pass;
        let attempt = match place {
            Ok(place) => {
                let working = Working::on(&mut permit);
                let inner = attempts.inner.call(head.map(|()| body));
                working.done();
                drop(entered);
                attempt::ResponseFuture::new(inner, permit, place, classifier, settings)
            }
            Err(error) => {
                drop(entered);
                attempt::ResponseFuture::refused(error, permit, classifier, settings)
            }
        };
        ResponseFuture::new(Some(begun.with(saved, kept, attempt)), limit, slot, log_classifier)
    }
}

impl<S, C, F, K> Standard<S, C, Http<F>, K>
where
    S: Clone,
    C: Clone,
    F: Clone,
    K: KeyOf,
{
    fn are_alike(&self) -> bool {
        let circuits = self.inner.inner().circuits.plain_key();
        circuits.is_some() && circuits == self.inner.plain_key()
    }
}

/// Not derived: what makes the keys is shared, and need not be `Clone`.
impl<S: Clone, C: Clone, P: Clone, K> Clone for Standard<S, C, P, K> {
    fn clone(&self) -> Self {
        let (inner, log) = (self.inner.clone(), self.log.clone());
        // A clone remembers no key.
        Self { inner, log, deadline: self.deadline.clone(), alike: false }
    }
}

impl<S: fmt::Debug, C, P, K> fmt::Debug for Standard<S, C, P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standard").finish_non_exhaustive()
    }
}
