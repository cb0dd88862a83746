use std::fmt;

/// The reason why a failed call was not retried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// A retry cannot fix the failure.
    NotRetryable,
    /// The method is not among those allowed, and the request may have been processed.
    MethodNotAllowed,
    /// The server sent `x-should-retry: false`, or a gRPC pushback that forbids a retry.
    ServerSaysNo,
    /// The maximum number of retries is reached.
    TotalSpent,
    /// The maximum number of retries of failed connects is reached.
    ConnectSpent,
    /// The maximum number of retries of connections that failed after connecting is reached.
    ReadSpent,
    /// The maximum number of retries of statuses is reached.
    StatusSpent,
    /// The maximum number of retries of other errors is reached.
    OtherSpent,
    /// The retry budget that all calls share is spent.
    BudgetSpent,
    /// The deadline would pass before another attempt could end.
    DeadlineTooNear,
    /// The wait that the server asks for, or the sum of all waits, exceeds its maximum.
    WaitTooLong,
    /// The request's body cannot be sent again: it failed, or exceeds the limit.
    NotReplayable,
    /// The inner service failed to become ready for another attempt.
    NotReady,
    /// A circuit breaker rejected the request: the upstream is known to be down.
    CircuitOpen,
    /// A limit of calls in flight rejected the request.
    LimitReached,
}

impl StopReason {
    /// Returns whether only a limit prevented another attempt.
    #[must_use]
    pub const fn is_exhausted(self) -> bool {
        !matches!(
            self,
            Self::NotRetryable
                | Self::MethodNotAllowed
                | Self::ServerSaysNo
                | Self::CircuitOpen
                | Self::LimitReached
        )
    }

    /// Returns the name used in logs and metrics, such as `total_spent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ServerSaysNo => "server_says_no",
            Self::TotalSpent => "total_spent",
            Self::ConnectSpent => "connect_spent",
            Self::ReadSpent => "read_spent",
            Self::StatusSpent => "status_spent",
            Self::OtherSpent => "other_spent",
            Self::BudgetSpent => "budget_spent",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::WaitTooLong => "wait_too_long",
            Self::NotReplayable => "not_replayable",
            Self::NotReady => "not_ready",
            Self::CircuitOpen => "circuit_open",
            Self::LimitReached => "shed",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
