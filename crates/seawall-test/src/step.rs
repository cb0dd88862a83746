use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{
    InvalidScript,
    action::{Action, ErrorFn},
    response::ScriptedResponse,
};
use seawall_core::BoxError;

/// The reaction of an upstream to one request.
///
/// The upstream reads the whole request first, except with [`refuse`](Self::refuse). The settings
/// of a response have no effect on steps without a response.
///
/// ```
/// use std::time::Duration;
/// use seawall::test_util::Step;
///
/// let overloaded = Step::status(503).retry_after(Duration::from_secs(2)).body("busy");
/// let slow = Step::ok("hello").delay(Duration::from_secs(30));
/// # let _ = (overloaded, slow);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a step has no effect until a script contains it"]
pub struct Step {
    pub(crate) delay: Duration,
    pub(crate) action: Action,
    response: ScriptedResponse,
    invalid: Option<InvalidScript>,
}

impl Step {
    /// Responds with a status from 200 to 999 and an empty body.
    pub fn status(status: u16) -> Self {
        let mut step = Self::new(Action::Respond);
        match StatusCode::from_u16(status) {
            Ok(code) if status >= 200 => step.response.status = code,
            _ => step.invalid = Some(InvalidScript::Status(status)),
        }
        step
    }

    /// Responds with 200 and a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// Closes the connection without a response.
    ///
    /// In process, returns an [`io::Error`](std::io::Error) of kind `ConnectionAborted`, which is
    /// classified like the error of a client library.
    pub fn close() -> Self {
        Self::new(Action::Close)
    }

    /// Resets the connection (TCP RST).
    ///
    /// In process, returns an [`io::Error`](std::io::Error) of kind `ConnectionReset`.
    pub fn reset() -> Self {
        Self::new(Action::Reset)
    }

    /// Never responds. A connection stays open until the client closes it.
    pub fn silent() -> Self {
        Self::new(Action::Silent)
    }

    /// Responds with bytes that are not HTTP, and closes the connection.
    ///
    /// In process, returns an error whose source is a [`Failure`](seawall_core::Failure) with the
    /// cause `http_protocol_error`, because the errors of client libraries cannot be constructed.
    pub fn garbage() -> Self {
        Self::new(Action::Garbage)
    }

    /// Refuses the connection, so that nothing is received: returns an
    /// [`io::Error`](std::io::Error) of kind `ConnectionRefused`.
    ///
    /// Works in process only. On a socket, use
    /// [`FlakyUpstream::refuse`](crate::FlakyUpstream::refuse).
    pub fn refuse() -> Self {
        Self::new(Action::Refuse)
    }

    /// Fails with an error that `make` creates for each request.
    ///
    /// The error may be of your own client, or a [`Failure`](seawall_core::Failure), which is
    /// classified as itself. Works in process only.
    ///
    /// ```
    /// use seawall::{Cause, Failure, test_util::Step};
    ///
    /// let dns_error = Step::error(|| Failure::new(Cause::DnsError));
    /// let timeout = Step::error(|| std::io::Error::from(std::io::ErrorKind::TimedOut));
    /// # let _ = (dns_error, timeout);
    /// ```
    pub fn error<E: Into<BoxError>>(make: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self::new(Action::Error(ErrorFn::new(move || make().into())))
    }

    fn new(action: Action) -> Self {
        let response = ScriptedResponse::default();
        Self { delay: Duration::ZERO, action, response, invalid: None }
    }

    /// Sets the body of the response. Defaults to an empty body.
    ///
    /// A response to HEAD, or with the status 204 or 304, has no body (RFC 9110 §6.4.1).
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.response.body = body.into();
        self
    }

    /// Adds a header to the response. `connection: close` closes the connection.
    ///
    /// `content-length` and `transfer-encoding` make the script invalid, see
    /// [`InvalidScript::Framing`].
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        match (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_ref())) {
            (Ok(header::CONTENT_LENGTH | header::TRANSFER_ENCODING), _) => {
                self.invalid.get_or_insert(InvalidScript::Framing);
            }
            (Ok(name), Ok(value)) => {
                self.response.headers.append(name, value);
            }
            _ => {
                self.invalid.get_or_insert(InvalidScript::Header { name: name.to_owned() });
            }
        }
        self
    }

    /// Adds a `Retry-After` header, in whole seconds, rounded up (RFC 9110 §10.2.3).
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        self.header(header::RETRY_AFTER, seconds.to_string())
    }

    /// Sets the wait between the request and the response. Defaults to zero. [`Duration::MAX`]
    /// never ends.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the wait between the two halves of the body. Defaults to zero. With [`Duration::MAX`],
    /// the body stalls forever.
    pub fn body_delay(mut self, delay: Duration) -> Self {
        self.response.body_delay = delay;
        self
    }

    /// Truncates the body: announces one byte more than it sends.
    ///
    /// In process, the body fails with an [`io::Error`](std::io::Error) of kind `UnexpectedEof`.
    pub fn truncated(mut self) -> Self {
        self.response.truncated = true;
        self
    }

    pub(crate) const fn response(&self) -> &ScriptedResponse {
        &self.response
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidScript> {
        self.invalid.clone().map_or(Ok(()), Err)
    }
}
