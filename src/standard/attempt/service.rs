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
    in_flight::Place,
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

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let Pass { mut permit, place, classifier, settings } = self.admit(&mut request, false);
        match place {
            Ok(place) => {
                let inner = watching(&mut permit, || self.inner.call(request));
                ResponseFuture::new(inner, permit, place, classifier, settings)
            }
            Err(error) => ResponseFuture::refused(error, permit, classifier, settings),
        }
    }
}

/// Whether a request may be sent, found out before it is made.
pub(in crate::standard) struct Pass<C> {
    pub(in crate::standard) permit: Permit,
    /// Its place, if there is a limit; or why it may not.
    pub(in crate::standard) place: Result<Option<Place>, BoxError>,
    pub(in crate::standard) classifier: C,
    pub(in crate::standard) settings: Arc<Settings>,
}

impl<S: Clone, C: Clone, K: KeyOf> Attempt<S, C, K> {
    /// What stands before the client. `again`: the key of the circuit is known to be the last one.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, what it returns is copied once more")]
    pub(in crate::standard) fn admit<B>(
        &mut self,
        request: &mut Request<B>,
        again: bool,
    ) -> Pass<C> {
        let mut permit = self.circuits.permit(request, again);
        let admitted = if permit.admit_at_once() { Ok(permit) } else { permit.pass() };
        let (permit, place) = match admitted {
            Ok(permit) => (permit, self.place(request)),
            Err(open) => (Permit::default(), Err(open as BoxError)),
        };
        if place.is_err() {
            // What it was given to be ready is somebody else's to use.
            self.inner = self.inner.clone();
        } else {
            self.settings.next_hop.write(request);
        }
        let (classifier, settings) = (self.classifier.clone(), Arc::clone(&self.settings));
        Pass { permit, place, classifier, settings }
    }

    #[inline]
    fn place<B>(&mut self, request: &Request<B>) -> Result<Option<Place>, BoxError> {
        match &mut self.limits {
            Some(limits) => limits.take(request).map_err(|shed| shed as BoxError),
            None => Ok(None),
        }
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
