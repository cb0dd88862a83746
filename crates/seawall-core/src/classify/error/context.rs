use crate::failure::{Cause, Failure, Processed, Reporter};

/// The findings of a walk along a chain of errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrorContext {
    pub(super) phase: RequestPhase,
    /// The most specific cause so far: an inner error overrides an outer one.
    pub(super) cause: Option<Cause>,
    /// The request was provably not processed, whatever the cause turns out to be.
    pub(super) unprocessed: bool,
    /// Nothing of the request was written, though there was a connection.
    pub(super) never_written: bool,
    /// An earlier server may have answered with a redirect. Then nothing proves that the request was not processed.
    pub(super) may_be_redirected: Option<bool>,
    pub(super) connection: ConnectionReuse,
    /// An earlier attempt may have been processed, whatever the last one proves.
    pub(super) may_be_processed: bool,
}

/// Whether the connection of the call was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionReuse {
    Unknown,
    /// It was used for the first time, unless proven otherwise.
    Fresh,
    /// It was used before.
    Reused,
    /// It was used before, and closed without a byte of a response.
    Stale,
}

/// How far a call had come when it failed. It decides whether an I/O error proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestPhase {
    Unknown,
    /// While connecting (name lookup, TCP, TLS, a proxy's tunnel): no byte of the request was sent.
    Connect,
    /// After that: the request may have been written.
    Exchange,
}

impl RequestPhase {
    /// Returns the cause of a timeout in this phase.
    pub(super) const fn timeout(self) -> Cause {
        match self {
            Self::Connect => Cause::ConnectionTimeout,
            Self::Unknown | Self::Exchange => Cause::HttpResponseTimeout,
        }
    }
}

impl ErrorContext {
    pub(super) const fn new() -> Self {
        Self {
            phase: RequestPhase::Unknown,
            cause: None,
            unprocessed: false,
            never_written: false,
            may_be_redirected: None,
            connection: ConnectionReuse::Unknown,
            may_be_processed: false,
        }
    }

    fn is_redirected(self) -> bool {
        self.may_be_redirected == Some(true)
    }

    /// Returns the failure of the whole chain.
    pub(super) fn conclude(self) -> Failure {
        let unprocessed = self.unprocessed || self.phase == RequestPhase::Connect;
        let unprocessed = unprocessed && !self.is_redirected();
        let cause = match self.cause {
            Some(cause) => cause,
            None if self.phase == RequestPhase::Connect => Cause::DestinationUnavailable,
            None => Cause::Unknown,
        };
        // A connection that is closed as soon as it is made belongs to an upstream that is down. It was not idle for too
        // long. Client libraries that know their connections tell the two apart.
        let never_written = self.never_written && self.connection != ConnectionReuse::Fresh;
        let is_stale = self.connection == ConnectionReuse::Stale;
        let failure = Failure::new(cause)
            .with_reporter(Reporter::Local)
            .with_never_written(never_written && unprocessed)
            .with_stale_connection(is_stale && cause == Cause::ConnectionTerminated)
            .with_processed(if unprocessed { Processed::No } else { Processed::Maybe });
        self.for_whole_call(failure)
    }

    /// Returns the failure of the call, given one that is in the chain.
    pub(super) fn adopt(self, failure: Failure) -> Failure {
        self.for_whole_call(self.as_connect_failure(failure))
    }

    /// A failure found while connecting is of a layer around the connector, which cannot know whether the request was sent.
    fn as_connect_failure(self, failure: Failure) -> Failure {
        if self.phase != RequestPhase::Connect {
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

    fn for_whole_call(self, failure: Failure) -> Failure {
        match failure.processed() {
            Processed::No | Processed::Unlikely if self.may_be_processed => {
                failure.with_processed(Processed::Maybe).with_never_written(false)
            }
            _ => failure,
        }
    }
}
