//! Sending many requests and keeping what became of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use indicatif::ProgressBar;
use seawall::{
    BoxError, Cause, Classify, HttpClassifier, TimeoutLayer,
    classify::{classify_body_error, classify_error},
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tower::{Layer, ServiceExt};

/// How many requests an upstream gets, bare and through the gateway each.
pub(crate) const REQUESTS: usize = 200;

/// How many of them at once.
const AT_ONCE: usize = 20;

/// What a gateway's `Proxy-Status` says of a request that an open circuit refused.
const REFUSED: Cause = Cause::DestinationUnavailable;

/// What became of the requests.
#[derive(Debug, Default)]
pub(crate) struct Results {
    succeeded: usize,
    /// In order.
    times: Vec<Duration>,
    /// What the failures were classified as, how often.
    causes: HashMap<Cause, usize>,
}

impl Results {
    /// The share of requests that succeeded.
    pub(crate) fn success(&self) -> f64 {
        self.succeeded as f64 / self.times.len().max(1) as f64
    }

    /// The time within which this share of the requests ended.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        let at = (self.times.len() as f64 * share).ceil() as usize;
        self.times.get(at.saturating_sub(1).min(last)).copied().unwrap_or_default()
    }

    /// The share of requests that the gateway refused by itself, its circuit being open.
    pub(crate) fn refused(&self) -> f64 {
        let refused = self.causes.get(&REFUSED).copied().unwrap_or_default();
        refused as f64 / self.times.len().max(1) as f64
    }

    /// What failed at the upstream, the most frequent cause first.
    pub(crate) fn causes(&self) -> Vec<Cause> {
        let mut causes: Vec<_> =
            self.causes.iter().filter(|(cause, _)| **cause != REFUSED).collect();
        causes.sort_by_key(|(cause, count)| (std::cmp::Reverse(**count), cause.as_str()));
        causes.into_iter().map(|(&cause, _)| cause).collect()
    }
}

pub(crate) async fn drive(url: &str, limit: Duration, bar: &ProgressBar) -> Results {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = TimeoutLayer::new(limit).layer(client);
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    for _ in 0..REQUESTS {
        let (client, permits, url) = (client.clone(), Arc::clone(&permits), url.to_owned());
        calls.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let started = Instant::now();
            let request = Request::get(url).body(Empty::<axum::body::Bytes>::new())?;
            let outcome = match client.oneshot(request).await {
                Ok(response) => judge(response).await,
                Err(error) => Err(classify_error(&*error).cause()),
            };
            Ok::<_, http::Error>((outcome, started.elapsed()))
        });
    }
    let mut results = Results::default();
    while let Some(call) = calls.join_next().await {
        // A call that panicked counts as one that failed for no known cause.
        let (outcome, time) = match call {
            Ok(Ok(done)) => done,
            _ => (Err(Cause::Unknown), Duration::ZERO),
        };
        match outcome {
            Ok(()) => results.succeeded += 1,
            Err(cause) => *results.causes.entry(cause).or_default() += 1,
        }
        results.times.push(time);
        bar.inc(1);
    }
    results.times.sort_unstable();
    results
}

/// A success is one to the end of its body. What a gateway concluded stands in `Proxy-Status`; without it, it is what
/// the classifier concludes.
async fn judge<B>(response: Response<B>) -> Result<(), Cause>
where
    B: BodyExt<Error: Into<BoxError>>,
{
    let failure = HttpClassifier::new().classify(Ok(&response));
    let said = response.headers().get("proxy-status").and_then(|value| {
        value.to_str().ok()?.split_once("error=")?.1.split(';').next()?.parse().ok()
    });
    if let Some(failure) = failure {
        return Err(said.unwrap_or(failure.cause()));
    }
    let body = response.into_body().collect().await;
    body.map(drop).map_err(|error| classify_body_error(&*error.into()).cause())
}
