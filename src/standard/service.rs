use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    ByAuthority,
    attempt::{Attempt, AttemptBody},
    call::Call,
};
use crate::{
    BoxError, Classify, HttpClassifier,
    keys::KeyOf,
    retry::{Convert, Http, Retry},
};

/// Service made by [`StandardLayer`](super::StandardLayer).
///
/// The client inside must be `Clone`, and takes [`ReplayBody`](crate::retry::ReplayBody)s, or what
/// [`send_as`](super::StandardLayer::send_as) makes of them.
#[derive(Clone)]
pub struct Standard<S, C = HttpClassifier, P = Http, K = ByAuthority> {
    pub(super) stack: Stack<S, C, P, K>,
}

/// The order, from the outside in.
pub(super) type Stack<S, C, P, K> = Call<Retry<Attempt<S, C, K>, C, P>, C>;

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
    type Future = <Stack<S, C, Http<F>, K> as Service<Request<ReqBody>>>::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.stack.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        self.stack.call(request)
    }
}

impl<S: fmt::Debug, C, P, K> fmt::Debug for Standard<S, C, P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standard").finish_non_exhaustive()
    }
}
