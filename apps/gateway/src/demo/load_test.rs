//! A burst of requests to one URL, and its results.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use indicatif::ProgressBar;
use seawall::{
    BoxError, Cause,
    classify::{Classify, HttpClassifier, classify_body_error, classify_error},
    timeout::TimeoutLayer,
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tower::{Layer, ServiceExt};

/// The number of requests to each upstream directly, and again through the gateway.
pub(crate) const REQUESTS: usize = 200;

const MAX_IN_FLIGHT: usize = 20;

/// The cause in `Proxy-Status` of a request that an open circuit rejected.
const REJECTED: Cause = Cause::DestinationUnavailable;

#[derive(Debug, Default)]
pub(crate) struct LoadTestResult {
    succeeded: usize,
    /// The latencies of all requests, sorted.
    latencies: Vec<Duration>,
    /// The number of failures by cause.
    failures: HashMap<Cause, usize>,
}

impl LoadTestResult {
    /// Returns the ratio of requests that succeeded.
    pub(crate) fn success_ratio(&self) -> f64 {
        self.succeeded as f64 / self.latencies.len().max(1) as f64
    }

    /// Returns a percentile of the latencies, such as p99 for 0.99.
    pub(crate) fn percentile(&self, ratio: f64) -> Duration {
        let last_index = self.latencies.len().saturating_sub(1);
        let rank = (self.latencies.len() as f64 * ratio).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1).min(last_index)).copied().unwrap_or_default()
    }

    /// Returns the ratio of requests that the gateway's open circuit rejected.
    pub(crate) fn rejected_ratio(&self) -> f64 {
        let rejected = self.failures.get(&REJECTED).copied().unwrap_or_default();
        rejected as f64 / self.latencies.len().max(1) as f64
    }

    /// Returns the causes of failures at the upstream, most frequent first.
    pub(crate) fn upstream_causes(&self) -> Vec<Cause> {
        let mut causes: Vec<_> =
            self.failures.iter().filter(|(cause, _)| **cause != REJECTED).collect();
        causes.sort_by_key(|(cause, count)| (std::cmp::Reverse(**count), cause.as_str()));
        causes.into_iter().map(|(&cause, _)| cause).collect()
    }
}

/// Sends all requests and classifies their outcomes.
pub(crate) async fn run(url: &str, timeout: Duration, progress: &ProgressBar) -> LoadTestResult {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = TimeoutLayer::new(timeout).layer(client);
    let permits = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut calls = JoinSet::new();
    for _ in 0..REQUESTS {
        let (client, permits, url) = (client.clone(), Arc::clone(&permits), url.to_owned());
        calls.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let started = Instant::now();
            let request = Request::get(url).body(Empty::<axum::body::Bytes>::new())?;
            let outcome = match client.oneshot(request).await {
                Ok(response) => check_response(response).await,
                Err(error) => Err(classify_error(&*error).cause()),
            };
            Ok::<_, http::Error>((outcome, started.elapsed()))
        });
    }
    let mut result = LoadTestResult::default();
    while let Some(call) = calls.join_next().await {
        // A panicked call counts as a failure of unknown cause.
        let (outcome, latency) = match call {
            Ok(Ok(completed)) => completed,
            _ => (Err(Cause::Unknown), Duration::ZERO),
        };
        match outcome {
            Ok(()) => result.succeeded += 1,
            Err(cause) => *result.failures.entry(cause).or_default() += 1,
        }
        result.latencies.push(latency);
        progress.inc(1);
    }
    result.latencies.sort_unstable();
    result
}

/// Reads the response, and returns the cause if it failed or its body was interrupted.
///
/// A gateway's `Proxy-Status` takes precedence over the classifier.
async fn check_response<B>(response: Response<B>) -> Result<(), Cause>
where
    B: BodyExt<Error: Into<BoxError>>,
{
    let failure = HttpClassifier::new().classify(Ok(&response));
    let reported = response.headers().get("proxy-status").and_then(|value| {
        value.to_str().ok()?.split_once("error=")?.1.split(';').next()?.parse().ok()
    });
    if let Some(failure) = failure {
        return Err(reported.unwrap_or(failure.cause()));
    }
    let body = response.into_body().collect().await;
    body.map(drop).map_err(|error| classify_body_error(&*error.into()).cause())
}
