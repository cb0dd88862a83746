//! The error of a timeout or deadline.

use std::{error::Error, fmt, time::Duration};

use crate::failure::{Cause, Failure, Processed, Reporter};

/// The error of a call that exceeded a timeout or deadline.
///
/// Its `source()` is a [`Failure`], which every layer of this crate recognizes. The [`TimeoutKind`]
/// determines the cause of the failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
    kind: TimeoutKind,
}

macro_rules! timeout_kinds {
    ($($variant:ident = $token:literal, $cause:ident, $processed:ident, $doc:literal;)*) => {
        /// The event that did not occur in time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TimeoutKind {
            $(
                #[doc = $doc]
                #[doc = concat!(
                    "\n\nThe cause is [`", stringify!($cause), "`](Cause::", stringify!($cause),
                    "). Whether the request was processed: [`", stringify!($processed),
                    "`](Processed::", stringify!($processed), ").",
                )]
                $variant,
            )*
        }

        impl TimeoutKind {
            /// All kinds, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name used in logs and metrics, such as `response_head`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $token,)*
                }
            }

            fn failure(self) -> &'static Failure {
                match self {
                    $(Self::$variant => {
                        static FAILURE: Failure = Failure::new(Cause::$cause)
                            .with_reporter(Reporter::Local)
                            .with_processed(Processed::$processed);
                        &FAILURE
                    })*
                }
            }
        }
    };
}

timeout_kinds! {
    ResponseHead = "response_head", HttpResponseTimeout, Maybe,
        "The response of one call (for HTTP, its head). Set by `TimeoutLayer`.";
    // RFC 9209 §2.3.10: no data was received on a connection within a limit.
    FirstByte = "first_byte", ConnectionReadTimeout, Yes,
        "The first byte of a response body. Set by `CommitLayer`.";
    ResponseIdle = "response_idle", ConnectionReadTimeout, Yes,
        "The next frame of a response body. Set by `BodyTimeoutLayer`.";
    // RFC 9209 §2.3.26: the complete response was not received within a limit.
    ResponseTotal = "response_total", HttpResponseTimeout, Yes,
        "The end of a response body. Set by `BodyTimeoutLayer`.";
    // RFC 9110 §15.5.9: the server did not receive a complete request in time.
    RequestIdle = "request_idle", RequestTimeout, Maybe,
        "The next frame of a request body from the client. Set by `BodyTimeoutLayer`.";
    RequestTotal = "request_total", RequestTimeout, Maybe,
        "The end of a request body from the client. Set by `BodyTimeoutLayer`.";
    BeforeCall = "before_call", HttpResponseTimeout, No,
        "The call: the deadline passed before the call was made. Set by `DeadlineLayer`.";
    Deadline = "deadline", HttpResponseTimeout, Maybe,
        "The response head, before the deadline of the call. Set by `DeadlineLayer`.";
    DeadlineBody = "deadline_body", HttpResponseTimeout, Yes,
        "The end of the response body, before the deadline of the call. Set by `DeadlineLayer`.";
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Elapsed {
    /// Creates the error of an exceeded limit. See [`limit`](Self::limit).
    #[must_use]
    pub const fn new(limit: Duration, kind: TimeoutKind) -> Self {
        Self { limit, kind }
    }

    /// Returns the configured limit, not the measured time. For a deadline, it is the time from the
    /// call to the deadline.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the event that did not occur in time.
    #[must_use]
    pub const fn kind(&self) -> TimeoutKind {
        self.kind
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.kind {
            TimeoutKind::ResponseHead => write!(f, "no response within {limit:?}"),
            TimeoutKind::FirstByte => {
                write!(f, "no byte of the response body within {limit:?}")
            }
            TimeoutKind::ResponseIdle => {
                write!(f, "no more of the response body within {limit:?}")
            }
            TimeoutKind::ResponseTotal => {
                write!(f, "the response body was not complete within {limit:?}")
            }
            TimeoutKind::RequestIdle => write!(f, "no more of the request body within {limit:?}"),
            TimeoutKind::RequestTotal => {
                write!(f, "the request body was not complete within {limit:?}")
            }
            TimeoutKind::BeforeCall => f.write_str("the deadline had passed before the call"),
            TimeoutKind::Deadline => {
                write!(f, "no response by the deadline, {limit:?} after the call")
            }
            TimeoutKind::DeadlineBody => {
                write!(f, "the response was not complete by the deadline, {limit:?} after the call")
            }
        }
    }
}

impl Error for Elapsed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.kind.failure())
    }
}
