use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use seawall_core::error::BoxError;

use super::{
    InvalidScript,
    action::{Action, MakeError},
    response::ScriptedResponse,
};

/// What an upstream does with one request. Unless a constructor says otherwise, it reads the whole request first.
///
/// Settings of a response have no effect on steps that send none.
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
#[must_use = "a step does nothing until a script has it"]
pub struct Step {
    pub(super) delay: Duration,
    pub(super) action: Action,
    response: ScriptedResponse,
    wrong: Option<InvalidScript>,
}

impl Step {
    /// Answers with this status, from 200 to 999, and an empty body.
    pub fn status(status: u16) -> Self {
        let mut step = Self::new(Action::Respond);
        match StatusCode::from_u16(status) {
            Ok(code) if status >= 200 => step.response.status = code,
            _ => step.wrong = Some(InvalidScript::Status(status)),
        }
        step
    }

    /// Answers 200 with this body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// Closes the connection without an answer. In process: an [`io::Error`](std::io::Error) of kind
    /// `ConnectionAborted`, which is taken for the same as what client libraries say of it.
    pub fn close() -> Self {
        Self::new(Action::Close)
    }

    /// Resets the connection (TCP's RST). In process: an [`io::Error`](std::io::Error) of kind `ConnectionReset`.
    pub fn reset() -> Self {
        Self::new(Action::Reset)
    }

    /// Never answers. A connection is kept until the client closes it.
    pub fn silent() -> Self {
        Self::new(Action::Silent)
    }

    /// Answers with what is not HTTP, and closes the connection. In process: an error whose source is a
    /// [`Failure`](crate::Failure) of cause `http_protocol_error`, since those of client libraries cannot be made.
    pub fn garbage() -> Self {
        Self::new(Action::Garbage)
    }

    /// Refuses the connection: nothing is received. In process only, where it is an [`io::Error`](std::io::Error) of
    /// kind `ConnectionRefused`; a socket is refused by [`FlakyUpstream::refuse`](super::FlakyUpstream::refuse).
    pub fn refuse() -> Self {
        Self::new(Action::Refuse)
    }

    /// Fails with an error that `make` makes for each request: one of your own client's, or a
    /// [`Failure`](crate::Failure), which says by itself what it is taken for. In process only.
    ///
    /// ```
    /// use seawall::{Cause, Failure, test_util::Step};
    ///
    /// let no_such_name = Step::error(|| Failure::new(Cause::DnsError));
    /// let too_slow = Step::error(|| std::io::Error::from(std::io::ErrorKind::TimedOut));
    /// # let _ = (no_such_name, too_slow);
    /// ```
    pub fn error<E: Into<BoxError>>(make: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self::new(Action::Error(MakeError::new(move || make().into())))
    }

    fn new(action: Action) -> Self {
        let response = ScriptedResponse::default();
        Self { delay: Duration::ZERO, action, response, wrong: None }
    }

    /// Sets the body of the response, its length being announced. Default: empty. No response to HEAD has one, nor one
    /// of status 204 or 304 (RFC 9110 §6.4.1).
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.response.body = body.into();
        self
    }

    /// Adds a header to the response. Any but `content-length` and `transfer-encoding`; `connection: close` is kept to.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        match (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_ref())) {
            (Ok(header::CONTENT_LENGTH | header::TRANSFER_ENCODING), _) => {
                self.wrong.get_or_insert(InvalidScript::Framing);
            }
            (Ok(name), Ok(value)) => {
                self.response.headers.append(name, value);
            }
            _ => {
                self.wrong.get_or_insert(InvalidScript::Header { name: name.to_owned() });
            }
        }
        self
    }

    /// Adds a `Retry-After` header, in whole seconds, rounded up (RFC 9110 §10.2.3).
    pub fn retry_after(self, after: Duration) -> Self {
        let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
        self.header(header::RETRY_AFTER, seconds.to_string())
    }

    /// Waits for so long, once the request is read, before it does anything. Default: zero. [`Duration::MAX`] never ends.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits for so long between the two halves of the body. Default: zero. [`Duration::MAX`] never ends: a body that
    /// stalls.
    pub fn body_delay(mut self, delay: Duration) -> Self {
        self.response.body_delay = delay;
        self
    }

    /// Announces a body that is one byte longer, and breaks off in its stead. In process: an error of the body, an
    /// [`io::Error`](std::io::Error) of kind `UnexpectedEof`.
    pub fn truncated(mut self) -> Self {
        self.response.truncated = true;
        self
    }

    pub(super) const fn response(&self) -> &ScriptedResponse {
        &self.response
    }

    pub(super) fn check(&self) -> Result<(), InvalidScript> {
        self.wrong.clone().map_or(Ok(()), Err)
    }
}
