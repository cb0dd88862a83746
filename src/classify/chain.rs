use std::error::Error;

use super::io;
use crate::{Cause, Failure, Processed, Reporter, error::chain};

/// What the errors of a chain have told so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Findings {
    pub(super) phase: Phase,
    /// The most specific so far: an inner error overrides an outer one.
    pub(super) cause: Option<Cause>,
    /// The request was provably not processed, whatever the cause turns out to be.
    pub(super) unprocessed: bool,
    /// Nothing of the request was written, though there was a connection.
    pub(super) never_written: bool,
    /// The request may have been answered before, by a redirect: then nothing proves that it was not processed.
    pub(super) may_be_redirected: Option<bool>,
    pub(super) connection: Connection,
    /// An earlier attempt may have been processed, so what the last one proves is no proof.
    pub(super) may_be_processed: bool,
}

/// What is known of the connection that a call had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "told by client libraries, each behind its feature")]
pub(super) enum Connection {
    /// Nobody said.
    Unknown,
    /// It was used for the first time, as far as is known.
    Fresh,
    /// It was used before.
    Used,
    /// It was used before, and closed without a byte of an answer.
    Stale,
}

/// How far a call had come when it failed. It decides whether an I/O error proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "told by client libraries, each behind its feature")]
pub(super) enum Phase {
    /// Nobody said.
    Unknown,
    /// While connecting (name lookup, TCP, TLS, a proxy's tunnel): no byte of the request was sent.
    Connect,
    /// After that: the request may have been written.
    Exchange,
}

/// Whether the walk along a chain goes on.
#[allow(dead_code, reason = "told by client libraries, each behind its feature")]
pub(super) enum Step {
    Continue,
    /// What lies further in belongs to somebody else, such as the error of the caller's own request body.
    Stop,
}

/// Classifies an error by itself and its chain of sources: for services that are not HTTP, and for classifiers of
/// your own.
///
/// A [`Failure`] in the chain is taken as it is: all errors of this crate have one, yours may. One that comes from a layer
/// around a connector is about connecting: a timeout is a connect timeout, and the request was not sent. Otherwise the types
/// that are known are asked, from the outside in, the innermost having the last word on the cause: [`std::io::Error`],
/// `tokio::time::error::Elapsed`, and, with the features of the same name, the errors of `hyper`, `hyper-util`'s
/// legacy client, `h2`, `reqwest`, `rustls` and `tonic`.
///
/// The reporter is [`Local`](Reporter::Local). [`Processed::No`] comes out only for
/// - any failure while connecting, as hyper-util's and reqwest's `is_connect()` and tonic's `ConnectError` tell it;
/// - an I/O error of kind `ConnectionRefused` that no client library places after connecting: TCP has no such error on
///   an established connection;
/// - `hyper::Error::is_canceled()`, unless it is about an upgrade: the request was never written;
/// - HTTP/2 `REFUSED_STREAM` (RFC 9113 §8.7), and a graceful `GOAWAY` for a stream above its last one (§6.8).
///
/// Inside a `GaveUp` the whole call is meant: if an earlier attempt may have been processed, the failure says
/// [`Maybe`](Processed::Maybe), whatever the last attempt proves of itself.
///
/// After a redirect nothing is proven, since an earlier server has answered. An error of `seawall::reqwest::Client` says
/// whether there may have been one; a bare `reqwest::Error` does not, so there it counts as one. Layers that follow
/// redirects belong outside of `RetryLayer`, where each hop is a request of its own.
///
/// ```
/// use std::io;
/// use seawall::{Cause, Processed, classify::classify_error};
///
/// let failure = classify_error(&io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!((failure.cause(), failure.processed()), (Cause::ConnectionRefused, Processed::No));
/// ```
#[must_use]
pub fn classify_error(error: &(dyn Error + 'static)) -> Failure {
    let mut findings = Findings {
        phase: Phase::Unknown,
        cause: None,
        unprocessed: false,
        never_written: false,
        may_be_redirected: None,
        connection: Connection::Unknown,
        may_be_processed: false,
    };
    for error in chain(error) {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return findings.after_all_attempts(findings.while_connecting(*failure));
        }
        if let Step::Stop = findings.look_at(error) {
            break;
        }
    }
    let unprocessed = findings.unprocessed || findings.phase == Phase::Connect;
    let unprocessed = unprocessed && !findings.is_redirected();
    let cause = match findings.cause {
        Some(cause) => cause,
        None if findings.phase == Phase::Connect => Cause::DestinationUnavailable,
        None => Cause::Unknown,
    };
    // A client library that knows its connections says whether this one was fresh. One that is closed as soon as it is
    // made is an upstream that is down, and not a connection that was idle for too long.
    let never_written = findings.never_written && findings.connection != Connection::Fresh;
    let is_stale = findings.connection == Connection::Stale;
    let failure = Failure::new(cause)
        .with_reporter(Reporter::Local)
        .with_never_written(never_written && unprocessed)
        .with_stale_connection(is_stale && cause == Cause::ConnectionTerminated)
        .with_processed(if unprocessed { Processed::No } else { Processed::Maybe });
    findings.after_all_attempts(failure)
}

/// Classifies an error that came in the middle of a response's body: as [`classify_error`] does, but the head has
/// arrived, so the request was processed, and a connection that ends means a response that is incomplete.
#[must_use]
pub fn classify_body_error(error: &(dyn Error + 'static)) -> Failure {
    let failure = classify_error(error).with_processed(Processed::Yes);
    match failure.cause() {
        Cause::ConnectionTerminated | Cause::ConnectionRefused | Cause::Unknown => {
            Failure::new(Cause::HttpResponseIncomplete)
                .with_reporter(Reporter::Local)
                .with_processed(Processed::Yes)
        }
        _ => failure,
    }
}

impl Findings {
    fn is_redirected(self) -> bool {
        self.may_be_redirected == Some(true)
    }

    /// A layer around a connector speaks of connecting, and knows no more of what is sent after that than the client does.
    fn while_connecting(self, failure: Failure) -> Failure {
        if self.phase != Phase::Connect {
            return failure;
        }
        let failure = match failure.cause() {
            Cause::HttpResponseTimeout => {
                Failure::new(Cause::ConnectionTimeout).with_reporter(failure.reporter())
            }
            _ => failure,
        };
        failure.with_processed(if self.is_redirected() { Processed::Maybe } else { Processed::No })
    }

    fn after_all_attempts(self, failure: Failure) -> Failure {
        match failure.processed() {
            Processed::No | Processed::Unlikely if self.may_be_processed => {
                failure.with_processed(Processed::Maybe).with_never_written(false)
            }
            _ => failure,
        }
    }

    fn look_at(&mut self, error: &(dyn Error + 'static)) -> Step {
        #[cfg(feature = "retry")]
        if let Some(gave_up) = error.downcast_ref::<crate::attempts::GaveUp>() {
            self.may_be_processed |= gave_up.may_be_processed();
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            io::look_at(self, error);
        }
        #[cfg(any(feature = "retry", feature = "timeout", feature = "logging"))]
        if error.is::<tokio::time::error::Elapsed>() {
            self.cause = Some(io::timed_out(self.phase));
        }
        #[cfg(feature = "rustls-0_23")]
        if let Some(error) = error.downcast_ref() {
            super::tls::look_at(self, error);
        }
        #[cfg(any(feature = "hyper", feature = "h2"))]
        if let Step::Stop = super::clients::look_at(self, error) {
            return Step::Stop;
        }
        Step::Continue
    }
}
