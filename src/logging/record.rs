use std::{
    mem,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header,
};
use tokio::time::Instant;
use tracing::Span;

use super::{
    Head,
    end::{End, Ending},
    left_behind::LeftBehind,
    line, opentelemetry,
    settings::{Settings, Side},
    span::Open,
    url::Url,
};
use crate::{classify::is_plain_text, failure::Failure, sharded::Sharded};

/// The longest of those that are in use, in bytes; a longer one is not held for nothing.
const LONGEST_METHOD: usize = 15;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of one request. Written once: when it is finished, or else when it is dropped.
///
/// Nothing in here is allocated for a request as long as it may turn out not to be logged, unless asked for. It is made
/// once and used for many, so [`begin`](Self::begin) sets, and [`clear`](Self::clear) lets go of, one thing after the
/// other: less is moved so than with a whole one.
#[derive(Debug)]
pub(super) struct Record {
    settings: Option<Sharded<Settings>>,
    pub(super) method: Method,
    url: Url,
    /// The request's; on a client the response's, once that is there.
    pub(super) version: Version,
    pub(super) started: Instant,
    pub(super) request_id: Option<HeaderValue>,
    /// On a server, whose requests name it nowhere else in HTTP/1.1.
    pub(super) host: Option<HeaderValue>,
    pub(super) status: Option<StatusCode>,
    pub(super) body_bytes: u64,
    /// The size of the content, where the head tells it: a reader need not ask for the end then, and hyper does not.
    /// [`u64::MAX`] where not.
    expected: u64,
    side: Side,
    /// Somebody wants to hear of a success.
    wanted: bool,
    /// There is more to be let go of than the settings.
    is_full: bool,
    /// What is inside has. Atomic only because a span of the same record is entered meanwhile.
    panicked: AtomicBool,
    pub(super) left_behind: LeftBehind,
    more: Option<Box<More>>,
}

/// What is known of few requests.
#[derive(Debug, Default)]
pub(super) struct More {
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) route: Option<String>,
    /// Which attempt it is, inside a retry.
    pub(super) attempt: Option<u32>,
    /// Only if some of them are asked for, as those of the response.
    pub(super) headers: Option<HeaderMap>,
    pub(super) span: Option<Open>,
    /// When the head of the response came, if that will be told.
    pub(super) after: Option<Duration>,
    pub(super) failure: Option<Failure>,
    /// Requests sent, the first included.
    pub(super) attempts: Option<u32>,
    pub(super) stop: Option<&'static str>,
    pub(super) note: Option<&'static str>,
    pub(super) response_headers: Option<HeaderMap>,
    /// What is kept of the body, if any is to be.
    pub(super) body: Option<Vec<u8>>,
}

impl Default for Record {
    /// One that waits for a request.
    fn default() -> Self {
        Self {
            settings: None,
            method: Method::GET,
            url: Url::default(),
            version: Version::HTTP_11,
            started: Instant::now(),
            request_id: None,
            host: None,
            status: None,
            body_bytes: 0,
            expected: u64::MAX,
            side: Side::Client,
            wanted: false,
            is_full: false,
            panicked: AtomicBool::new(false),
            left_behind: LeftBehind::default(),
            more: None,
        }
    }
}

impl Record {
    /// What there is of every request.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Slot::new`")]
    pub(super) fn begin(&mut self, settings: &Sharded<Settings>, head: Head<'_>, whole: bool) {
        self.settings = Some(settings.clone());
        let is_whole = whole || !self.url.keep(head.uri());
        if is_whole {
            self.url.keep_whole(head.uri());
        }
        self.is_full = is_whole;
        // Most often it is that of the one before.
        if self.method != *head.method() {
            self.keep_method(head.method());
        }
        self.version = head.version();
        self.started = Instant::now();
        self.status = None;
        self.body_bytes = 0;
        self.side = settings.side;
        self.wanted = settings.wants_success();
        *self.panicked.get_mut() = false;
        self.left_behind = LeftBehind::default();
        if !head.headers().is_empty() {
            self.read_headers(head.headers());
        }
        if !head.extensions().is_empty() {
            self.read_extensions(head.extensions());
        }
    }

