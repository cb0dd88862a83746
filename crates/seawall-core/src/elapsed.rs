//! The error of a time limit.

use std::{error::Error, fmt, time::Duration};

use crate::failure::{Cause, Failure, Processed, Reporter};

/// The error of a call that exceeded a time limit.
///
/// Its `source()` is a [`Failure`], which every layer of this crate recognizes. The [`TimeoutKind`] determines its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
    kind: TimeoutKind,
}

macro_rules! timeout_kinds {
    ($($variant:ident = $token:literal, $cause:ident, $processed:ident, $doc:literal;)*) => {
        /// The event that did not come before a time limit passed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TimeoutKind {
            $(
                #[doc = $doc]
                #[doc = concat!(
                    "\n\nThe cause is [`", stringify!($cause), "`](Cause::", stringify!($cause), "), the request ",
                    "[`", stringify!($processed), "`](Processed::", stringify!($processed), ") processed.",
                )]
                $variant,
            )*
        }

        impl TimeoutKind {
            /// All kinds, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name used in logs and metrics: lower case, words joined by `_`.
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
        "The response of one call; of an HTTP service, its head. By `TimeoutLayer`.";
    // RFC 9209 §2.3.10: expected data on a connection, and received none within a limit.
    ResponseIdle = "response_idle", ConnectionReadTimeout, Yes,
        "The next frame of a response's body. By `BodyTimeoutLayer`.";
    // RFC 9209 §2.3.26: a limit of the time for the complete response.
    ResponseTotal = "response_total", HttpResponseTimeout, Yes,
        "The end of a response's body. By `BodyTimeoutLayer`.";
    // RFC 9110 §15.5.9: no complete request within the time that the server was prepared to wait.
    RequestIdle = "request_idle", RequestTimeout, Maybe,
        "The next frame of a request's body, from the client. By `BodyTimeoutLayer`.";
    RequestTotal = "request_total", RequestTimeout, Maybe,
        "The end of a request's body, from the client. By `BodyTimeoutLayer`.";
    BeforeCall = "before_call", HttpResponseTimeout, No,
        "Nothing: the deadline had passed, and the inner service was not called. By `DeadlineLayer`.";
    Deadline = "deadline", HttpResponseTimeout, Maybe,
        "The head of the response, by the deadline of the whole call. By `DeadlineLayer`.";
    DeadlineBody = "deadline_body", HttpResponseTimeout, Yes,
        "The end of the response's body, by the deadline of the whole call. By `DeadlineLayer`.";
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Elapsed {
    /// Creates the error of a limit as it was set.
    #[must_use]
    pub const fn new(limit: Duration, kind: TimeoutKind) -> Self {
        Self { limit, kind }
    }

    /// Returns the limit as it was set, not as measured. For a deadline it is the time from the call to it.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the event that did not come in time.
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
            TimeoutKind::ResponseIdle => {
                write!(f, "no more of the response's body within {limit:?}")
            }
            TimeoutKind::ResponseTotal => {
                write!(f, "the response's body was not complete within {limit:?}")
            }
            TimeoutKind::RequestIdle => write!(f, "no more of the request's body within {limit:?}"),
            TimeoutKind::RequestTotal => {
                write!(f, "the request's body was not complete within {limit:?}")
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
