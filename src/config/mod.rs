//! Loads policies for [`StandardLayer`](crate::standard::StandardLayer) from a TOML file.
//!
//! A policy has the timeouts, retries, circuit breaker, in-flight limit and log of one upstream,
//! which is selected by a URL prefix. The configuration can be replaced while calls are in flight.
//!
//! An invalid file is rejected as a whole, with a one-line error that names the line, the key and
//! the expected value.
//!
//! Some settings exist only in code, such as the classifier, closures and the key function. They
//! come from the layer that is passed to [`ConfiguredLayer::new`].
//!
//! # Example
//!
//! ```
//! use seawall::{config::{Config, ConfiguredLayer}, standard::StandardLayer};
//! use tower::ServiceBuilder;
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # let client = tower::service_fn(|_: Request<seawall::retry::ReplayBody<Full<Bytes>>>| async {
//! #     Ok::<_, seawall::BoxError>(Response::new(Full::<Bytes>::default()))
//! # });
//!
//! let config = Config::from_toml(
//!     r#"
//!     [default.timeouts]
//!     attempt = "2s"
//!     total = "10s"
//!
//!     [[route]]
//!     prefix = "https://api.example.com/reports"
//!     timeouts = { attempt = "1m", total = "2m" }
//!     retry = { total = 1 }
//!
//!     [[route]]
//!     prefix = "https://hooks.example.com"
//!     retry = "off"
//!     in_flight = 100
//!     "#,
//! )?;
//! let layer = ConfiguredLayer::new(StandardLayer::new("billing"), config);
//! let handle = layer.handle();
//! let client = ServiceBuilder::new().layer(layer).service(client);
//! # fn takes(_: impl tower::Service<Request<Full<Bytes>>>) {}
//! # takes(client);
//!
//! // Later, while calls are in flight. An invalid file leaves the policies unchanged.
//! match Config::from_file("/etc/billing/policies.toml") {
//!     Ok(config) => handle.replace(&config),
//!     Err(error) => eprintln!("{error}"),
//! }
//! # Ok::<(), seawall::config::ConfigError>(())
//! ```
//!
//! # Route selection
//!
//! A request gets the policy of the route with the longest matching prefix, or else the default
//! policy. A route inherits from `[default]`, key by key; `backoff` and `budget` are inherited as a
//! whole. A route never inherits from another route. Settings absent from both keep the program's
//! values, which are the [defaults](#all-keys) for
//! [`StandardLayer::new`](crate::standard::StandardLayer::new).
//!
//! | prefix | matches | does not match |
//! |---|---|---|
//! | `https://` | every `https` URL | `http://…` |
//! | `https://api.example.com` | `https://API.example.com:443/v1` | `https://api.example.com.evil.com`, `https://api.example.com:8443` |
//! | `https://api.example.com/v1` | `…/v1`, `…/v1/`, `…/v1/users?page=2` | `…/v10`, `…/V1` |
//!
//! Prefixes work as in `Session.mount` of Python's `requests`, with these differences:
//!
//! - A prefix matches whole components: `/v1` does not match `/v10`, and a host matches neither a
//!   longer host nor another port.
//! - Paths are case-sensitive, as they are to servers.
//! - The scheme's default port equals no port.
//! - A trailing slash is ignored.
//! - User information in a request's URL is ignored.
//!
//! Prefixes and URLs are compared after the normalization of RFC 3986 §6.2.2, so that no spelling
//! of a URL avoids its route:
//!
//! | spelling | same as | rule |
//! |---|---|---|
//! | `/v%31`, `/%7euser`, `/a%2fb` | `/v1`, `/~user`, `/a%2Fb` | percent-encoded letters, digits and `-._~` are decoded; other octets have upper case |
//! | `/x/../v1`, `/./v1`, `/%2e/v1` | `/v1` | dot segments are removed |
//! | `//v1`, `/v1//` | `/v1` | empty segments are removed first, as in nginx and Go |
//! | `api.example.com.` | `api.example.com` | the trailing dot of a host is removed |
//!
//! `/v1%2Fx` is not below `/v1`: an encoded slash is data (§2.2). The request itself is not changed.
//! A server may still treat other URLs as equal, for example `/V1`, so a route is not an access
//! control. There are no wildcards. A request whose URI has no scheme and host, as on a server,
//! gets the default policy.
//!
//! # All keys
//!
//! The keys of `[default]` and of each `[[route]]`, which also has a `prefix`. Durations are
//! strings with a unit: `"250ms"`, `"10s"`, `"1m 30s"`, `"6h"`. Ratios are numbers from 0 to 1. A
//! table set to `"off"` disables its layer. The setter that corresponds to a key documents it in
//! full.
//!
//! | key | meaning | value | default |
//! |---|---|---|---|
//! | `timeouts.attempt` | one attempt, to the response's head, without the waits for the caller's request body; each such wait; at most `timeouts.total` | duration from 1 ms, `"off"` | `"10s"` |
//! | `timeouts.total` | all attempts and delays, to the response's head | duration from 1 ms, `"off"` | `"30s"` |
//! | `timeouts.body_idle` | the wait for each frame of a response's body | duration from 1 ms, `"off"` | `"60s"` |
//! | `timeouts.trust` | request headers that carry the timeout of a trusted caller, applied if it is less than `timeouts.total`; see [`DeadlineLayer::trust_header`](crate::deadline::DeadlineLayer::trust_header) | list of `"grpc-timeout"`, `"x-envoy-expected-rq-timeout-ms"` | `[]` |
//! | `retry` | [`RetryLayer`](crate::retry::RetryLayer) | table, `"off"` | `{}` |
//! | `retry.total` | maximum retries per call, without the first attempt | whole number, `"unlimited"` | `4` |
//! | `retry.connect` | maximum of these after failures to connect | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.read` | maximum of these after connections that failed later | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.status` | maximum of these after statuses in `retry.status_forcelist` | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.other` | maximum of these after other errors | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.methods` | methods that are retried even if the request may have been processed | list of methods, `"idempotent"`, `"any"` | `"idempotent"` |
//! | `retry.status_forcelist` | statuses that are retried | list of 100 to 599 | `[429, 500, 502, 503, 504]` |
//! | `retry.retry_after_statuses` | further statuses that are retried if the response has `Retry-After` | list of 100 to 599 | `[]` |
//! | `retry.backoff` | delay before a retry, unless the server sets one | table | `{}` |
//! | `retry.backoff.kind` | growth of the delay: doubling, constant, no delay, or as in urllib3 | `"exponential"`, `"constant"`, `"none"`, `"urllib3"` | `"exponential"` |
//! | `retry.backoff.base` | delay before the first retry; not for `none`, `urllib3` | duration | `"100ms"` |
//! | `retry.backoff.factor` | `backoff_factor`, for `urllib3` only | seconds, from 0 | 1 |
//! | `retry.backoff.max` | maximum delay; unless set, unlimited for `constant` and 120 s for `urllib3`; not for `none` | duration | `"10s"` |
//! | `retry.backoff.jitter` | `true`: a random part of the delay; duration: a random addition up to it; unless set, off for `constant`, `urllib3`; not for `none` | `true`, `false`, duration | `true` |
//! | `retry.respect_retry_after` | replaces the backoff with the server's delay (`Retry-After`) | `true`, `false` | `true` |
//! | `retry.retry_after_max` | maximum delay that a server may set | duration | `"20s"` |
//! | `retry.cap_retry_after` | if the server's delay is longer: waits for the maximum, instead of returning the response | `true`, `false` | `false` |
//! | `retry.retry_after_jitter` | adds up to 10 % jitter to the server's delay | `true`, `false` | `true` |
//! | `retry.total_delay_max` | maximum of all delays of a call together | duration, `"off"` | `"30s"` |
//! | `retry.retry_unlikely` | retries any method if a response indicates, without proof, that nothing was processed | `true`, `false` | `false` |
//! | `retry.retry_rejected` | retries rejections by an open circuit or an in-flight limit | `true`, `false` | `false` |
//! | `retry.raise_on_status` | turns the last response into an error if only a limit prevents a retry | `true`, `false` | `false` |
//! | `retry.min_attempt` | minimum time left for an attempt to begin | duration | `"0s"` |
//! | `retry.body_limit` | maximum size of a request body that is kept for retries | bytes, up to 4 GiB | `65536` |
//! | `retry.drain_wait` | maximum time to read the rest of a response that is retried | duration | `"50ms"` |
//! | `retry.attempt_header` | request header with the attempt number, from the second attempt on | header name, `"off"` | `"off"` |
//! | `retry.budget` | limit of the retries of all calls to one host and port | table, `"off"` | `{}` |
//! | `retry.budget.ratio` | maximum ratio of retries to calls in 10 s | ratio | `0.2` |
//! | `retry.budget.min` | retries always allowed in 10 s, if that is more | whole number | `3` |
//! | `circuit_breaker` | [`CircuitBreakerLayer`](crate::circuit_breaker::CircuitBreakerLayer), one circuit for each host and port | table, `"off"` | `{}` |
//! | `circuit_breaker.failure_ratio` | ratio of failed calls in the window that opens the circuit; `"off"`: only consecutive failures open it, so `consecutive_failures` must be a number | ratio, `"off"` | `0.5` |
//! | `circuit_breaker.min_calls` | minimum number of calls in the window to open by ratio | whole number | `20` |
//! | `circuit_breaker.window` | length of the sliding window | duration from 10 ms | `"10s"` |
//! | `circuit_breaker.consecutive_failures` | number of consecutive failures that also opens the circuit; the only condition if `failure_ratio` is `"off"` | whole number from 1, `"off"` | `"off"` |
//! | `circuit_breaker.slow_call` | duration from which a call counts as a failure | duration from 1 ms, `"off"` | `"off"` |
//! | `circuit_breaker.open_for` | how long the circuit first stays open | duration from 1 ms | `"2s"` |
//! | `circuit_breaker.open_max` | maximum of `open_for` after it has grown; at least `open_for` | duration from 1 ms | `"5s"` |
//! | `circuit_breaker.retry_after_max` | maximum time that a `Retry-After` keeps the circuit open | duration | `"30s"` |
//! | `circuit_breaker.probes` | calls admitted while the circuit is half-open | whole number from 1 | `5` |
//! | `circuit_breaker.probe_lease` | how long a probe occupies its slot | duration from 10 ms | `"30s"` |
//! | `circuit_breaker.count_origin_errors` | counts the origin's own errors, such as 500, as failures | `true`, `false` | `false` |
//! | `circuit_breaker.shadow` | counts and reports, but never rejects | `true`, `false` | `false` |
//! | `in_flight` | [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer): maximum calls in flight for each host and port; `"adaptive"` or a table: a limit that follows the upstream's response times, see [`AdaptiveLimit`](crate::in_flight::AdaptiveLimit) | whole number from 1, `"adaptive"`, table, `"off"` | `"off"` |
//! | `in_flight.initial` | limit before the first measurement | whole number from 1 | 100 |
//! | `in_flight.min` | minimum limit, except in a measurement; at most `in_flight.max` | whole number from 1 | 10 |
//! | `in_flight.max` | maximum limit | whole number from 1 | 1,000 |
//! | `next_hop` | [`DeadlineHeaderLayer`](crate::deadline::DeadlineHeaderLayer): sends the time left of `timeouts.total` to the next hop | table, `"off"` | `"off"` |
//! | `next_hop.header` | the header with that time; required | `"grpc-timeout"`, `"x-envoy-expected-rq-timeout-ms"` | none |
//! | `next_hop.margin` | time subtracted, so that the response can arrive before the deadline | duration | 50 ms |
//! | `bad_gateway` | [`BadGatewayClassifierLayer`](crate::bad_gateway::BadGatewayClassifierLayer) | table, `"off"` | `{}` |
//! | `bad_gateway.peek` | maximum size of a failed response's body that is inspected | bytes, up to 1 MiB | `4096` |
//! | `bad_gateway.peek_wait` | maximum wait for these bytes | duration | `"50ms"` |
//! | `logging` | [`LoggingLayer::client`](crate::logging::LoggingLayer::client) | table, `"off"` | `{}` |
//! | `logging.success` | level of successful calls | level | `"debug"` |
//! | `logging.retried` | level of calls that succeed after more than one attempt | level | `"info"` |
//! | `logging.client_error` | level of client errors: 4xx except 408 and 429 | level | as `success` |
//! | `logging.failure` | level of failed calls | level | `"warn"` |
//! | `logging.refused` | level of calls that an open circuit or an in-flight limit rejects | level | `"debug"` |
//! | `logging.cancelled` | level of calls that the caller cancels | level | `"info"` |
//! | `logging.span` | level of the span around a call | level | as `success` |
//! | `logging.sample` | ratio of the successes that are logged, chosen at random | ratio | `1.0` |
//! | `logging.curl` | logs a command that repeats a failed request, at DEBUG | `true`, `false` | `true` |
//! | `logging.redact` | further query keys whose values are secret | list of strings | `[]` |
//! | `logging.redact_paths` | further paths that contain a secret, such as `/v3/{key}` | list of strings | `[]` |
//! | `logging.headers` | headers to log; credentials are never logged | list of header names | `[]` |
//! | `logging.user_agent` | logs the user agent | `true`, `false` | `false` |
//! | `logging.failed_body` | maximum size of a failed response's body that is logged | bytes, up to 2 KiB | `0` |
//!
//! A level is `"trace"`, `"debug"`, `"info"`, `"warn"`, `"error"` or `"off"`. The program sets the
//! log's targets and format.
//!
//! # Validation
//!
//! These are rejected:
//!
//! - a file that cannot be read, is not UTF-8, or has 1 MiB or more, of which no more is read
//! - invalid TOML
//! - a file without any key, which is probably about to be written
//! - an unknown key
//! - a value that has another type, no unit, a negative sign, or is out of range
//! - two routes with the same prefix
//! - an attempt timeout above the total, including when one of the two is the default
//! - `open_for` above `open_max`, if both are set
//! - neither `failure_ratio` nor `consecutive_failures`, so that no circuit could open
//! - `in_flight.min` above `in_flight.max`, or `in_flight.initial` outside of them
//! - `timeouts.trust` without a `timeouts.total` that limits it
//! - `next_hop` without its header
//! - a key of another backoff kind
//!
//! Each error is one line, and only the first error is reported. Routes are counted from 0.
//!
//! ```text
//! /etc/policies.toml:7: route[0].retry.budget.ratio: invalid value: floating point `1.5`, expected a number from 0 to 1
//! /etc/policies.toml:9: route[1].prefix: duplicate prefix, first used on line 3
//! /etc/policies.toml:2: default.retry.totl: unknown field `totl`, expected one of `total`, `connect`, …
//! ```
//!
//! # Replacing the configuration
//!
//! | item | effect |
//! |---|---|
//! | a call in flight, its retries and its body | keeps the policy that it started with |
//! | a new call | gets the new policy, which is selected in `call`, not in `poll_ready` |
//! | a route with an unchanged `circuit_breaker` | keeps its circuits, including open ones |
//! | a route with an unchanged `retry.budget` | keeps its budgets and the retries left in them |
//! | a route with an unchanged `in_flight` | keeps its counts and the state of an adaptive limit |
//! | a route in which one of these changed | resets that one |
//! | a new route | starts without state, even if another policy applied to its URLs before; a budget that the program set is shared by all |
//! | a removed route | loses its state when its last call ends |
//!
//! The comparison uses the effective settings, after inheritance. Notation and position in the file
//! do not matter. Reading the configuration takes no lock, and no lock is held while user code
//! runs.
//!
//! # Recipe for Python's `requests`
//!
#![doc = concat!("```toml\n", include_str!("requests.toml"), "```")]
//!
//! # Other formats
//!
//! [`Config`] is `Deserialize`, for self-describing formats such as JSON and YAML. They have the
//! same keys and their own error format. Inside a larger document a `Config` is the value of any
//! key. With `#[serde(default)]` an absent `Config` is `Config::default()`, which has no settings.
//! The feature `config-schema` adds [`Config::json_schema`], for editors.
//!
//! # Order
//!
//! Takes the place of [`StandardLayer`](crate::standard::StandardLayer) in a stack.