    #[inline(never)]
    fn keep_method(&mut self, method: &Method) {
        self.method = method.clone();
        // A longer one is allocated.
        self.is_full |= method.as_str().len() > LONGEST_METHOD;
    }

    #[inline(never)]
    fn read_headers(&mut self, headers: &HeaderMap) {
        self.request_id = headers.get(&REQUEST_ID).cloned();
        if self.side == Side::Server {
            self.host = headers.get(header::HOST).cloned();
        }
        self.is_full |= self.request_id.is_some() || self.host.is_some();
    }

    #[inline(never)]
    fn read_extensions(&mut self, extensions: &Extensions) {
        if let Some(attempt) = attempt_of(extensions) {
            self.more_mut().attempt = Some(attempt);
            #[cfg(feature = "retry")]
            crate::attempts::hint_inside_retry();
        }
    }

    /// Does what others' code does, and remembers if that panics. If it does not, this costs nothing.
    #[inline]
    pub(super) fn watching<T>(&self, work: impl FnOnce() -> T) -> T {
        let working = Working(&self.panicked);
        let done = work();
        mem::forget(working);
        done
    }

    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::Relaxed)
    }

    /// What there is of some.
    pub(super) fn read(&mut self, head: Head<'_>) {
        let Some(settings) = self.settings.clone() else { return };
        if settings.user_agent
            && let Some(user_agent) = head.headers().get(header::USER_AGENT)
        {
            self.more_mut().user_agent = Some(user_agent.clone());
        }
        if !head.headers().is_empty() && (!settings.headers.is_empty() || line::repeats(&settings))
        {
            self.more_mut().headers = Some(head.headers().clone());
        }
        if let Some(route) = &settings.route.0
            && let Some(route) = route(head)
        {
            self.more_mut().route = Some(route);
        }
        if settings.span().is_heard()
            && let Some(span) = opentelemetry::span(self)
        {
            self.more_mut().span = Some(Open::new(span));
        }
    }

    /// Lets go of what would be held for nothing.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.settings = None;
        if self.is_full {
            self.clear_rest();
        }
    }

    #[inline(never)]
    pub(super) fn clear_rest(&mut self) {
        self.method = Method::GET;
        self.url.clear();
        self.request_id = None;
        self.host = None;
        self.more = None;
    }

    pub(super) fn settings(&self) -> &Settings {
        self.settings.as_deref().expect("has begun")
    }

    pub(super) fn uri(&self) -> &Uri {
        self.url.get()
    }

    #[inline]
    pub(super) fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    fn more_mut(&mut self) -> &mut More {
        self.is_full = true;
        self.more.get_or_insert_default()
    }

    #[inline]
    pub(super) fn span(&self) -> Option<&Span> {
        self.more()?.span.as_ref().map(Open::get)
    }

    /// Whether more of a response is kept than its head tells.
    #[inline]
    pub(super) fn wants_more(&self) -> bool {
        self.wanted || self.more.is_some()
    }

    /// The response's head has come.
    #[inline]
    pub(super) fn answered(&mut self, status: StatusCode, version: Version) {
        self.status = Some(status);
        if self.side == Side::Client {
            self.version = version;
        }
        // RFC 9110 §6.4.1.
        let has_none = self.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.expected = if has_none { 0 } else { u64::MAX };
    }

    /// What its headers tell of the content; and all that is kept of few responses.
    #[inline(never)]
    pub(super) fn read_head(
        &mut self,
        headers: &HeaderMap,
        extensions: &Extensions,
        failure: Option<Failure>,
        has_more: bool,
    ) {
        // Not of a response without content, whose length is that of another one's.
        if self.expected != 0
            && let Some(length) = content_length(headers)
        {
            self.expected = length;
        }
        if has_more {
            self.keep_head(headers, extensions, failure);
        }
    }

    fn keep_head(
        &mut self,
        headers: &HeaderMap,
        extensions: &Extensions,
        failure: Option<Failure>,
    ) {
        let Some(settings) = self.settings.clone() else { return };
        let after = self.started.elapsed();
        let more = self.more_mut();
        more.after = Some(after);
        more.failure = failure;
        (more.attempts, more.stop) = attempts_of(extensions);
        more.note = note_of(extensions);
        if !settings.headers.is_empty() {
            more.response_headers = Some(headers.clone());
        }
        if failure.is_some() {
            let keeps = settings.failed_body > 0 && is_plain_text(headers);
            more.body = keeps.then(Vec::new);
            // An upstream that numbers its answers itself.
            self.is_full = true;
            self.request_id = self.request_id.take().or_else(|| headers.get(&REQUEST_ID).cloned());
        }
    }

    /// It was dropped after so many attempts.
    pub(super) fn cut_short(&mut self, attempts: u32) {
        self.more_mut().attempts = Some(attempts);
    }

    /// Whether no more can come.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.body_bytes >= self.expected
    }

    /// Some of the body has come.
    #[inline]
    pub(super) fn data(&mut self, len: usize, first: &[u8]) {
        self.body_bytes += len as u64;
        if self.more.is_some() {
            self.keep_data(first);
        }
    }

    #[cold]
    fn keep_data(&mut self, first: &[u8]) {
        let failed_body = self.settings().failed_body;
        if let Some(kept) = self.more.as_mut().and_then(|more| more.body.as_mut()) {
            let left = failed_body.saturating_sub(kept.len());
            kept.extend_from_slice(&first[..left.min(first.len())]);
        }
    }

    /// Writes the line.
    #[inline]
    pub(super) fn finish(&mut self, end: End) {
        // Of a plain success nobody wants to hear.
        if end != End::Complete || self.wanted || self.more.is_some() {
            self.finish_at_length(end);
        }
    }

    #[inline(never)]
    fn finish_at_length(&mut self, end: End) {
        // Its URL may be parsed for that.
        self.is_full = true;
        let more = self.more();
        self.write(&Ending {
            end,
            failure: more.and_then(|it| it.failure),
            attempts: more.and_then(|it| it.attempts),
            stop: more.and_then(|it| it.stop),
            message: None,
        });
    }

    pub(super) fn write(&self, ending: &Ending<'_>) {
        line::write(self, ending);
        if let Some(span) = self.span() {
            opentelemetry::end(span, self, ending);
        }
    }
}

