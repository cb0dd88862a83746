use std::time::Duration;

use crate::failure::{Cause, Detail, Failure, Processed, Reporter};

/// The findings of a walk along a chain of errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrorContext {
    pub(super) phase: RequestPhase,
    /// The most specific cause so far: an inner error overrides an outer one.
    cause: Option<Cause>,
    /// The detail of that cause.
    detail: Option<Detail>,
    /// The request was provably not processed, whatever the cause turns out to be.
    pub(super) unprocessed: bool,
    /// Nothing of the request was written, though there was a connection.
    pub(super) never_written: bool,
    /// An earlier server may have answered with a redirect. Then nothing proves that the request
    /// was not processed.
    pub(super) may_be_redirected: Option<bool>,
    pub(super) connection: ConnectionReuse,
    /// The first bytes of the connection show this about the server.
    pub(super) server: Option<Detail>,
    /// An earlier attempt may have been processed, whatever the last one proves.
    pub(super) may_be_processed: bool,
}

/// Whether the connection of the call was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionReuse {
    Unknown,
    /// It was used for the first time, unless proven otherwise.
    Fresh,
    /// It was used before, and was idle for this time.
    Reused(Duration),
    /// The same, for long enough for an idle timeout, and it closed without a byte of a response.
    Stale(Duration),
}

/// How far a call had come when it failed. It decides whether an I/O error proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestPhase {
    Unknown,
    /// The same, while a resolver with an error type of its own looks up a name.
    Resolve,
    /// While connecting (name lookup, TCP, TLS, a proxy's tunnel): no byte of the request was sent.
    Connect,
    /// After that: the request may have been written.
    Exchange,
}

impl RequestPhase {
    /// Returns whether no byte of the request was sent, because there was no connection yet.
    pub(super) const fn is_connecting(self) -> bool {
        matches!(self, Self::Resolve | Self::Connect)
    }

    /// Returns the cause of a timeout in this phase.
    pub(super) const fn timeout(self) -> Cause {
        match self {
            Self::Resolve => Cause::DnsTimeout,
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
            detail: None,
            unprocessed: false,
            never_written: false,
            may_be_redirected: None,
            connection: ConnectionReuse::Unknown,
            server: None,
            may_be_processed: false,
        }
    }

    /// Sets the cause that an error shows. It overrides that of the errors around it.
    pub(super) const fn set_cause(&mut self, cause: Cause) {
        self.cause = Some(cause);
        self.detail = None;
    }

    /// Sets the cause that an error shows, and its detail.
    pub(super) const fn set_detail(&mut self, cause: Cause, detail: Detail) {
        self.cause = Some(cause);
        self.detail = Some(detail);
    }

    fn is_redirected(self) -> bool {
        self.may_be_redirected == Some(true)
    }

    /// Returns the failure of the whole chain.
    pub(super) fn conclude(self) -> Failure {
        let unprocessed = self.unprocessed || self.phase.is_connecting();
        let unprocessed = unprocessed && !self.is_redirected();
        let cause = match self.cause {
            Some(cause) => cause,
            None if self.phase.is_connecting() => Cause::DestinationUnavailable,
            None => Cause::Unknown,
        };
        // A connection that is closed as soon as it is made belongs to an upstream that is down. It
        // was not idle for too long. Client libraries that know their connections tell the two
        // apart.
        let never_written = self.never_written && self.connection != ConnectionReuse::Fresh;
        let (cause, detail) = self.connection_detail(cause);
        let failure = Failure::new(cause)
            .with_reporter(Reporter::Local)
            .with_never_written(never_written && unprocessed)
            .with_detail(detail)
            .with_processed(if unprocessed { Processed::No } else { Processed::Maybe });
        self.for_whole_call(failure)
    }

    /// Adds the facts about the connection, if the errors have no detail.
    fn connection_detail(self, cause: Cause) -> (Cause, Option<Detail>) {
        if !matches!(cause, Cause::ConnectionTerminated | Cause::HttpProtocolError) {
            return (cause, self.detail);
        }
        match (self.detail, self.server, self.connection) {
            (None | Some(Detail::ServerSpokeFirst), server @ Some(_), _) => {
                (Cause::HttpProtocolError, server)
            }
            (None, None, _) if cause == Cause::HttpProtocolError => (cause, None),
            (None, None, ConnectionReuse::Reused(idle)) => {
                (cause, Some(Detail::ReusedConnection { idle }))
            }
            (None, None, ConnectionReuse::Stale(idle)) => {
                (cause, Some(Detail::StaleConnection { idle }))
            }
            (detail, _, _) => (cause, detail),
        }
    }

    /// Returns the failure of the call, given one that is in the chain.
    pub(super) fn adopt(self, failure: Failure) -> Failure {
        self.for_whole_call(self.as_connect_failure(failure))
    }

    /// A failure found while connecting is of a layer around the connector, which cannot know
    /// whether the request was sent.
    fn as_connect_failure(self, failure: Failure) -> Failure {
        if !self.phase.is_connecting() {
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
