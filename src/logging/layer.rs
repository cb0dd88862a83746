use std::{error::Error, sync::Arc};

use http::HeaderName;
use seawall_core::{Ratio, classify::HttpClassifier};
use tower_layer::Layer;

use super::{
    Level, Logging, RequestHead,
    errors::{ErrorFn, KnownErrors},
    settings::{CREDENTIALS, Hook, Role, Settings},
};
use crate::sharded_arc::ShardedArc;

/// Applies [`Logging`]. See the [module docs](super) for what is logged and an example.
///
/// # Clone
///
/// Clones, and the services they make, share the order in which successes are [sampled](Self::sample).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct LoggingLayer<C = HttpClassifier, V = KnownErrors> {
    classifier: C,
    view: V,
    settings: ShardedArc<Settings>,
}

impl LoggingLayer {
    /// Logs a client's requests: success at DEBUG, failure at WARN, with the whole URL.
    pub fn client() -> Self {
        Self::new(Role::Client, Level::Debug)
    }

    /// Logs a server's requests: success at INFO, failure at WARN, with the path.
    pub fn server() -> Self {
        Self::new(Role::Server, Level::Info)
    }

    /// Logs nothing.
    pub fn disabled() -> Self {
        Self::client()
            .only_failures()
            .failure_level(Level::Off)
            .rejected_level(Level::Off)
            .span_level(Level::Off)
            .log_curl(false)
    }

    fn new(role: Role, success: Level) -> Self {
        let settings = ShardedArc::new(Settings::new(role, success));
        Self { classifier: HttpClassifier::new(), view: KnownErrors::default(), settings }
    }
}

/// What is a failure.
impl<C, V> LoggingLayer<C, V> {
    /// Decides by `classifier` what is a failure, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> LoggingLayer<C2, V> {
        LoggingLayer { classifier, view: self.view, settings: self.settings }
    }

    /// Converts errors of another type, so that their cause is logged.
    ///
    /// [`BoxError`](crate::BoxError) and the errors of client libraries whose features are enabled need no conversion. Any other
    /// error is logged by its text, with an unknown cause.
    ///
    /// ```
    /// # use std::{error::Error, fmt};
    /// # #[derive(Debug)] struct MyError;
    /// # impl fmt::Display for MyError { fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }
    /// # impl Error for MyError {}
    /// let layer = seawall::logging::LoggingLayer::client().error_fn(|error: &MyError| error as &dyn Error);
    /// ```
    pub fn error_fn<E, F>(self, view: F) -> LoggingLayer<C, ErrorFn<F>>
    where
        F: Fn(&E) -> &(dyn Error + 'static),
    {
        LoggingLayer { classifier: self.classifier, view: ErrorFn(view), settings: self.settings }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.settings.update(change);
        self
    }
}

/// Sets which events are emitted, and their level.
impl<C, V> LoggingLayer<C, V> {
    /// Sets the level of successful requests. Default: INFO on a server, DEBUG on a client.
    pub fn success_level(self, level: Level) -> Self {
        self.set(|it| it.levels.success = level)
    }

    /// Sets the level of requests that succeed after more than one attempt. Default: INFO.
    pub fn retried_level(self, level: Level) -> Self {
        self.set(|it| it.levels.retried = level)
    }

    /// Sets the level of client errors: 4xx but 408 and 429. Default: the level of a success.
    pub fn client_error_level(self, level: Level) -> Self {
        self.set(|it| it.levels.client_error = Some(level))
    }

    /// Sets the level of failed requests. Default: WARN.
    pub fn failure_level(self, level: Level) -> Self {
        self.set(|it| it.levels.failure = level)
    }

    /// Sets the level of requests that an open circuit or an in-flight limit rejects. Default: DEBUG, since there may be
    /// thousands a second. The circuit's own event, at WARN, has their number.
    pub fn rejected_level(self, level: Level) -> Self {
        self.set(|it| it.levels.rejected = level)
    }

    /// Sets the level of requests that the caller cancels, before the response or in its body. Default: INFO.
    pub fn cancelled_level(self, level: Level) -> Self {
        self.set(|it| it.levels.cancelled = level)
    }

    /// Logs neither successes, with or without retries, nor client errors, nor cancelled requests.
    pub fn only_failures(self) -> Self {
        self.success_level(Level::Off)
            .retried_level(Level::Off)
            .client_error_level(Level::Off)
            .cancelled_level(Level::Off)
    }

    /// Logs a random sample of the successes, of this ratio. Default: all. Failures are always logged.
    pub fn sample(self, part: Ratio) -> Self {
        self.set(|it| it.sample.part = part)
    }

    /// Sets the seed of [`sample`](Self::sample), so that a test is repeatable. Default: random.
    pub fn sample_seed(self, seed: u64) -> Self {
        self.set(|it| it.sample.seed = seed)
    }

