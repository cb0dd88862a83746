use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use seawall_core::error::BoxError;
use tower_service::Service;

use super::{FlakyBody, InvalidScript, ReceivedRequest, ResponseFuture, Script, shared::Shared};

/// An upstream in this process: a service in the place of a client. See the [module docs](super).
///
/// # Clone
/// Clones follow one script together, and tell of the same requests.
#[derive(Clone, Debug)]
pub struct FlakyService {
    shared: Arc<Shared>,
}

impl FlakyService {
    /// Makes a service that follows `script`: a [`Script`], one [`Step`](super::Step) forever, or an array of them.
    ///
    /// # Errors
    /// If the script has no step, or a wrong one.
    pub fn new(script: impl Into<Script>) -> Result<Self, InvalidScript> {
        Ok(Self { shared: Arc::new(Shared::new(script.into())?) })
    }

    /// Follows another script from the next request on, also in all clones. What was received stays.
    ///
    /// # Errors
    /// If the script has no step, or a wrong one: it goes on with the former then.
    pub fn set_script(&self, script: impl Into<Script>) -> Result<(), InvalidScript> {
        self.shared.follow(script.into())
    }

    /// How many requests it has received; a refused one was not.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// The requests it has received, also those whose body has not ended: the first thousand.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.shared.received()
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
        let (step, place) = self.shared.begin(parts);
        ResponseFuture::new(body, method, step, place, Arc::clone(&self.shared))
    }
}
