//! Coming from urllib3, requests, httpx, Polly, resilience4j, Envoy, or tower: what is called what, and what differs.
//!
//! Two words are used differently elsewhere. An *attempt* here is one sending, the first included; *retries* leave the first out.
//! A circuit that is *open* rejects; one that is *closed* lets pass.
//!
//! # urllib3 and requests
//!
//! | Python | here |
//! |---|---|
//! | `Session()` | `ServiceBuilder::new()` |
//! | `session.mount("https://", HTTPAdapter(max_retries=retry))` | `.layer(RetryLayer::new())`; for each prefix another: feature `config`, `seawall::config` |
//! | `Retry(total=3)` | [`max_retries(3)`](crate::retry::RetryLayer::max_retries); the default is 4 |
//! | `connect=`, `read=`, `status=`, `other=` | [`max_connect_retries`](crate::retry::RetryLayer::max_connect_retries), [`max_read_retries`](crate::retry::RetryLayer::max_read_retries), [`max_status_retries`](crate::retry::RetryLayer::max_status_retries), [`max_other_retries`](crate::retry::RetryLayer::max_other_retries) |
//! | `redirect=` | redirects are left to other layers, such as tower-http's `FollowRedirect` |
//! | `status_forcelist=[429, 500, 502, 503, 504]` | the default; [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) |
//! | `allowed_methods={"GET", …}` | the default; [`retry_methods`](crate::retry::RetryLayer::retry_methods) |
//! | `allowed_methods=None` | [`retry_all_methods`](crate::retry::RetryLayer::retry_all_methods) |
//! | `backoff_factor=1` | [`Backoff::urllib3(1.0)?`](crate::retry::Backoff::urllib3); better [`Backoff::exponential`](crate::retry::Backoff::exponential), which has jitter |
//! | `backoff_max=120`, `backoff_jitter=1` | `Backoff::urllib3(1.0)?.max(…).added_jitter(…)` |
//! | `respect_retry_after_header=True` | the default; [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) |
//! | `retry_after_max=21600` | [`max_retry_after`](crate::retry::RetryLayer::max_retry_after): 20 s unless set, and beyond it the response is returned at once; [`clamp_retry_after`](crate::retry::RetryLayer::clamp_retry_after) waits for the maximum, as urllib3 does |
//! | `raise_on_status=True` | [`error_on_exhausted_status(true)`](crate::retry::RetryLayer::error_on_exhausted_status); else the last response is returned |
//! | `session.get(url, timeout=10)` | [`TimeoutLayer`](crate::timeout::TimeoutLayer), for each attempt, and [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer)'s `idle`; in a stack [`Timeouts`](crate::standard::Timeouts) |
//! | `except MaxRetryError as e: e.reason` | `find_source::<RetriesExhausted>(&*error)`, its `stop()` and its `source()` |
//! | `retries.history` | [`RetryReport::failed_attempts`](crate::retry::RetryReport::failed_attempts), among the response's extensions |
//! | `logging.basicConfig(…)` around it | [`LoggingLayer::client()`](crate::logging::LoggingLayer::client) |
//!
//! Settings that repeat urllib3 to the letter stand in the docs of [`retry`](crate::retry#settings-for-some-clients); 400 recorded runs of
//! the real one agree with them. It differs in what urllib3 leaves open:
//!
//! - urllib3's `connect` errors count as safe for every method; so do they here, where this process saw that nothing was sent.
//! - Its `other` errors, such as those of TLS, skip the check of the method; here every error is subject to it.
//! - Its waits are without jitter by default, and the first is none; here each is by chance, up to what it would be.
//! - All calls together have no more retries than a fifth of their number ([`Budget`](crate::retry::Budget)), so that retrying cannot multiply an
//!   outage; and all waits of a call together last no longer than 30 s.
//!
//! # httpx
//!
//! | httpx | here |
//! |---|---|
//! | `HTTPTransport(retries=3)`, of connecting only | `RetryLayer::new().max_retries(3).max_read_retries(0).max_status_retries(0).max_other_retries(0)`; its default does more |
//! | `Timeout(5.0)`: 5 s each to connect, read, write, and for a place in the pool | [`Timeouts`](crate::standard::Timeouts): 10 s an attempt to the response's head, 30 s in all, 60 s between two pieces of a body |
//! | `Timeout(connect=…)` | the client's own, such as `HttpConnector::set_connect_timeout` |
//! | `Timeout(read=…)` | [`body_idle`](crate::standard::Timeouts::body_idle) |
//! | `Limits(max_connections=…)`, and `PoolTimeout` | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer), which refuses at once; tower's `ConcurrencyLimit` queues |
//! | `ConnectError` | [`Cause::ConnectionRefused`](crate::Cause::ConnectionRefused), [`DnsError`](crate::Cause::DnsError), … |
//! | `ReadTimeout` | [`Elapsed`](crate::timeout::Elapsed), [`Cause::HttpResponseTimeout`](crate::Cause::HttpResponseTimeout) |
//! | `RemoteProtocolError` | [`Cause::ConnectionTerminated`](crate::Cause::ConnectionTerminated), [`HttpProtocolError`](crate::Cause::HttpProtocolError), [`HttpResponseIncomplete`](crate::Cause::HttpResponseIncomplete) |
//! | `response.raise_for_status()` | yours to do; what failed stands in the response's extensions, as a [`Failure`](crate::Failure) |
//! | `event_hooks` | [`LoggingLayer`](crate::logging::LoggingLayer), [`on_retry`](crate::retry::RetryLayer::on_retry), tower's `map_request` and `map_response` |
//!
//! httpx has no limit on a whole call, and neither retries of responses nor circuits.
//!
//! # Polly, and Microsoft.Extensions.Http.Resilience
//!
//! | Polly 8 | its default | here | default |
//! |---|---|---|---|
//! | `AddStandardResilienceHandler()` | limit, total timeout, retry, breaker, attempt timeout | [`StandardLayer::new(name)`](crate::standard::StandardLayer::new) | the same order, but the limit is inside the breaker, and off |
//! | `TotalRequestTimeout` | 30 s | [`Timeouts`](crate::standard::Timeouts)' total | 30 s |
//! | `AttemptTimeout` | 10 s | its attempt | 10 s |
//! | `RateLimiter` (a concurrency limiter) | 1,000 | [`in_flight`](crate::standard::StandardLayer::in_flight) | none |
//! | `MaxRetryAttempts`, the first not counted | 3 | [`max_retries`](crate::retry::RetryLayer::max_retries) | 4 |
//! | `Delay`, `BackoffType`, `UseJitter` | 2 s, constant, no; in the standard handler exponential, with jitter | [`backoff`](crate::retry::RetryLayer::backoff) | 100 ms, exponential, full jitter |
//! | `DelayGenerator`, to respect `Retry-After` | none; in the standard handler it is respected | [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) | yes |
//! | `DisableForUnsafeHttpMethods()` | not called: POST is retried too | [`retry_methods`](crate::retry::RetryLayer::retry_methods), [`retry_all_methods`](crate::retry::RetryLayer::retry_all_methods) | idempotent ones |
//! | `ShouldHandle` | any exception but cancellation | [`classifier`](crate::retry::RetryLayer::classifier), [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | [what another try may mend](crate::retry#when-a-request-is-sent-again) |
//! | `FailureRatio` | 0.1 | [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | 0.5 |
//! | `MinimumThroughput` | 100 | [`min_calls`](crate::circuit_breaker::CircuitBreakerLayer::min_calls) | 20 |
//! | `SamplingDuration` | 30 s | [`window`](crate::circuit_breaker::CircuitBreakerLayer::window) | 10 s |
//! | `BreakDuration` | 5 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration), [`max_open_duration`](crate::circuit_breaker::CircuitBreakerLayer::max_open_duration) | 2 s, growing to 5 s |
//! | one action while half-open | | [`half_open_probes`](crate::circuit_breaker::CircuitBreakerLayer::half_open_probes) | 5 |
//! | `CircuitBreakerManualControl`: `IsolateAsync`, `CloseAsync` | | [`Circuit::force_open`](crate::circuit_breaker::Circuit::force_open), [`release`](crate::circuit_breaker::Circuit::release) | |
//! | `CircuitBreakerStateProvider` | | [`Circuit::state`](crate::circuit_breaker::Circuit::state), [`snapshot`](crate::circuit_breaker::Circuit::snapshot) | |
//! | `BrokenCircuitException.RetryAfter` | | [`CircuitOpen::retry_after`](crate::circuit_breaker::CircuitOpen::retry_after) | |
//! | `TimeoutRejectedException` | | [`Elapsed`](crate::timeout::Elapsed) | |
//! | `SelectPipelineByAuthority()` | not called | [`per_key`](crate::standard::StandardLayer::per_key) | by authority |
//! | hedging, fallback | | not here | |
//!
//! # resilience4j
//!
//! | resilience4j | its default | here | default |
//! |---|---|---|---|
//! | `Retry( CircuitBreaker( RateLimiter( TimeLimiter( Bulkhead( call )))))` | the order of its annotations | [`StandardLayer`](crate::standard::StandardLayer) | retry, breaker, in-flight limit, timeout |
//! | `maxAttempts`, the first included | 3 | [`max_retries`](crate::retry::RetryLayer::max_retries), not included | 4 |
//! | `waitDuration`, `intervalFunction` | 500 ms, constant | [`backoff`](crate::retry::RetryLayer::backoff) | 100 ms, exponential, full jitter |
//! | `retryExceptions`, `retryOnResultPredicate` | any exception; no result | [`classifier`](crate::retry::RetryLayer::classifier), [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | [what another try may mend](crate::retry#when-a-request-is-sent-again) |
//! | `failureRateThreshold` | 50 % | [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | a half |
//! | `slidingWindowType`, `slidingWindowSize` | the last 100 calls | [`window`](crate::circuit_breaker::CircuitBreakerLayer::window), always of time | 10 s |
//! | `minimumNumberOfCalls` | 100 | [`min_calls`](crate::circuit_breaker::CircuitBreakerLayer::min_calls) | 20 |
//! | `slowCallDurationThreshold`, `slowCallRateThreshold` | 60 s, 100 % | [`slow_call_threshold`](crate::circuit_breaker::CircuitBreakerLayer::slow_call_threshold): a slow call counts as a failed one | none |
//! | `waitDurationInOpenState` | 60 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration) | 2 s, growing to 5 s |
//! | `permittedNumberOfCallsInHalfOpenState` | 10 | [`half_open_probes`](crate::circuit_breaker::CircuitBreakerLayer::half_open_probes) | 5 |
//! | `maxWaitDurationInHalfOpenState` | 0: as long as it takes | [`probe_timeout`](crate::circuit_breaker::CircuitBreakerLayer::probe_timeout), for each probe | 30 s |
//! | `transitionToForcedOpenState()` | | [`Circuit::force_open`](crate::circuit_breaker::Circuit::force_open) | |
//! | `transitionToDisabledState()` | | [`Circuit::force_closed`](crate::circuit_breaker::Circuit::force_closed) | |
//! | `transitionToMetricsOnlyState()` | | [`dry_run(true)`](crate::circuit_breaker::CircuitBreakerLayer::dry_run) | |
//! | `CallNotPermittedException` | | [`CircuitOpen`](crate::circuit_breaker::CircuitOpen) | |
//! | `Bulkhead.maxConcurrentCalls`, `maxWaitDuration` | 25, 0 | [`InFlightLimitLayer::new(n)`](crate::in_flight::InFlightLimitLayer::new), which never waits | none |
//! | `BulkheadFullException` | | [`LimitReached`](crate::in_flight::LimitReached) | |
//! | `TimeLimiter.timeoutDuration` | 1 s | [`Timeouts`](crate::standard::Timeouts)' attempt | 10 s |
//! | `RateLimiter`, cache, fallback | | not here: tower's `RateLimit`, `tower_governor`; your code | |
//!
//! There a call that the bulkhead refuses counts as a failure of the circuit, unless its exception is ignored; here what is refused
//! counts as nothing. Its circuit, in ours:
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
//! What Envoy calls *circuit breaking* is a limit on what is under way; what it calls *outlier detection* is nearest to a circuit here.
//!
//! | Envoy | its default | here | default |
//! |---|---|---|---|
//! | route `timeout`, all tries together | 15 s | [`Timeouts`](crate::standard::Timeouts)' total | 30 s |
//! | `per_try_timeout` | none | its attempt | 10 s |
//! | `stream_idle_timeout` | 5 min | [`body_idle`](crate::standard::Timeouts::body_idle) | 60 s |
//! | `retry_on` | nothing | [`RetryLayer`](crate::retry::RetryLayer) | [what another try may mend](crate::retry#when-a-request-is-sent-again) |
//! | `retry_on: 5xx`, `gateway-error`, `retriable-status-codes` | | [`retry_statuses`](crate::retry::RetryLayer::retry_statuses) | 429, 500, 502, 503, 504 |
//! | `retry_on: connect-failure`, `refused-stream`, `reset` | | [`max_connect_retries`](crate::retry::RetryLayer::max_connect_retries), [`max_read_retries`](crate::retry::RetryLayer::max_read_retries) | on |
//! | `num_retries`, the first not counted | 1 | [`max_retries`](crate::retry::RetryLayer::max_retries) | 4 |
//! | `retry_back_off` | from 25 ms, up to ten times that | [`backoff`](crate::retry::RetryLayer::backoff) | from 100 ms, up to 10 s |
//! | `rate_limited_retry_back_off` | none | [`respect_retry_after`](crate::retry::RetryLayer::respect_retry_after) | yes |
//! | `retry_budget`: 20 %, at least 3 | none; then at most 3 retries at once | [`Budget`](crate::retry::Budget) | 20 % of the calls of 10 s, at least 3 |
//! | methods | any, unless `retriable_request_headers` say otherwise | [`retry_methods`](crate::retry::RetryLayer::retry_methods) | idempotent ones |
//! | `circuit_breakers.max_requests` | 1,024 | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer) | none |
//! | `outlier_detection.consecutive_5xx` | 5 | [`consecutive_failures`](crate::circuit_breaker::CircuitBreakerLayer::consecutive_failures), and the ratio unless [`failure_ratio(None)`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) | none; a half |
//! | `base_ejection_time` | 30 s | [`open_duration`](crate::circuit_breaker::CircuitBreakerLayer::open_duration) | 2 s, growing to 5 s |
//! | `x-envoy-expected-rq-timeout-ms` | | [`DeadlineLayer::trust_header`](crate::deadline::DeadlineLayer::trust_header), [`DeadlineHeaderLayer`](crate::deadline::DeadlineHeaderLayer) | |
//! | `x-envoy-attempt-count` | | [`attempt_header`](crate::retry::RetryLayer::attempt_header), from the second attempt on | |
//! | `x-envoy-max-retries`, `x-envoy-retry-on` | | [`RetryOverride`](crate::retry::RetryOverride), for one request | |
//!
//! Response flags of its access log, and the cause that says the same:
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
//! | there | here |
//! |---|---|
//! | `tower::retry::RetryLayer::new(policy)`, the policy yours | [`RetryLayer::new()`](crate::retry::RetryLayer::new), which has one |
//! | a request that must be `Clone` | bodies are kept while they are sent: [`ReplayBody`](crate::retry::ReplayBody) |
//! | `tower::retry::budget::TpsBudget` | [`Budget`](crate::retry::Budget), which also holds for concurrent calls |
//! | `tower::timeout::TimeoutLayer` | [`TimeoutLayer`](crate::timeout::TimeoutLayer) |
//! | `tower::limit::ConcurrencyLimitLayer` under `LoadShedLayer` | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer), to the end of the response's body |
//! | `tower_http::timeout::{TimeoutLayer, ResponseBodyTimeoutLayer}` | [`TimeoutLayer`](crate::timeout::TimeoutLayer), an error and not a response; [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer) |
//! | `tower_http::trace::TraceLayer` | [`LoggingLayer`](crate::logging::LoggingLayer), one line a request |
//! | axum's `HandleErrorLayer` | [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer) |
//! | `ClientBuilder::new(client).with(RetryTransientMiddleware::…)` | `StandardLayer::new(name).layer(seawall::reqwest::Client::build(…)?)` |
//!
//! reqwest-retry 0.9 retries POST as well, and does not read `Retry-After`.