    /// Skips the requests for which `skip` returns `true`, such as health checks: no event, no span, whatever the outcome.
    ///
    /// ```
    /// let layer = seawall::logging::LoggingLayer::server().skip(|head| head.uri().path() == "/healthz");
    /// ```
    pub fn skip<F>(self, skip: F) -> Self
    where
        F: Fn(RequestHead<'_>) -> bool + Send + Sync + 'static,
    {
        self.set(|it| it.skip = Hook(Some(Arc::new(skip))))
    }

    /// Sets the level of the span around each request, which has the method, the URL and the request id. Default: the level of
    /// a success. [`Off`](Level::Off) disables it.
    pub fn span_level(self, level: Level) -> Self {
        self.set(|it| it.span = Some(level))
    }

    /// Creates spans by OpenTelemetry's conventions, at INFO, for `tracing-opentelemetry`: with name, kind, status and all fields
    /// of the request. Default: off, since a formatter writes the fields in front of each line.
    pub fn otel_spans(self) -> Self {
        self.set(|it| it.otel_spans = true).span_level(Level::Info)
    }

    /// Emits a `curl` command after a failure, at DEBUG, with the target `seawall::logging::curl`. Default: `true`. While that
    /// target is enabled, the headers of each request are copied.
    ///
    /// The command reads the body from a file named `body`, if the head announces one, and for POST, PUT and PATCH unless the
    /// head excludes one.
    pub fn log_curl(self, curl: bool) -> Self {
        self.set(|it| it.curl = curl)
    }
}

/// Sets the fields of an event.
impl<C, V> LoggingLayer<C, V> {
    /// Sets the route of a request, such as `/orders/{id}`: the field `http.route`, and a part of the span's name. The number of
    /// routes must be small.
    ///
    /// With axum, on the `Router` that has the routes:
    ///
    /// ```
    /// use axum::extract::MatchedPath;
    ///
    /// let layer = seawall::logging::LoggingLayer::server()
    ///     .route_fn(|head| head.extensions().get().map(|it: &MatchedPath| it.as_str().to_owned()));
    /// ```
    pub fn route_fn<F>(self, route: F) -> Self
    where
        F: Fn(RequestHead<'_>) -> Option<String> + Send + Sync + 'static,
    {
        self.set(|it| it.route = Hook(Some(Arc::new(route))))
    }

    /// Takes the values of such keys of a query for secrets too.
    ///
    /// Known are those that OpenTelemetry names, and `token`, `key`, `password`, `secret`, `auth`, `session`, `sig` and the
    /// like. Of a key only ASCII letters and digits are compared, in upper or lower case; digits at its end count for nothing,
    /// and `user[token]` and `user.token` are a `token`. A word begins after any other character, after a digit, and at a change
    /// to upper case.
    ///
    /// | which | is a secret | and is not |
    /// |---|---|---|
    /// | names of five and more letters, and those added here | at the end: `refresh_token`, `csrftoken` | |
    /// | shorter ones, also of those added here | as the last word: `user_key`, `userKey` | `monkey`, `author` |
    /// | `password`, `passwd`, `passphrase`, `secret`, `token`, `credential` | also at the end of any word: `id_token_hint` | `max_tokens` |
    /// | `code`, `ticket` | alone | `zip_code` |
    /// | what is known of codes: `passcode`, and `auth_`, `mfa_`, `verification_code` and the like | at the end | `error_code` |
    ///
    /// So the values of `sort_key`, `primary_key` and `page_token` are not shown either: no name says that they are harmless.
    ///
    /// A key begins where the query does, and after `&`, `;`, `?`, `#` or `=`, percent-encoded or not, so that URLs within the
    /// URL are looked into. What is separated otherwise, such as by `,` or `|`, is not, nor is JSON.
    pub fn redact<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.set(|it| keys.into_iter().for_each(|key| it.secrets.add(key)))
    }

    /// Sets the scheme of a server's requests that have none, as in HTTP/1.1. Default: `http`.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.set(|it| it.scheme = scheme)
    }

    /// Logs `user_agent.original`. Default: `false`.
    pub fn log_user_agent(self, user_agent: bool) -> Self {
        self.set(|it| it.user_agent = user_agent)
    }

    /// Logs these headers of requests and responses, as `seawall.request.headers` and `seawall.response.headers`. Default: none.
    /// The headers of each request are then copied. Their values are not redacted: a secret in the query of `Referer` or
    /// `Location` is logged.
    ///
    /// `Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`, `Api-Key`, `X-Auth-Token` and
    /// `X-Amz-Security-Token` are never logged, nor are values marked as sensitive.
    pub fn log_headers(self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let allowed = headers.into_iter().filter(|name| !CREDENTIALS.contains(name));
        self.set(|it| it.headers.extend(allowed))
    }

    /// Sets the maximum number of bytes of a failed response's body that are logged, if it is uncompressed text, as far as the
    /// caller reads it. Maximum: 2 KiB. Default: zero, since a body may have secrets.
    pub fn max_failed_body_bytes(self, bytes: usize) -> Self {
        self.set(|it| it.max_failed_body_bytes = bytes.min(super::escape::MAX_LONG_CHARS))
    }
}

impl<S, C: Clone, V: Clone> Layer<S> for LoggingLayer<C, V> {
    type Service = Logging<S, C, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Logging {
            inner,
            classifier: self.classifier.clone(),
            view: self.view.clone(),
            min_level: self.settings.min_level(),
            settings: self.settings.clone(),
        }
    }
}
