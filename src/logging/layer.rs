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

/// A layer that logs each request with [`Logging`].
///
/// See the [module docs](super) for the events, the fields and an example.
///
/// # Clone
///
/// Clones of a layer, and the services they make, share one sequence of random numbers for
/// [`sample`](Self::sample).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct LoggingLayer<C = HttpClassifier, V = KnownErrors> {
    classifier: C,
    error_view: V,
    settings: ShardedArc<Settings>,
}

impl LoggingLayer {
    /// Creates a layer for a client. Logs successes at DEBUG and failures at WARN, with the full
    /// URL.
    pub fn client() -> Self {
        Self::new(Role::Client, Level::Debug)
    }

    /// Creates a layer for a server. Logs successes at INFO and failures at WARN, with the path.
    pub fn server() -> Self {
        Self::new(Role::Server, Level::Info)
    }

    /// Creates a layer that logs nothing and creates no spans.
    pub fn disabled() -> Self {
        Self::client()
            .only_failures()
            .failure_level(Level::Off)
            .rejected_level(Level::Off)
            .span_level(Level::Off)
            .log_curl(false)
    }

    fn new(role: Role, success_level: Level) -> Self {
        let settings = ShardedArc::new(Settings::new(role, success_level));
        Self { classifier: HttpClassifier::new(), error_view: KnownErrors::default(), settings }
    }
}

