//! Recipes for common tasks. All of them are compiled and run as tests.
//!
//! **Clients**
//!
//! - [Wrap reqwest](clients#wrap-reqwest)
//! - [Convert between reqwest and http types](clients#convert-between-reqwest-and-http-types)
//! - [Use one hyper client for several body
//!   types](clients#use-one-hyper-client-for-several-body-types)
//! - [Wrap tonic](clients#wrap-tonic)
//! - [Replace dead HTTP/2 connections](clients#replace-dead-http2-connections)
//! - [Disable a layer at run time](clients#disable-a-layer-at-run-time)
//! - [Load a policy per upstream from a file](clients#load-a-policy-per-upstream-from-a-file)
//! - [Name the type of a client](clients#name-the-type-of-a-client)
//!
//! **Retries**
//!
//! - [Retry a POST without paying twice](retrying#retry-a-post-without-paying-twice)
//! - [Retry one request differently](retrying#retry-one-request-differently)
//! - [Retry only requests that never reached the
//!   upstream](retrying#retry-only-requests-that-never-reached-the-upstream)
//! - [Poll until a result is ready](retrying#poll-until-a-result-is-ready)
//! - [Call an LLM API](retrying#call-an-llm-api)
//! - [Find out why retrying stopped](retrying#find-out-why-retrying-stopped)
//! - [Treat an error in a 200 as a failure](retrying#treat-an-error-in-a-200-as-a-failure)
//!
//! **Timeouts**
//!
//! - [Set a timeout per route](timeouts#set-a-timeout-per-route)
//! - [Propagate the caller's deadline](timeouts#propagate-the-callers-deadline)
//! - [Let a stream run, and detect stalls](timeouts#let-a-stream-run-and-detect-stalls)
//! - [Drop slow uploads](timeouts#drop-slow-uploads)
//!
//! **Outages and overload**
//!
//! - [Serve a fallback while the upstream is
//!   down](overload#serve-a-fallback-while-the-upstream-is-down)
//! - [Inspect circuits and force one open](overload#inspect-circuits-and-force-one-open)
//! - [Try a breaker in dry-run mode](overload#try-a-breaker-in-dry-run-mode)
//! - [Spread calls over several servers](overload#spread-calls-over-several-servers)
//! - [Protect a slow upstream from overload](overload#protect-a-slow-upstream-from-overload)
//!
//! **Gateways**
//!
//! - [Return accurate errors from axum](gateways#return-accurate-errors-from-axum)
//! - [Call an upstream from a handler](gateways#call-an-upstream-from-a-handler)
//! - [Find out which hop failed](gateways#find-out-which-hop-failed)
//! - [Distinguish a stale connection from a
//!   crash](gateways#distinguish-a-stale-connection-from-a-crash)
//! - [Forward WebSocket connections](gateways#forward-websocket-connections)
//!
//! **Observability**
//!
//! - [Log only failures and a sample of
//!   successes](observability#log-only-failures-and-a-sample-of-successes)
//! - [Follow a request by its ID](observability#follow-a-request-by-its-id)
//! - [Export metrics to Prometheus](observability#export-metrics-to-prometheus)
//!
//! **Tests**
//!
//! - [Test your service against a failing
//!   upstream](testing#test-your-service-against-a-failing-upstream)
//! - [Make a test deterministic](testing#make-a-test-deterministic)

pub mod clients;
pub mod gateways;
pub mod observability;
pub mod overload;
pub mod retrying;
pub mod testing;
pub mod timeouts;
