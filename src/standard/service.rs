use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    ByAuthority, ResponseFuture,
    attempt::{Attempt, AttemptBody},
};
use crate::{
    BoxError, Classify, DeadlineLayer, HttpClassifier,
    keys::KeyOf,
    logging::Logging,
    retry,
    retry::{BeginAt, Convert, Http, Retry},
};

/// Service made by [`StandardLayer`](super::StandardLayer).
///
/// The client inside must be `Clone`, and takes [`ReplayBody`](crate::retry::ReplayBody)s, or what
/// [`send_as`](super::StandardLayer::send_as) makes of them.
pub struct Standard<S, C = HttpClassifier, P = Http, K = ByAuthority> {
    pub(super) inner: Retry<Attempt<S, C, K>, C, P>,
    pub(super) log: Logging<(), C>,
    pub(super) deadline: DeadlineLayer,
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

    /// What `Logging` and `WithDeadline` do one inside the other, by their own parts: as two services more they would copy the
    /// request, its future and its response twice more.
    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let slot = self.log.begin(&request);
        let (inner, limit) = {
            let _entered = slot.enter();
            let (limit, is_late) = self.deadline.start(&mut request);
            if is_late {
                // What it was given to be ready is somebody else's to use.
                self.inner = self.inner.clone();
                (None, limit)
            } else {
                if let Some(limit) = limit {
                    self.inner.begin_at(limit.started);
                }
                (Some(self.inner.call(request)), limit)
            }
        };
        ResponseFuture::new(inner, limit, slot, self.log.classifier())
    }
}

/// Not derived: what makes the keys is shared, and need not be `Clone`.
impl<S: Clone, C: Clone, P: Clone, K> Clone for Standard<S, C, P, K> {
    fn clone(&self) -> Self {
        let (inner, log) = (self.inner.clone(), self.log.clone());
        Self { inner, log, deadline: self.deadline.clone() }
    }
}

impl<S: fmt::Debug, C, P, K> fmt::Debug for Standard<S, C, P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standard").finish_non_exhaustive()
    }
}
