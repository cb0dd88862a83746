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

/// An upstream in this process, which replaces a client. See the [crate docs](crate).
///
/// # Clone
/// Clones share one script and one list of received requests.
#[derive(Clone, Debug)]
pub struct FlakyService {
    state: Arc<UpstreamState>,
}

impl FlakyService {
    /// Creates a service that follows `script`: a [`Script`], one [`Step`](crate::Step) that repeats, or an array of steps.
    ///
    /// # Errors
    /// [`InvalidScript`] if the script is invalid.
    pub fn new(script: impl Into<Script>) -> Result<Self, InvalidScript> {
        Ok(Self { state: Arc::new(UpstreamState::new(script.into())?) })
    }

    /// Replaces the script, also in all clones. The received requests stay.
    ///
    /// # Errors
    /// [`InvalidScript`] if the script is invalid. The former one stays.
    pub fn set_script(&self, script: impl Into<Script>) -> Result<(), InvalidScript> {
        self.state.set_script(script.into())
    }

    /// Returns the number of received requests. A refused request is not received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// Returns the first thousand received requests, including those whose body has not ended.
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
