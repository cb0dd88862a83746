use std::{error::Error, fmt, time::Duration};

/// The timeouts of a call.
///
/// Defaults to 10 s per attempt and 30 s in total, both to the response's head, and 60 s between
/// two frames of a body.
///
/// ```
/// use std::time::Duration;
/// use seawall::standard::{StandardLayer, Timeouts};
///
/// let timeouts = Timeouts::new(Duration::from_secs(2), Duration::from_secs(5))?;
/// let layer = StandardLayer::new("billing").timeouts(timeouts.body_idle(Duration::from_secs(10)));
/// # Ok::<(), seawall::standard::InvalidTimeouts>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "timeouts do nothing until a layer has them"]
pub struct Timeouts {
    pub(crate) attempt: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) body_idle: Option<Duration>,
}

impl Timeouts {
    /// Creates timeouts with `attempt` for each attempt, and `total` for all attempts and the
    /// delays between them.
    ///
    /// Both end with the head of the response. The time of an attempt excludes the waits for the
    /// caller's request body, each of which may take as long as an attempt. The total includes
    /// them. The pause between two frames of the response body has its default, 60 s.
    ///
    /// # Errors
    ///
    /// Returns an error if `attempt` exceeds `total`. An upstream that never responds would then
    /// use up `total` in one attempt.
    pub fn new(attempt: Duration, total: Duration) -> Result<Self, InvalidTimeouts> {
        if attempt > total {
            return Err(InvalidTimeouts { attempt, total });
        }
        Ok(Self { attempt: Some(attempt), total: Some(total), ..Self::default() })
    }

    /// Creates timeouts without any limit.
    pub fn none() -> Self {
        Self { attempt: None, total: None, body_idle: None }
    }

    /// Removes the timeout of all attempts together. The timeout of each attempt is unchanged.
    pub fn without_total(self) -> Self {
        Self { total: None, ..self }
    }

    /// Sets the maximum pause between two frames of a response body.
    ///
    /// Default: 60 s. A body that makes progress has no timeout.
    pub fn body_idle(self, idle: Duration) -> Self {
        Self { body_idle: Some(idle), ..self }
    }

    /// Removes the maximum pause between two frames of a response body.
    pub fn without_body_idle(self) -> Self {
        Self { body_idle: None, ..self }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            attempt: Some(Duration::from_secs(10)),
            total: Some(Duration::from_secs(30)),
            body_idle: Some(Duration::from_secs(60)),
        }
    }
}

/// The error of [`Timeouts::new`] if the timeout of an attempt exceeds that of the whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTimeouts {
    attempt: Duration,
    total: Duration,
}

impl fmt::Display for InvalidTimeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt, total } = self;
        write!(f, "attempt timeout {attempt:?} exceeds total timeout {total:?}")
    }
}

impl Error for InvalidTimeouts {}
