//! Classifies an error by its chain of sources.
//!
//! Each client library has a file of its own here, and a row in [`INSPECTORS`]. Errors are recognized by their
//! types and predicates, never by their text.

mod context;
#[cfg(feature = "h2")]
mod h2;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "hyper-util")]
mod hyper_util;
mod io;
mod limits;
#[cfg(feature = "reqwest-0_13")]
mod reqwest;
mod retry;
#[cfg(feature = "rustls-0_23")]
mod rustls;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "tonic-0_14")]
mod tonic;
#[cfg(feature = "tower-0_5")]
mod tower;

use std::{error::Error, ops::ControlFlow};

use self::context::ErrorContext;
use crate::{
    error::chain,
    failure::{Cause, Detail, Failure, Processed, Reporter},
};

/// Adds the findings of one error to the context. Breaks if the errors further in are not about this call, such as those of
/// the caller's own request body.
type Inspect = fn(&mut ErrorContext, &(dyn Error + 'static)) -> ControlFlow<()>;

/// At most one of them recognizes an error, since each looks for other types.
const INSPECTORS: &[Inspect] = &[
    io::inspect,
    limits::inspect,
    retry::inspect,
    #[cfg(feature = "h2")]
    h2::inspect,
    #[cfg(feature = "hyper")]
    hyper::inspect,
    #[cfg(feature = "hyper-util")]
    hyper_util::inspect,
    #[cfg(feature = "reqwest-0_13")]
    reqwest::inspect,
    #[cfg(feature = "rustls-0_23")]
    rustls::inspect,
    #[cfg(feature = "tokio")]
    tokio::inspect,
    #[cfg(feature = "tonic-0_14")]
    tonic::inspect,
    #[cfg(feature = "tower-0_5")]
    tower::inspect,
];

/// Classifies an error by its chain of sources: for services that are not HTTP, and for classifiers of your own.
///
/// A [`Failure`] in the chain takes precedence: all errors of seawall have one, yours may. The failure of a layer around a connector
/// is about connecting: a timeout is a connect timeout, and the request was not sent. Otherwise the known
/// errors of the chain are inspected from the outside in, and the cause of the innermost one counts: [`std::io::Error`],
/// `tokio::time::error::Elapsed`, and, with the features of the same name, the errors of `hyper`, `hyper-util`'s
/// legacy client, `http-body-util`, `h2`, `reqwest`, `rustls`, `tonic`, `tower` and `tower-http`.
///
/// An error of the kernel about a resource, such as file descriptors or local ports, is a failure of this process.
///
/// The reporter is [`Local`](Reporter::Local). [`Processed::No`] is returned only for
/// - any failure while connecting, as hyper-util's and reqwest's `is_connect()` and tonic's `ConnectError` report it;
/// - an I/O error of kind `ConnectionRefused` that no client library places after connecting: TCP has no such error on
///   an established connection;
/// - `hyper::Error::is_canceled()`, unless it is about an upgrade: the request was never written;
/// - a rejection by tower's `load_shed`, `buffer` or `balance`: the inner service was not called;
/// - HTTP/2 `REFUSED_STREAM` (RFC 9113 §8.7), and a graceful `GOAWAY` for a stream above its last one (§6.8), both only if
///   the upstream sent them.
///
/// Inside a `RetriesExhausted` the failure is of the whole call: if an earlier attempt may have been processed, it is
/// [`Maybe`](Processed::Maybe) processed, whatever the last attempt proves.
///
/// After a redirect nothing is proven, since an earlier server has responded. An error of `seawall::reqwest::Client` reports
/// whether a redirect is possible. A bare `reqwest::Error` does not, so a redirect is assumed. Layers that follow redirects belong
/// outside of `RetryLayer`, where each hop is a request of its own.
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
    let mut context = ErrorContext::new();
    for error in chain(error) {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return context.adopt(*failure);
        }
        if INSPECTORS.iter().try_for_each(|inspect| inspect(&mut context, error)).is_break() {
            break;
        }
    }
    context.conclude()
}

/// Classifies an error in the middle of a response's body.
///
/// Differs from [`classify_error`] in two points, since the head was received: the request was processed, and a closed connection is
/// an incomplete response.
#[must_use]
pub fn classify_body_error(error: &(dyn Error + 'static)) -> Failure {
    let failure = classify_error(error).with_processed(Processed::Yes);
    match failure.cause() {
        // The limit of the layer that reads the body of the response.
        Cause::HttpRequestError if failure.detail() == Some(Detail::RequestTooLarge) => {
            Failure::new(Cause::HttpResponseBodySize)
                .with_reporter(Reporter::Local)
                .with_processed(Processed::Yes)
        }
        Cause::ConnectionTerminated | Cause::ConnectionRefused | Cause::Unknown => {
            Failure::new(Cause::HttpResponseIncomplete)
                .with_reporter(Reporter::Local)
                .with_processed(Processed::Yes)
                .with_detail(failure.detail())
        }
        _ => failure,
    }
}
