//! Policies from a file: timeouts, retries, circuit breaker, limit and log of [`StandardLayer`](crate::StandardLayer), for each
//! upstream by what its URLs begin with, and replaced while calls are under way.
//!
//! A file that is not right in every part is refused as a whole, by one line that says where, which key, and what was expected.
//!
//! Not covered: what only a program can say, such as the classifier, closures, and what keys are made of. It is taken from the
//! layer that a [`ConfiguredLayer`] is made of.
//!
//! # Example
//!
//! ```
//! use seawall::{
//!     StandardLayer,
//!     config::{Config, ConfiguredLayer},
//! };
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
//! // Later, while calls are with_policy way: the old policies stay if the file is not right.
//! match Config::from_file("/etc/billing/policies.toml") {
//!     Ok(config) => handle.replace(&config),
//!     Err(invalid) => eprintln!("{invalid}"),
//! }
//! # Ok::<(), seawall::config::ConfigError>(())
//! ```
//!
//! # Which policy a request has
//!
//! That of the route with the longest prefix of its URL, or else the default one. A route has from `[default]` what it does not
//! say itself, key by key; `backoff` and `budget` are inherited as a whole. It has nothing from other routes, however long
//! their prefix. What neither says, is as the program has it: see the [defaults](#all-keys) of
//! [`StandardLayer::new`](crate::StandardLayer::new).
//!
//! | prefix | takes | does not take |
//! |---|---|---|
//! | `https://` | every `https` URL | `http://…` |
//! | `https://api.example.com` | `https://API.example.com:443/v1` | `https://api.example.com.evil.com`, `https://api.example.com:8443` |
//! | `https://api.example.com/v1` | `…/v1`, `…/v1/`, `…/v1/users?page=2` | `…/v10`, `…/V1` |
//!
//! It is as `Session.mount` of requests has it, but for this: a prefix ends where a part of the URL ends, so that `/v1` is no prefix
//! of `/v10`, nor a host one of another, nor of itself with another port; case matters in paths, as it does to servers; the
//! scheme's own port is the same as none; a slash at the end makes no difference; and a user's name in a URL is passed over.
//! Nothing is decoded or resolved: neither `/v%31` nor `/x/../v1` is `/v1`, whatever a server makes of them, so a route is not for
//! keeping callers out. There are no wildcards. A request whose URI has no scheme and host, as that of a server has
//! none, has the default policy.
//!
//! # All keys
//!
//! Behind `[default]`, or in a `[[route]]`, which has a `prefix` too. Times are texts with their unit: `"250ms"`, `"10s"`, `"1m 30s"`,
//! `"6h"`. Ratios are numbers from 0 to 1. Where a table may be `"off"`, that part is left out. What each key does in full
//! stands in the docs of the setter of the same name.
//!
//! | key | what | value | default |
//! |---|---|---|---|
//! | `timeouts.attempt` | one attempt, to the response's head; not above `timeouts.total` | time from 1 ms, `"off"` | `"10s"` |
//! | `timeouts.total` | all attempts and waits, to the response's head | time from 1 ms, `"off"` | `"30s"` |
//! | `timeouts.body_idle` | the wait for each part of a response's body | time from 1 ms, `"off"` | `"60s"` |
//! | `timeouts.trust` | headers of requests by which callers, if they can be trusted, say how long they wait: kept to if it is less than `timeouts.total`; [`DeadlineLayer::trust_header`](crate::DeadlineLayer::trust_header) | list of `"grpc-timeout"`, `"x-envoy-expected-rq-timeout-ms"` | `[]` |
//! | `retry` | [`RetryLayer`](crate::RetryLayer) | table, `"off"` | `{}` |
//! | `retry.total` | retries of a call, the first attempt not counted | whole number, `"unlimited"` | `4` |
//! | `retry.connect` | of these, after failures to connect | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.read` | of these, after connections that failed later | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.status` | of these, after statuses of the forcelist | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.other` | of these, after other errors | whole number, `"unlimited"` | `"unlimited"` |
//! | `retry.methods` | what may be sent again though it may have been processed | list of methods, `"idempotent"`, `"any"` | `"idempotent"` |
//! | `retry.status_forcelist` | statuses that are retried | list of 100 to 599 | `[429, 500, 502, 503, 504]` |
//! | `retry.retry_after_statuses` | retried as well if they say `Retry-After` | list of 100 to 599 | `[]` |
//! | `retry.backoff` | the wait before a retry, if the server does not say | table | `{}` |
//! | `retry.backoff.kind` | how it grows: doubling, not at all, no wait, or as in urllib3 | `"exponential"`, `"constant"`, `"none"`, `"urllib3"` | `"exponential"` |
//! | `retry.backoff.base` | the wait before the first retry; not for `none`, `urllib3` | time | `"100ms"` |
//! | `retry.backoff.factor` | `backoff_factor`, for `urllib3` only | seconds, from 0 | 1 |
//! | `retry.backoff.max` | the longest wait; `constant` has no limit unless set, `urllib3` 120 s; not for `none` | time | `"10s"` |
//! | `retry.backoff.jitter` | a wait is a part of itself by chance; or so much is added at the most. Unless set, not for `constant`, `urllib3` | `true`, `false`, time | `true` |
//! | `retry.respect_retry_after` | whether the server's wait replaces the backoff | `true`, `false` | `true` |
//! | `retry.retry_after_max` | the longest wait a server may ask for | time | `"20s"` |
//! | `retry.cap_retry_after` | if it asks for more: wait that long, rather than not to retry | `true`, `false` | `false` |
//! | `retry.retry_after_jitter` | add up to a tenth to it by chance | `true`, `false` | `true` |
//! | `retry.total_delay_max` | all waits of a call together | time, `"off"` | `"30s"` |
//! | `retry.retry_unlikely` | any method again if a response says, without proof, that nothing was processed | `true`, `false` | `false` |
//! | `retry.retry_rejected` | retry refusals of an open circuit or a limit | `true`, `false` | `false` |
//! | `retry.raise_on_status` | the last response becomes an error if it would be retried but for a limit | `true`, `false` | `false` |
//! | `retry.min_attempt` | an attempt that would have less time is not begun | time | `"0s"` |
//! | `retry.body_limit` | how much of a request's body is kept to send it again | bytes, up to 4 GiB | `65536` |
//! | `retry.drain_wait` | how long a response that is given up may take to be read | time | `"50ms"` |
//! | `retry.attempt_header` | request header with the number of the attempt, from the second on | name of a header, `"off"` | `"off"` |
//! | `retry.budget` | how many retries all calls of one host and port may have together | table, `"off"` | `{}` |
//! | `retry.budget.ratio` | such a part of the calls in 10 s | ratio | `0.2` |
//! | `retry.budget.min` | in 10 s, if that is more | whole number | `3` |
//! | `circuit_breaker` | [`CircuitBreakerLayer`](crate::CircuitBreakerLayer), one circuit for each host and port | table, `"off"` | `{}` |
//! | `circuit_breaker.failure_ratio` | opens if this part of the window failed; `"off"`: only failures in a row open it, so `consecutive_failures` has to be a number | ratio, `"off"` | `0.5` |
//! | `circuit_breaker.min_calls` | not if there are fewer calls in it | whole number | `20` |
//! | `circuit_breaker.window` | the time that is looked back on | time from 10 ms | `"10s"` |
//! | `circuit_breaker.consecutive_failures` | opens as well after so many in a row; alone, if `failure_ratio` is `"off"` | whole number from 1, `"off"` | `"off"` |
//! | `circuit_breaker.slow_call` | calls that take so long count as failures | time from 1 ms, `"off"` | `"off"` |
//! | `circuit_breaker.open_for` | how long it stays open the first time | time from 1 ms | `"2s"` |
//! | `circuit_breaker.open_max` | at the longest; not below `open_for` | time from 1 ms | `"5s"` |
//! | `circuit_breaker.retry_after_max` | how long a `Retry-After` may keep it open | time | `"30s"` |
//! | `circuit_breaker.probes` | calls that pass while it is half-open | whole number from 1 | `5` |
//! | `circuit_breaker.probe_lease` | how long each of them keeps its place | time from 10 ms | `"30s"` |
//! | `circuit_breaker.count_origin_errors` | whether 500 and the like count | `true`, `false` | `false` |
//! | `circuit_breaker.shadow` | counts and tells, never refuses | `true`, `false` | `false` |
//! | `in_flight` | [`InFlightLimitLayer`](crate::InFlightLimitLayer): calls under way for each host and port; `"adaptive"` or a table: as many as the upstream turns out to answer without a queue, see [`AdaptiveLimit`](crate::in_flight::AdaptiveLimit) | whole number from 1, `"adaptive"`, table, `"off"` | `"off"` |
//! | `in_flight.initial` | how many before anything is known | whole number from 1 | 100 |
//! | `in_flight.min` | the fewest; not above `in_flight.max` | whole number from 1 | 10 |
//! | `in_flight.max` | the most | whole number from 1 | 1,000 |
//! | `next_hop` | [`DeadlineHeaderLayer`](crate::DeadlineHeaderLayer): tells the next server how much of `timeouts.total` is left | table, `"off"` | `"off"` |
//! | `next_hop.header` | the header that says so; has to be given | `"grpc-timeout"`, `"x-envoy-expected-rq-timeout-ms"` | none |
//! | `next_hop.margin` | what is kept of it for the answer's way back | time | 50 ms |
//! | `bad_gateway` | [`BadGatewayClassifierLayer`](crate::BadGatewayClassifierLayer) | table, `"off"` | `{}` |
//! | `bad_gateway.peek` | how much of a failed response's body is looked at | bytes, up to 1 MiB | `4096` |
//! | `bad_gateway.peek_wait` | how long it is waited for | time | `"50ms"` |
//! | `logging` | [`LoggingLayer::client`](crate::LoggingLayer::client) | table, `"off"` | `{}` |
//! | `logging.success` | level of calls that succeed | level | `"debug"` |
//! | `logging.retried` | that succeed after more than one attempt | level | `"info"` |
//! | `logging.client_error` | of responses that find fault with the request | level | as `success` |
//! | `logging.failure` | of calls that fail | level | `"warn"` |
//! | `logging.refused` | that an open circuit or a limit refuses | level | `"debug"` |
//! | `logging.cancelled` | that the caller gives up | level | `"info"` |
//! | `logging.span` | of the span around a call | level | as `success` |
//! | `logging.sample` | the part of the successes that is written | ratio | `1.0` |
//! | `logging.curl` | at DEBUG, a command that repeats a failed request | `true`, `false` | `true` |
//! | `logging.redact` | further keys of a query that hold secrets | list of texts | `[]` |
//! | `logging.headers` | headers to be logged; never credentials | list of names of headers | `[]` |
//! | `logging.user_agent` | whether the user agent is logged | `true`, `false` | `false` |
//! | `logging.failed_body` | how much of a failed response's body is logged | bytes, up to 2 KiB | `0` |
//!
//! A level is `"trace"`, `"debug"`, `"info"`, `"warn"`, `"error"` or `"off"`. The log's targets and its format are the
//! program's.
//!
//! # What is refused
//!
//! A file that cannot be read or is not UTF-8; one of 1 MiB or more, of which no more is read; one without any key, since most
//! likely somebody is about to write it; what is not TOML; an unknown key; a value of another kind, without its unit, negative,
//! or outside of its range; two routes of the same prefix; an attempt that may take longer than the whole call, also if only
//! one of them stands in the file and the other is the default; `open_for` above `open_max`, if both are set; `in_flight.min`
//! above `max`, or an `initial` outside of them; trust in callers where there is no `timeouts.total` to bound what they say; a
//! `next_hop` without its header; a key of another kind of backoff. One line each:
//!
//! ```text
//! /etc/billing/policies.toml:7: route[0].retry.budget.ratio: invalid value: floating point `1.5`, expected a number from 0 to 1
//! /etc/billing/policies.toml:9: route[1].prefix: the same prefix as on line 3
//! /etc/billing/policies.toml:2: default.retry.totl: unknown field `totl`, expected one of `total`, `connect`, …
//! ```
//!
//! The first that is found is told. Routes are counted from 0.
//!
//! # When the configuration is replaced
//!
//! | what | then |
//! |---|---|
//! | a call under way, its retries, its body | end under the policy it began under |
//! | a call that begins | has the new policy: it is chosen when `call` is, not when the service was polled ready |
//! | a route whose `circuit_breaker` is the same as before | keeps its circuits, open ones too |
//! | a route whose `retry.budget` is the same | keeps its budgets, and what is left of them |
//! | a route whose `in_flight` is the same | keeps its counts, and what an adaptive limit has learned |
//! | a route of which one of them changed | begins that one anew |
//! | a route that is new | begins anew, also if its URLs had the policy of another one before; but for a budget that the program chose, which is one for all |
//! | a route that is gone | its history is forgotten once its last call has ended |
//!
//! "The same" means what the route has after it has inherited; how it was written does not matter, nor where in the file it stands.
//! Reading takes no lock, and none is held while anything of the program's runs.
//!
//! # The recipe of requests
//!
#![doc = concat!("```toml\n", include_str!("requests.toml"), "```")]
//!
//! # Other formats
//!
//! [`Config`] is `Deserialize`, for formats that describe themselves, such as JSON and YAML: the same keys, with what is wrong told in their way. As
//! part of a larger file it stands behind a key of that; a `Config` that stands nowhere in it is `Config::default()`, which
//! says nothing. The feature `config-schema` adds [`Config::json_schema`], for editors.
//!
//! # Order
//!
//! Where [`StandardLayer`](crate::StandardLayer) stands.

