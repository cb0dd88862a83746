use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{
    BoxError, ServiceBuilder, ServiceExt,
    retry::{
        Policy, RetryLayer,
        budget::{Budget, TpsBudget},
    },
    timeout::TimeoutLayer,
};
use tower_http::{timeout::ResponseBodyTimeoutLayer, trace::TraceLayer};

/// A policy for tower's `Retry`, which has no default policy.
#[derive(Clone)]
struct Retry502 {
    left: u32,
    budget: Arc<TpsBudget>,
}

impl<B: Clone, B2> Policy<Request<B>, Response<B2>, BoxError> for Retry502 {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        outcome: &mut Result<Response<B2>, BoxError>,
    ) -> Option<Ready<()>> {
        if outcome.as_ref().is_ok_and(|response| response.status() != StatusCode::BAD_GATEWAY) {
            self.budget.deposit();
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        self.budget.withdraw().then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let client = ServiceBuilder::new()
        .layer(ResponseBodyTimeoutLayer::new(Duration::from_secs(60)))
        .layer(TraceLayer::new_for_http())
        .layer(TimeoutLayer::new(Duration::from_secs(30)))
        .layer(RetryLayer::new(Retry502 { left: 3, budget: Arc::default() }))
        // BREAKER
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .service(Client::builder(TokioExecutor::new()).build_http());

    let request = Request::get("http://127.0.0.1:8502/flaky").body(Full::<Bytes>::default())?;
    let response = client.oneshot(request).await?;
    println!("{}", response.status());
    Ok(())
}
