use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{AttemptBody, ResponseFuture};
use crate::{BoxError, DeadlineHeaderLayer, bad_gateway, keys::KeyOf, standard::keyed::Limits};

/// Makes one attempt.
#[derive(Debug)]
pub struct Attempt<S, K> {
    pub(in crate::standard) inner: S,
    /// `None`: there is no limit.
    pub(in crate::standard) limits: Option<Limits<K>>,
    pub(in crate::standard) settings: Arc<Settings>,
}

/// The same for all attempts.
#[derive(Debug)]
pub(in crate::standard) struct Settings {
    pub(in crate::standard) limit: Duration,
    pub(in crate::standard) body_idle: Duration,
    pub(in crate::standard) next_hop: DeadlineHeaderLayer,
    pub(in crate::standard) bad_gateway: bad_gateway::Settings,
}

impl<S, K, ReqBody, ResBody> Service<Request<ReqBody>> for Attempt<S, K>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    K: KeyOf,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<AttemptBody<ResBody>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, ResBody>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let place = match self.limits.as_mut().map_or(Ok(None), |limits| limits.take(&request)) {
            Ok(place) => place,
            Err(shed) => {
                // What it was given to be ready is somebody else's to use.
                self.inner = self.inner.clone();
                return ResponseFuture::refused(shed, Arc::clone(&self.settings));
            }
        };
        self.settings.next_hop.write(&mut request);
        ResponseFuture::new(self.inner.call(request), place, Arc::clone(&self.settings))
    }
}

impl<S: Clone, K> Clone for Attempt<S, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limits: self.limits.clone(),
            settings: Arc::clone(&self.settings),
        }
    }
}