/// Sets which results are failures.
impl<C, V> LoggingLayer<C, V> {
    /// Sets the classifier that decides which results are failures. Default: [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> LoggingLayer<C2, V> {
        LoggingLayer { classifier, error_view: self.error_view, settings: self.settings }
    }

    /// Sets the conversion of the inner service's error type to [`Error`], so that its cause is
    /// logged.
    ///
    /// [`BoxError`](crate::BoxError) and the errors of client libraries whose features are enabled
    /// need no conversion. Any other error is logged with its text and an unknown cause.
    ///
    /// ```
    /// # use std::{error::Error, fmt};
    /// # #[derive(Debug)] struct MyError;
    /// # impl fmt::Display for MyError {
    /// #     fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) }
    /// # }
    /// # impl Error for MyError {}
    /// use seawall::logging::LoggingLayer;
    ///
    /// let layer = LoggingLayer::client().error_fn(|error: &MyError| error as &dyn Error);
    /// ```
    pub fn error_fn<E, F>(self, convert: F) -> LoggingLayer<C, ErrorFn<F>>
    where
        F: Fn(&E) -> &(dyn Error + 'static),
    {
        LoggingLayer {
            classifier: self.classifier,
            error_view: ErrorFn(convert),
            settings: self.settings,
        }
    }

    fn set(mut self, update: impl FnOnce(&mut Settings)) -> Self {
        self.settings.update(update);
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

    /// Sets the level of client errors: every 4xx except 408 and 429. Default: the level of a
    /// success.
    pub fn client_error_level(self, level: Level) -> Self {
        self.set(|it| it.levels.client_error = Some(level))
    }

    /// Sets the level of failed requests. Default: WARN.
    pub fn failure_level(self, level: Level) -> Self {
        self.set(|it| it.levels.failure = level)
    }

    /// Sets the level of requests that an open circuit or a limit of this process rejects. Default:
    /// DEBUG.
    ///
    /// There may be thousands of them per second. An event at WARN, at most once per minute, has
    /// their number.
    pub fn rejected_level(self, level: Level) -> Self {
        self.set(|it| it.levels.rejected = level)
    }

    /// Sets the level of requests that the caller cancels, before the response or during its body.
    /// Default: INFO.
    pub fn cancelled_level(self, level: Level) -> Self {
        self.set(|it| it.levels.cancelled = level)
    }

    /// Disables the events of successes, with or without retries, of client errors and of cancelled
    /// requests.
    pub fn only_failures(self) -> Self {
        self.success_level(Level::Off)
            .retried_level(Level::Off)
            .client_error_level(Level::Off)
            .cancelled_level(Level::Off)
    }

    /// Sets the ratio of successes that are logged, chosen at random. Default: all.
    ///
    /// Failures are always logged.
    pub fn sample(self, ratio: Ratio) -> Self {
        self.set(|it| it.sampler.ratio = ratio)
    }

    /// Sets the seed of [`sample`](Self::sample), for reproducible tests. Default: random.
    pub fn sample_seed(self, seed: u64) -> Self {
        self.set(|it| it.sampler.seed = seed)
    }

    /// Skips the requests for which `skip` returns `true`, such as health checks.
    ///
    /// A skipped request has neither an event nor a span, even if it fails.
    ///
    /// ```
    /// use seawall::logging::LoggingLayer;
    ///
    /// let layer = LoggingLayer::server().skip(|head| head.uri().path() == "/healthz");
    /// ```
    pub fn skip<F>(self, skip: F) -> Self
    where
        F: Fn(RequestHead<'_>) -> bool + Send + Sync + 'static,
    {
        self.set(|it| it.skip = Hook(Some(Arc::new(skip))))
    }

    /// Sets the level of the span around each request. Default: the level of a success.
    ///
    /// The span has the method, the URL and the request id. [`Off`](Level::Off) disables it.
    pub fn span_level(self, level: Level) -> Self {
        self.set(|it| it.span_level = Some(level))
    }

    /// Enables spans that follow OpenTelemetry's conventions, at INFO, for `tracing-opentelemetry`.
    /// Default: disabled.
    ///
    /// The spans have name, kind, status and all fields of the request. A formatter writes these
    /// fields before each event inside the span.
    pub fn otel_spans(self) -> Self {
        self.set(|it| it.otel_spans = true).span_level(Level::Info)
    }

    /// Sets whether a failure is followed by a `curl` command, at DEBUG, with the target
    /// `seawall::logging::curl`. Default: `true`.
    ///
    /// While that target is enabled, the headers of each request are copied.
    ///
    /// The command sends a file named `body` if the request's headers announce content. For POST,
    /// PUT and PATCH it does so unless `Content-Length` is 0.
    pub fn log_curl(self, curl: bool) -> Self {
        self.set(|it| it.curl = curl)
    }
}

/// Sets the fields of an event.
impl<C, V> LoggingLayer<C, V> {
    /// Sets a closure that returns the route of a request, such as `/orders/{id}`. Default: none.
    ///
    /// The route is the field `http.route` and a part of the span's name. The number of different
    /// routes must be small.
    ///
    /// With axum, add the layer to the `Router` that has the routes:
    ///
    /// ```
    /// use axum::extract::MatchedPath;
    /// use seawall::logging::LoggingLayer;
    ///
    /// let layer = LoggingLayer::server().route_fn(|head| {
    ///     Some(head.extensions().get::<MatchedPath>()?.as_str().to_owned())
    /// });
    /// ```
    pub fn route_fn<F>(self, route: F) -> Self
    where
        F: Fn(RequestHead<'_>) -> Option<String> + Send + Sync + 'static,
    {
        self.set(|it| it.route = Hook(Some(Arc::new(route))))
    }

    /// Adds keys whose values are redacted in queries, in parameters of paths such as
    /// `;jsessionid=…`, and in texts.
    ///
    /// Only ASCII letters and digits of a key are compared, ignoring case and trailing digits.
    /// `user[token]` and `user.token` match `token`. A word starts after any other character, after
    /// a digit, and at a change to upper case.
    ///
    /// | known key | matches | does not match |
    /// |---|---|---|
    /// | five or more letters, including keys added here | at the end: `refresh_token`, `csrftoken` | |
    /// | fewer letters, including keys added here | as the last word: `user_key`, `userKey` | `monkey`, `author` |
    /// | `password`, `passwd`, `passphrase`, `secret`, `token`, `credential`, `credentials` | also at the end of any word: `id_token_hint` | `max_tokens` |
    /// | `code`, `ticket`, `state`, `nonce`, `policy` | as the entire key | `zip_code` |
    ///
    /// The values of `sort_key`, `primary_key` and `page_token` are therefore redacted too, because
    /// nothing in these names shows that they are harmless.
    ///
    /// These keys are always known:
    ///
    /// - OpenTelemetry's list: `awsaccesskeyid`, `signature`, `sig`, `xgoogsignature`,
    ///   `xamzcredential`, `xamzsecuritytoken`, `xamzsignature`
    /// - `token`, `key`, `apikey`, `accesskey`, `secretkey`, `privatekey`
    /// - `password`, `passwd`, `pass`, `pwd`, `passphrase`, `passcode`, `pincode`, `pin`, `secret`
    /// - `auth`, `authorization`, `credential`, `credentials`, `assertion`, `bearer`, `jwt`,
    ///   `hmac`, `verifier`, `samlrequest`, `samlresponse`, `relaystate`
    /// - `session`, `sessionid`, `sessid`, `sid`, `cookie`, `csrf`, `xsrf`
    /// - `otp`, `totp`, `hotp`, `accesscode`, `authcode`, `authorizationcode`, `devicecode`,
    ///   `mfacode`, `otpcode`, `recoverycode`, `securitycode`, `smscode`, `verificationcode`
    /// - Akamai's `hdnea`, `hdnts`, `hdntl`
    /// - `cvv`, `cvc`, `iban`, `ssn`
    /// - `code`, `ticket`, `state`, `nonce`, `policy`
    ///
    /// A key starts at the start of the query and after `&`, `;`, `?`, `#` or `=`, percent-encoded
    /// or not. URLs inside the URL are therefore redacted too. Lists with other separators, such as
    /// `,` or `|`, and JSON are not parsed.
    pub fn redact<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.set(|it| keys.into_iter().for_each(|key| it.redaction.add_key(key)))
    }

    /// Adds paths with a segment that is redacted, such as `/v3/{key}`.
    ///
    /// In a segment, `*` matches any text, and a name in braces matches the secret: the rest of the
    /// segment, at least one character. A template matches at any segment of a path, and more
    /// segments may follow. A template without braces has no effect.
    ///
    /// ```
    /// use seawall::logging::LoggingLayer;
    ///
    /// let layer = LoggingLayer::client().redact_paths(["/v3/{key}", "/invite/*/{token}"]);
    /// # let _ = layer;
    /// ```
    ///
    /// These are always redacted:
    ///
    /// - Telegram: `/bot*:{token}`, also with `%3A` or `%3a` as its colon
    /// - Slack: `/services/T*/B*/{token}`, `/triggers/T*/*/{token}`, `/workflows/T*/*/*/{token}`
    /// - Discord: `/api/webhooks/*/{token}`, `/api/v*/webhooks/*/{token}`
    /// - Microsoft Teams: `/IncomingWebhook/{token}`, `/IncomingWebhook/*/{token}`
    pub fn redact_paths<'a>(self, templates: impl IntoIterator<Item = &'a str>) -> Self {
        self.set(|it| templates.into_iter().for_each(|path| it.redaction.add_path(path)))
    }

    /// Sets the scheme of a server's requests without one, as in HTTP/1.1. Default: `http`.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.set(|it| it.scheme = scheme)
    }

    /// Sets whether `user_agent.original` is logged. Default: `false`.
    pub fn log_user_agent(self, user_agent: bool) -> Self {
        self.set(|it| it.user_agent = user_agent)
    }

    /// Adds headers that are logged, as `seawall.request.headers` and `seawall.response.headers`.
    /// Default: none.
    ///
    /// If any are added, the headers of each request are copied. The users, passwords and queries
    /// of URLs in their values are redacted.
    ///
    /// `Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`, `Api-Key`,
    /// `X-Auth-Token` and `X-Amz-Security-Token` are never logged, nor are values marked as
    /// sensitive.
    pub fn log_headers(self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let allowed = headers.into_iter().filter(|name| !CREDENTIALS.contains(name));
        self.set(|it| it.headers.extend(allowed))
    }

    /// Sets the maximum number of bytes of a failed response's body that are logged. Default: 0.
    /// Maximum: 2,048.
    ///
    /// Only uncompressed text is logged, and only the part that the caller reads. URLs in it are
    /// redacted. A body may contain other secrets.
    pub fn max_failed_body_bytes(self, bytes: usize) -> Self {
        self.set(|it| it.max_failed_body_bytes = bytes.min(crate::escape::MAX_LONG_CHARS))
    }
}

impl<S, C: Clone, V: Clone> Layer<S> for LoggingLayer<C, V> {
    type Service = Logging<S, C, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Logging {
            inner,
            classifier: self.classifier.clone(),
            error_view: self.error_view.clone(),
            min_level: self.settings.min_level(),
            settings: self.settings.clone(),
        }
    }
}
