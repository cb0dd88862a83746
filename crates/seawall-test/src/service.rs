use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{
    FlakyBody, InvalidScript, ReceivedRequest, ResponseFuture, Script, state::UpstreamState,
};
use seawall_core::BoxError;

/// An upstream in process, which replaces a client. See the [crate docs](crate).
///
/// # Clone
/// Clones share the script and the received requests.
#[derive(Clone, Debug)]
pub struct FlakyService {
    state: Arc<UpstreamState>,
}

impl FlakyService {
    /// Creates a service with a script: a [`Script`], a [`Step`](crate::Step) that repeats, or an
    /// array of steps.
    ///
    /// # Errors
    /// Returns [`InvalidScript`] if the script is invalid.
    pub fn new(script: impl Into<Script>) -> Result<Self, InvalidScript> {
        Ok(Self { state: Arc::new(UpstreamState::new(script.into())?) })
    }

    /// Replaces the script of this service and its clones. Keeps the received requests.
    ///
    /// # Errors
    /// Returns [`InvalidScript`] if the script is invalid. The previous script is kept.
    pub fn set_script(&self, script: impl Into<Script>) -> Result<(), InvalidScript> {
        self.state.set_script(script.into())
    }

    /// Returns the number of received requests. Refused requests do not count.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// Returns the first 1,000 received requests, including those with an incomplete body.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.received()
    }
}

impl<B> Service<Request<B>> for FlakyService
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response = Response<FlakyBody>;
    type Error = BoxError;
    type Future = ResponseFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        let (step, index) = self.state.receive_head(parts);
        ResponseFuture::new(body, method, step, index, Arc::clone(&self.state))
    }
}