mod active;
mod apply;
mod document;
mod error;
mod handle;
mod layer;
mod load;
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

/// Policies by what a URL begins with: see the [module docs](self). The default one says nothing, so that all is as the program
/// has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    default: Policy,
    routes: Routes,
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: see [`ConfigError`]. So is a text without any key: most likely a file that somebody
    /// is about to write; and one of 1 MiB or more.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        load::text(text)
    }

    /// Reads a file in TOML, as [`from_toml`](Self::from_toml) does. Blocks; not more than 1 MiB is read.
    ///
    /// # Errors
    ///
    /// As [`from_toml`](Self::from_toml), and if the file cannot be read, or is not UTF-8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        load::file(path.as_ref())
    }

    /// The prefixes of the routes, in their order, as they are understood: scheme and host in lower case, without a port that
    /// is the scheme's own, and without a slash at the end.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = String> {
        self.routes.iter().map(|(prefix, _)| prefix.to_string())
    }

    /// The prefix of the route that a URL takes. `None`: it has the default policy.
    #[must_use]
    pub fn prefix_of(&self, uri: &Uri) -> Option<String> {
        let (prefix, _) = self.routes.iter().nth(self.routes.find(uri)?)?;
        Some(prefix.to_string())
    }

    /// The JSON schema of a file, for editors that know such: every key with what it does. It cannot say all that
    /// [`from_toml`](Self::from_toml) asks for, such as that an attempt may not take longer than the whole call.
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
