//! Migration guide: equivalents and differences for urllib3, requests, httpx, Polly, resilience4j,
//! Envoy and tower.
//!
//! Two terms differ between libraries. Here, an *attempt* is one execution of the request,
//! including the first; *retries* exclude the first. An *open* circuit rejects calls, and a
//! *closed* circuit admits them.
//!
//! # urllib3 and requests
//!
//! | Python | seawall |
//! |---|---|
//! | `Session()` | `ServiceBuilder::new()` |
//! | `session.mount("https://", HTTPAdapter(max_retries=retry))` | `.layer(RetryLayer::new())`; per prefix: feature `config`, `seawall::config` |
//! | `Retry(total=3)` | [`max_retries(3)`](crate::retry::RetryLayer::max_retries); the default is 4 |
//! | `connect=`, `read=`, `status=`, `other=` | [`max_connect_retries`](crate::retry::RetryLayer::max_connect_retries), [`max_read_retries`](crate::retry::RetryLayer::max_read_retries), [`max_status_retries`](crate::retry::RetryLayer::max_status_retries), [`max_other_retries`](crate::retry::RetryLayer::max_other_retries) |
//! | `redirect=` | not supported: use another layer, such as tower-http's `FollowRedirect` |
//! | `status_forcelist=[429, 500, 502, 503, 504]` | the default; [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) |
//! | `allowed_methods={"GET", …}` | the default; [`retry_methods`](crate::retry::RetryLayer::retry_methods) |
//! | `allowed_methods=None` | [`retry_all_methods`](crate::retry::RetryLayer::retry_all_methods) |
//! | `backoff_factor=1` | [`Backoff::urllib3(1.0)?`](crate::retry::Backoff::urllib3); prefer [`Backoff::exponential`](crate::retry::Backoff::exponential), which has jitter |
//! | `backoff_max=120`, `backoff_jitter=1` | `Backoff::urllib3(1.0)?.max(…).added_jitter(…)` |
//! | `respect_retry_after_header=True` | the default; [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) |
//! | `retry_after_max=21600` | [`max_retry_after`](crate::retry::RetryLayer::max_retry_after); 20 s by default. For a longer wait the response is returned at once. [`clamp_retry_after`](crate::retry::RetryLayer::clamp_retry_after) waits for the maximum instead, as urllib3 does |
//! | `raise_on_status=True` | [`error_on_exhausted_status(true)`](crate::retry::RetryLayer::error_on_exhausted_status); otherwise the last response is returned |
//! | `session.get(url, timeout=10)` | [`TimeoutLayer`](crate::timeout::TimeoutLayer) per attempt, and [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer)'s `idle`; in a stack, [`Timeouts`](crate::standard::Timeouts) |
//! | `except MaxRetryError as e: e.reason` | `find_source::<RetriesExhausted>(&*error)` with its `stop_reason()` and `source()` |
//! | `retries.history` | [`RetryReport::failed_attempts`](crate::retry::RetryReport::failed_attempts), in the response's extensions |
//! | `logging.basicConfig(…)` around it | [`LoggingLayer::client()`](crate::logging::LoggingLayer::client) |
//!
//! The [`retry`](crate::retry#settings-for-some-clients) docs have settings that match urllib3
//! exactly. 400 recorded runs of urllib3 agree with them. The defaults differ from urllib3 in these
//! points:
//!
//! - urllib3 retries `connect` errors for every method. Here that requires proof that this process
//!   sent nothing.
//! - urllib3 skips the check of the method for `other` errors, such as TLS errors. Here the check
//!   applies to every error.
//! - urllib3's delays have no jitter by default, and its first delay is zero. Here each delay is
//!   random, between zero and the exponential value.
//! - A shared [`Budget`](crate::retry::Budget) caps retries at 20 % of calls, so retries cannot
//!   multiply an outage. The delays of one call are limited to 30 s in total.
//!
//! # httpx
//!
//! | httpx | seawall |
//! |---|---|
//! | `HTTPTransport(retries=3)`, for connection failures only | `RetryLayer::new().max_retries(3).max_read_retries(0).max_status_retries(0).max_other_retries(0)`; the default retries more failures |
//! | `Timeout(5.0)`: 5 s each to connect, read, write, and get a pooled connection | [`Timeouts`](crate::standard::Timeouts): 10 s per attempt to the response's head, 30 s in total, 60 s between two frames of a body |
//! | `Timeout(connect=…)` | a setting of the client, such as `HttpConnector::set_connect_timeout` |
//! | `Timeout(read=…)` | [`body_idle`](crate::standard::Timeouts::body_idle) |
//! | `Limits(max_connections=…)`, and `PoolTimeout` | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer), which rejects at once; tower's `ConcurrencyLimit` queues |
//! | `ConnectError` | [`Cause::ConnectionRefused`](crate::Cause::ConnectionRefused), [`DnsError`](crate::Cause::DnsError), … |
//! | `ReadTimeout` | [`Elapsed`](crate::Elapsed), [`Cause::HttpResponseTimeout`](crate::Cause::HttpResponseTimeout) |
//! | `RemoteProtocolError` | [`Cause::ConnectionTerminated`](crate::Cause::ConnectionTerminated), [`HttpProtocolError`](crate::Cause::HttpProtocolError), [`HttpResponseIncomplete`](crate::Cause::HttpResponseIncomplete) |
//! | `response.raise_for_status()` | up to your code; the response's extensions contain a [`Failure`](crate::Failure) |
//! | `event_hooks` | [`LoggingLayer`](crate::logging::LoggingLayer), [`on_retry`](crate::retry::RetryLayer::on_retry), tower's `map_request` and `map_response` |
//!
//! httpx has no limit for a whole call, no retries of responses, and no circuit breaker.
//!
//! # Polly, and Microsoft.Extensions.Http.Resilience
//!
//! | Polly 8 | its default | seawall | its default |
//! |---|---|---|---|
//! | `AddStandardResilienceHandler()` | limit, total timeout, retry, breaker, attempt timeout | [`StandardLayer::new(name)`](crate::standard::StandardLayer::new) | the same order, but the limit is inside the breaker, and off |
//! | `TotalRequestTimeout` | 30 s | [`Timeouts`](crate::standard::Timeouts)' total | 30 s |
//! | `AttemptTimeout` | 10 s | its attempt | 10 s |
//! | `RateLimiter` (a concurrency limiter) | 1,000 | [`in_flight`](crate::standard::StandardLayer::in_flight) | none |
//! | `MaxRetryAttempts`, without the first attempt | 3 | [`max_retries`](crate::retry::RetryLayer::max_retries) | 4 |
//! | `Delay`, `BackoffType`, `UseJitter` | 2 s, constant, no; in the standard handler exponential, with jitter | [`backoff`](crate::retry::RetryLayer::backoff) | 100 ms, exponential, full jitter |
//! | `DelayGenerator`, to respect `Retry-After` | none; respected in the standard handler | [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) | yes |
//! | `DisableForUnsafeHttpMethods()` | not called: POST is retried too | [`retry_methods`](crate::retry::RetryLayer::retry_methods), [`retry_all_methods`](crate::retry::RetryLayer::retry_all_methods) | idempotent methods |
//! | `ShouldHandle` | any exception except cancellation | [`classifier`](crate::retry::RetryLayer::classifier), [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | [transient failures](crate::retry#when-a-request-is-sent-again) |
//! | `FailureRatio` | 0.1 | [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | 0.5 |
//! | `MinimumThroughput` | 100 | [`min_calls`](crate::circuit_breaker::CircuitBreakerLayer::min_calls) | 20 |
//! | `SamplingDuration` | 30 s | [`window`](crate::circuit_breaker::CircuitBreakerLayer::window) | 10 s |
//! | `BreakDuration` | 5 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration), [`max_open_duration`](crate::circuit_breaker::CircuitBreakerLayer::max_open_duration) | 2 s, growing to 5 s |
//! | one action while half-open | | [`half_open_probes`](crate::circuit_breaker::CircuitBreakerLayer::half_open_probes) | 5 |
//! | `CircuitBreakerManualControl`: `IsolateAsync`, `CloseAsync` | | [`Circuit::force_open`](crate::circuit_breaker::Circuit::force_open), [`release`](crate::circuit_breaker::Circuit::release) | |
//! | `CircuitBreakerStateProvider` | | [`Circuit::state`](crate::circuit_breaker::Circuit::state), [`snapshot`](crate::circuit_breaker::Circuit::snapshot) | |
//! | `BrokenCircuitException.RetryAfter` | | [`CircuitOpen::retry_after`](crate::circuit_breaker::CircuitOpen::retry_after) | |
//! | `TimeoutRejectedException` | | [`Elapsed`](crate::Elapsed) | |
//! | `SelectPipelineByAuthority()` | not called | [`per_key`](crate::standard::StandardLayer::per_key) | by authority |
//! | hedging, fallback | | not supported | |
//!
//! # resilience4j
//!
//! | resilience4j | its default | seawall | its default |
//! |---|---|---|---|
//! | `Retry( CircuitBreaker( RateLimiter( TimeLimiter( Bulkhead( call )))))` | the order of its annotations | [`StandardLayer`](crate::standard::StandardLayer) | retry, breaker, in-flight limit, timeout |
//! | `maxAttempts`, with the first attempt | 3 | [`max_retries`](crate::retry::RetryLayer::max_retries), without the first attempt | 4 |
//! | `waitDuration`, `intervalFunction` | 500 ms, constant | [`backoff`](crate::retry::RetryLayer::backoff) | 100 ms, exponential, full jitter |
//! | `retryExceptions`, `retryOnResultPredicate` | any exception; no result | [`classifier`](crate::retry::RetryLayer::classifier), [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | [transient failures](crate::retry#when-a-request-is-sent-again) |
//! | `failureRateThreshold` | 50 % | [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | 50 % |
//! | `slidingWindowType`, `slidingWindowSize` | the last 100 calls | [`window`](crate::circuit_breaker::CircuitBreakerLayer::window), always a duration | 10 s |
//! | `minimumNumberOfCalls` | 100 | [`min_calls`](crate::circuit_breaker::CircuitBreakerLayer::min_calls) | 20 |
//! | `slowCallDurationThreshold`, `slowCallRateThreshold` | 60 s, 100 % | [`slow_call_threshold`](crate::circuit_breaker::CircuitBreakerLayer::slow_call_threshold): a slow call counts as a failure | none |
//! | `waitDurationInOpenState` | 60 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration) | 2 s, growing to 5 s |
//! | `permittedNumberOfCallsInHalfOpenState` | 10 | [`half_open_probes`](crate::circuit_breaker::CircuitBreakerLayer::half_open_probes) | 5 |
//! | `maxWaitDurationInHalfOpenState` | 0: no limit | [`probe_timeout`](crate::circuit_breaker::CircuitBreakerLayer::probe_timeout), per probe | 30 s |
//! | `transitionToForcedOpenState()` | | [`Circuit::force_open`](crate::circuit_breaker::Circuit::force_open) | |
//! | `transitionToDisabledState()` | | [`Circuit::force_closed`](crate::circuit_breaker::Circuit::force_closed) | |
//! | `transitionToMetricsOnlyState()` | | [`dry_run(true)`](crate::circuit_breaker::CircuitBreakerLayer::dry_run) | |
//! | `CallNotPermittedException` | | [`CircuitOpen`](crate::circuit_breaker::CircuitOpen) | |
//! | `Bulkhead.maxConcurrentCalls`, `maxWaitDuration` | 25, 0 | [`InFlightLimitLayer::new(n)`](crate::in_flight::InFlightLimitLayer::new), which never waits | none |
//! | `BulkheadFullException` | | [`LimitReached`](crate::in_flight::LimitReached) | |
//! | `TimeLimiter.timeoutDuration` | 1 s | [`Timeouts`](crate::standard::Timeouts)' attempt | 10 s |
//! | `RateLimiter`, cache, fallback | | not supported: tower's `RateLimit`, `tower_governor`; your code | |
//!
//! In resilience4j, a call that the bulkhead rejects counts as a failure of the circuit, unless its
//! exception is ignored. Here a rejected call does not count. These settings match its circuit
//! breaker:
//!
//! ```
//! use std::{num::NonZeroU32, time::Duration};
//! use seawall::{circuit_breaker::CircuitBreakerLayer, Ratio};
//!
//! let breaker = CircuitBreakerLayer::new()
//!     .failure_ratio(Ratio::new(0.5)?)
//!     .min_calls(100)
//!     .window(Duration::from_secs(30))
//!     .open_duration(Duration::from_secs(60))
//!     .max_open_duration(Duration::from_secs(60))
//!     .half_open_probes(NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN));
//! # let _ = breaker;
//! # Ok::<(), seawall::RatioOutOfRange>(())
//! ```
//!
//! # Envoy
//!
//! Envoy's *circuit breaking* is a limit on requests in flight. Its *outlier detection* is the
//! closest equivalent to a circuit breaker here.
//!
//! | Envoy | its default | seawall | its default |
//! |---|---|---|---|
//! | route `timeout`, for all attempts together | 15 s | [`Timeouts`](crate::standard::Timeouts)' total | 30 s |
//! | `per_try_timeout` | none | its attempt | 10 s |
//! | `stream_idle_timeout` | 5 min | [`body_idle`](crate::standard::Timeouts::body_idle) | 60 s |
//! | `retry_on` | nothing | [`RetryLayer`](crate::retry::RetryLayer) | [transient failures](crate::retry#when-a-request-is-sent-again) |
//! | `retry_on: 5xx`, `gateway-error`, `retriable-status-codes` | | [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | 429, 500, 502, 503, 504 |
//! | `retry_on: connect-failure`, `refused-stream`, `reset` | | [`max_connect_retries`](crate::retry::RetryLayer::max_connect_retries), [`max_read_retries`](crate::retry::RetryLayer::max_read_retries) | on |
//! | `num_retries`, without the first attempt | 1 | [`max_retries`](crate::retry::RetryLayer::max_retries) | 4 |
//! | `retry_back_off` | from 25 ms, up to 250 ms | [`backoff`](crate::retry::RetryLayer::backoff) | from 100 ms, up to 10 s |
//! | `rate_limited_retry_back_off` | none | [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) | yes |
//! | `retry_budget`: 20 %, at least 3 | none; then at most 3 concurrent retries | [`Budget`](crate::retry::Budget) | 20 % of the calls in 10 s, at least 3 |
//! | methods | all, unless restricted by `retriable_request_headers` | [`retry_methods`](crate::retry::RetryLayer::retry_methods) | idempotent methods |
//! | `circuit_breakers.max_requests` | 1,024 | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer) | none |
//! | `outlier_detection.consecutive_5xx` | 5 | [`consecutive_failures`](crate::circuit_breaker::CircuitBreakerLayer::consecutive_failures), and the failure ratio unless [`failure_ratio(None)`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | none; 50 % |
//! | `base_ejection_time` | 30 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration) | 2 s, growing to 5 s |
//! | `x-envoy-expected-rq-timeout-ms` | | [`DeadlineLayer::trust_header`](crate::deadline::DeadlineLayer::trust_header), [`DeadlineHeaderLayer`](crate::deadline::DeadlineHeaderLayer) | |
//! | `x-envoy-attempt-count` | | [`attempt_header`](crate::retry::RetryLayer::attempt_header), from the second attempt on | |
//! | `x-envoy-max-retries`, `x-envoy-retry-on` | | [`RetryOverride`](crate::retry::RetryOverride), for one request | |
//!
//! The response flags of Envoy's access log correspond to these causes:
//!
//! | flag | cause |
//! |---|---|
//! | `UF` | `connection_refused`, `connection_timeout`, `destination_unavailable` |
//! | `UC`, `UR` | `connection_terminated` |
//! | `UT` | `http_response_timeout` |
//! | `UO` | `connection_limit_reached` |
//! | `UH` | `destination_unavailable` |
//! | `DF` | `dns_error` |
//! | `UPE` | `http_protocol_error` |
//! | `DC` | `cancelled` |
//!
//! # tower, tower-http, reqwest-middleware
//!
//! | other crate | seawall |
//! |---|---|
//! | `tower::retry::RetryLayer::new(policy)`, with your own policy | [`RetryLayer::new()`](crate::retry::RetryLayer::new), with a built-in policy |
//! | requests must be `Clone` | bodies are buffered while they are sent: [`ReplayBody`](crate::retry::ReplayBody) |
//! | `tower::retry::budget::TpsBudget` | [`Budget`](crate::retry::Budget), which also limits concurrent calls |
//! | `tower::timeout::TimeoutLayer` | [`TimeoutLayer`](crate::timeout::TimeoutLayer) |
//! | `tower::limit::ConcurrencyLimitLayer` under `LoadShedLayer` | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer), held until the end of the response's body |
//! | `tower_http::timeout::{TimeoutLayer, ResponseBodyTimeoutLayer}` | [`TimeoutLayer`](crate::timeout::TimeoutLayer), which returns an error instead of a response; [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer) |
//! | `tower_http::trace::TraceLayer` | [`LoggingLayer`](crate::logging::LoggingLayer), one line per request |
//! | axum's `HandleErrorLayer` | [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer) |
//! | `ClientBuilder::new(client).with(RetryTransientMiddleware::…)` | `StandardLayer::new(name).layer(seawall::reqwest::Client::build(…)?)` |
//!
//! reqwest-retry 0.9 retries POST too, and does not read `Retry-After`.