struct Working<'a>(&'a AtomicBool);

impl Drop for Working<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// RFC 9110 §8.6.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(feature = "retry")]
fn attempt_of(extensions: &Extensions) -> Option<u32> {
    extensions.get::<crate::attempts::Attempt>().map(|it| it.0.get())
}

#[cfg(not(feature = "retry"))]
fn attempt_of(_extensions: &Extensions) -> Option<u32> {
    None
}

#[cfg(feature = "retry")]
fn attempts_of(extensions: &Extensions) -> (Option<u32>, Option<&'static str>) {
    let attempts = extensions.get::<crate::attempts::Attempts>();
    let stop = attempts.and_then(crate::attempts::Attempts::stop);
    (attempts.map(|it| it.count().get()), stop.map(crate::attempts::Stop::as_str))
}

#[cfg(not(feature = "retry"))]
fn attempts_of(_extensions: &Extensions) -> (Option<u32>, Option<&'static str>) {
    (None, None)
}

#[cfg(feature = "bad-gateway")]
fn note_of(extensions: &Extensions) -> Option<&'static str> {
    let evidence = extensions.get::<crate::failure::evidence::Evidence>();
    evidence.map(crate::failure::evidence::Evidence::note)
}

#[cfg(not(feature = "bad-gateway"))]
fn note_of(_extensions: &Extensions) -> Option<&'static str> {
    None
}
