use std::fmt;

/// The reason why a failed call was not retried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The failure is permanent.
    NotRetryable,
    /// The request may have been processed, and its method does not allow a retry.
    MethodNotAllowed,
    /// The server sent `x-should-retry: false`, or a gRPC pushback that forbids a retry.
    ServerForbids,
    /// The maximum number of retries is reached.
    MaxRetries,
    /// The maximum number of retries after failed connection attempts is reached.
    MaxConnectRetries,
    /// The maximum number of retries after failures of established connections is reached.
    MaxReadRetries,
    /// The maximum number of retries after response statuses is reached.
    MaxStatusRetries,
    /// The maximum number of retries after other errors is reached.
    MaxOtherRetries,
    /// The retry budget, which all calls share, is exhausted.
    BudgetExhausted,
    /// The deadline would pass before another attempt could end.
    DeadlineTooNear,
    /// The wait that the server requests, or the sum of all waits, exceeds its maximum.
    WaitTooLong,
    /// The request body cannot be replayed: it failed, or exceeds the limit.
    NotReplayable,
    /// The inner service failed to become ready for another attempt.
    NotReady,
    /// An open circuit rejected the request.
    CircuitOpen,
    /// A limit of requests in flight rejected the request.
    LimitReached,
}

impl StopReason {
    /// Returns whether a limit, and not the failure itself, prevented another attempt.
    #[must_use]
    pub const fn is_exhausted(self) -> bool {
        !matches!(
            self,
            Self::NotRetryable
                | Self::MethodNotAllowed
                | Self::ServerForbids
                | Self::CircuitOpen
                | Self::LimitReached
        )
    }

    /// Returns the name used in logs and metrics, such as `max_retries`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ServerForbids => "server_forbids",
            Self::MaxRetries => "max_retries",
            Self::MaxConnectRetries => "max_connect_retries",
            Self::MaxReadRetries => "max_read_retries",
            Self::MaxStatusRetries => "max_status_retries",
            Self::MaxOtherRetries => "max_other_retries",
            Self::BudgetExhausted => "budget_exhausted",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::WaitTooLong => "wait_too_long",
            Self::NotReplayable => "not_replayable",
            Self::NotReady => "not_ready",
            Self::CircuitOpen => "circuit_open",
            Self::LimitReached => "limit_reached",
        }
    }
}

impl StopReason {
    /// Returns the reason as a phrase for a message, such as `max retries`.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotRetryable => "not retryable",
            // Not "method not allowed", which is the status 405.
            Self::MethodNotAllowed => "method is not retried",
            Self::ServerForbids => "server forbids",
            Self::MaxRetries => "max retries",
            Self::MaxConnectRetries => "max connect retries",
            Self::MaxReadRetries => "max read retries",
            Self::MaxStatusRetries => "max status retries",
            Self::MaxOtherRetries => "max other retries",
            Self::BudgetExhausted => "budget exhausted",
            Self::DeadlineTooNear => "deadline too near",
            Self::WaitTooLong => "wait too long",
            Self::NotReplayable => "not replayable",
            Self::NotReady => "not ready",
            Self::CircuitOpen => "circuit open",
            Self::LimitReached => "limit reached",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
