use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{AttemptBody, ResponseFuture};
use crate::{
    BoxError, Classify, DeadlineHeaderLayer, bad_gateway,
    body::watching,
    circuit_breaker::Permit,
    keys::KeyOf,
    standard::keyed::{Circuits, Limits},
    time_limit::Bounds,
};

/// Makes one attempt.
#[derive(Debug)]
pub struct Attempt<S, C, K> {
    pub(in crate::standard) inner: S,
    pub(in crate::standard) classifier: C,
    pub(in crate::standard) circuits: Circuits<K>,
    /// `None`: there is no limit.
    pub(in crate::standard) limits: Option<Limits<K>>,
    pub(in crate::standard) settings: Arc<Settings>,
}

/// The same for all attempts.
#[derive(Debug)]
pub(in crate::standard) struct Settings {
    pub(in crate::standard) limit: Duration,
    pub(in crate::standard) body: Bounds,
    pub(in crate::standard) next_hop: DeadlineHeaderLayer,
    pub(in crate::standard) bad_gateway: bad_gateway::Settings,
}

impl<S, C, K, ReqBody, ResBody> Service<Request<ReqBody>> for Attempt<S, C, K>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<Response<AttemptBody<ResBody>>> + Clone,
    K: KeyOf,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<AttemptBody<ResBody>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C, ResBody>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, request and future are moved once more")]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut permit = self.circuits.permit(&request);
        if !permit.admit_at_once() {
            permit = match permit.pass() {
                Ok(permit) => permit,
                Err(open) => return self.refuse(open, Permit::default()),
            };
        }
        let place = match self.limits.as_mut().map_or(Ok(None), |limits| limits.take(&request)) {
            Ok(place) => place,
            Err(shed) => return self.refuse(shed, permit),
        };
        self.settings.next_hop.write(&mut request);
        let inner = watching(&mut permit, || self.inner.call(request));
        let (classifier, settings) = (self.classifier.clone(), Arc::clone(&self.settings));
        ResponseFuture::new(inner, permit, place, classifier, settings)
    }
}

impl<S: Clone, C: Clone, K> Attempt<S, C, K> {
    #[cold]
    fn refuse<F, B: Body>(&mut self, error: BoxError, permit: Permit) -> ResponseFuture<F, C, B> {
        // What it was given to be ready is somebody else's to use.
        self.inner = self.inner.clone();
        let (classifier, settings) = (self.classifier.clone(), Arc::clone(&self.settings));
        ResponseFuture::refused(error, permit, classifier, settings)
    }
}

impl<S: Clone, C: Clone, K> Clone for Attempt<S, C, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            classifier: self.classifier.clone(),
            circuits: self.circuits.clone(),
            limits: self.limits.clone(),
            settings: Arc::clone(&self.settings),
        }
    }
}
