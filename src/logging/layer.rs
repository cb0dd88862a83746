use std::{error::Error, sync::Arc};

use http::HeaderName;
use seawall_core::{classify::HttpClassifier, ratio::Ratio};
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
    /// Logs the requests that a client sends: success at DEBUG, failure at WARN, by whole URL.
    pub fn client() -> Self {
        Self::new(Role::Client, Level::Debug)
    }

    /// Logs the requests that a server answers: success at INFO, failure at WARN, by path.
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

    /// Looks into errors of a type of yours, if they are what the service fails with.
    ///
    /// Not needed for [`BoxError`](crate::BoxError), nor for the errors of the client libraries whose features are on.
    /// Any other error is logged by its text, and its cause is unknown.
    ///
    /// ```
    /// # use std::{error::Error, fmt};
    /// # #[derive(Debug)] struct MyError;
    /// # impl fmt::Display for MyError { fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }
    /// # impl Error for MyError {}
    /// let layer = seawall::LoggingLayer::client().error_fn(|error: &MyError| error as &dyn Error);
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

/// What is written, and at which level.
impl<C, V> LoggingLayer<C, V> {
    /// The level of requests that succeed. Default: INFO on a server, DEBUG on a client.
    pub fn success_level(self, level: Level) -> Self {
        self.set(|it| it.levels.success = level)
    }

    /// The level of requests that succeed after more than one attempt. Default: INFO.
    pub fn retried_level(self, level: Level) -> Self {
        self.set(|it| it.levels.retried = level)
    }

    /// The level of responses that find fault with the request: 4xx but 408 and 429. Default: as a success.
    pub fn client_error_level(self, level: Level) -> Self {
        self.set(|it| it.levels.client_error = Some(level))
    }

    /// The level of requests that fail. Default: WARN.
    pub fn failure_level(self, level: Level) -> Self {
        self.set(|it| it.levels.failure = level)
    }

    /// The level of requests that an open circuit or a limit of ours refuses. Default: DEBUG, since there may be
    /// thousands a second; the circuit's own line, at WARN, says at its end how many there were.
    pub fn rejected_level(self, level: Level) -> Self {
        self.set(|it| it.levels.rejected = level)
    }

    /// The level of requests that the caller gives up, before the response or in its body. Default: INFO.
    pub fn cancelled_level(self, level: Level) -> Self {
        self.set(|it| it.levels.cancelled = level)
    }

    /// Writes nothing of requests that succeed, with or without retries, find fault with the request, or are given up
    /// by the caller.
    pub fn only_failures(self) -> Self {
        self.success_level(Level::Off)
            .retried_level(Level::Off)
            .client_error_level(Level::Off)
            .cancelled_level(Level::Off)
    }

    /// Writes such a part of the successes, each chosen by chance. Default: all. Failures of any kind are always
    /// written.
    pub fn sample(self, part: Ratio) -> Self {
        self.set(|it| it.sample.part = part)
    }

    /// Chooses those in an order that `seed` decides, so that a test can repeat it. Default: another each time.
    pub fn sample_seed(self, seed: u64) -> Self {
        self.set(|it| it.sample.seed = seed)
    }

    /// Writes nothing, and makes no span, for requests of which `skip` says so: health checks, for example. Whether they
    /// fail is not known yet then.
    ///
    /// ```
    /// let layer = seawall::LoggingLayer::server().skip(|head| head.uri().path() == "/healthz");
    /// ```
    pub fn skip<F>(self, skip: F) -> Self
    where
        F: Fn(RequestHead<'_>) -> bool + Send + Sync + 'static,
    {
        self.set(|it| it.skip = Hook(Some(Arc::new(skip))))
    }

    /// The level of the span around each request, which has the method, the URL and the request id. Default: that of a
    /// success. [`Off`](Level::Off) makes none.
    pub fn span_level(self, level: Level) -> Self {
        self.set(|it| it.span = Some(level))
    }

    /// Makes spans as OpenTelemetry wants them, at INFO, for `tracing-opentelemetry` to export: with their name, kind and
    /// status, and all that is known of the request. Default: no, since they would be written in front of each line.
    pub fn otel_spans(self) -> Self {
        self.set(|it| it.traces = true).span_level(Level::Info)
    }

    /// Whether a failure is followed, at DEBUG and under the target `seawall::logging::curl`, by a command that sends
    /// the request again. Default: yes. While somebody listens to that, the headers of each request are copied.
    ///
    /// The body is not known: where the head says that there is one, and for POST, PUT and PATCH unless it says that there is none,
    /// the command sends what is in a file `body`, which is to be made first.
    pub fn log_curl(self, curl: bool) -> Self {
        self.set(|it| it.curl = curl)
    }
}

/// What a line holds.
impl<C, V> LoggingLayer<C, V> {
    /// The route that a request takes, such as `/orders/{id}`: `http.route`, and part of the span's name. There must be
    /// few of them.
    ///
    /// With axum, on the `Router` that has the routes:
    ///
    /// ```
    /// use axum::extract::MatchedPath;
    ///
    /// let layer = seawall::LoggingLayer::server()
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

    /// The scheme by which a server is reached, if a request does not say so: HTTP/1.1 never does. Default: `http`.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.set(|it| it.scheme = scheme)
    }

    /// Whether `user_agent.original` is logged. Default: no.
    pub fn log_user_agent(self, user_agent: bool) -> Self {
        self.set(|it| it.user_agent = user_agent)
    }

    /// Logs these headers of requests and responses, as `seawall.request.headers` and `seawall.response.headers`. Default:
    /// none. Their maps are then copied for each request. They are shown as they are: secrets of a query are not looked for
    /// in `Referer` or `Location`, for example.
    ///
    /// `Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`, `Api-Key`, `X-Auth-Token` and
    /// `X-Amz-Security-Token` are never logged, even if asked for, nor are values marked as sensitive: a log is kept for
    /// longer, and read by more people, than a credential should be.
    pub fn log_headers(self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let allowed = headers.into_iter().filter(|name| !CREDENTIALS.contains(name));
        self.set(|it| it.headers.extend(allowed))
    }

    /// Logs up to so many bytes of the body of a failed response, if it is text and not compressed, as far as the caller
    /// reads it. At most 2 KiB. Default: zero, none: who knows what stands in there.
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