mod active;
mod apply;
mod document;
mod error;
mod handle;
mod layer;
mod load;
mod normalize;
mod policy;
mod prefix;
mod routes;
mod sections;
mod service;
mod text;
mod validate;
mod validation_error;
mod values;

use std::path::Path;

use http::Uri;

pub use self::{error::ConfigError, handle::Handle, layer::ConfiguredLayer, service::Configured};
use self::{policy::Policy, routes::Routes};

/// A default policy, and policies by URL prefix. See the [module docs](self).
///
/// `Config::default()` has no settings, so the program's values apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    default: Policy,
    routes: Routes,
}

impl Config {
    /// Parses TOML.
    ///
    /// # Errors
    ///
    /// Returns the first error in `text`. A text without any key is an error, since the file is
    /// probably about to be written. So is a text of 1 MiB or more.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        load::from_text(text)
    }

    /// Reads a TOML file and parses it as [`from_toml`](Self::from_toml) does.
    ///
    /// Blocks the thread. At most 1 MiB is read.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is not UTF-8, and those of
    /// [`from_toml`](Self::from_toml).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        load::from_file(path.as_ref())
    }

    /// Returns the prefixes of the routes in file order, in normalized form: scheme and host in
    /// lower case, without the scheme's default port and without a trailing slash. The [module
    /// docs](self#route-selection) have the other rules.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = String> {
        self.routes.iter().map(|(prefix, _)| prefix.to_string())
    }

    /// Returns the prefix of the route that applies to `uri`, or `None` if the default policy does.
    #[must_use]
    pub fn prefix_of(&self, uri: &Uri) -> Option<String> {
        let (prefix, _) = self.routes.iter().nth(self.routes.find(uri)?)?;
        Some(prefix.to_string())
    }

    /// Returns the JSON schema of a file, for editors, with a description of each key.
    ///
    /// It cannot express the rules across keys that [`from_toml`](Self::from_toml) checks, such as
    /// an attempt timeout of at most the total timeout.
    #[cfg(feature = "config-schema")]
    #[must_use]
    pub fn json_schema() -> String {
        format!("{:#}", schemars::schema_for!(document::ConfigDocument).to_value())
    }
}

#[cfg(feature = "config-schema")]
impl schemars::JsonSchema for Config {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        <document::ConfigDocument as schemars::JsonSchema>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <document::ConfigDocument as schemars::JsonSchema>::json_schema(generator)
    }
}
