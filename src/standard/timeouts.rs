use std::{error::Error, fmt, time::Duration};

/// How long each part of a call may take. The default: 10 s an attempt, 30 s in all, both to the response's head, and 60 s
/// between two frames of a body.
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
    /// Allows each attempt `attempt` and all attempts with the waits between them `total`, both to the response's head. `None`:
    /// as long as it likes.
    ///
    /// # Errors
    ///
    /// If `attempt` is longer than `total`, or has no limit where `total` has one: the limit of an attempt would then never
    /// be what ends it, so that a silent upstream used up the whole time at once.
    pub fn new(
        attempt: impl Into<Option<Duration>>,
        total: impl Into<Option<Duration>>,
    ) -> Result<Self, InvalidTimeouts> {
        let (attempt, total) = (attempt.into(), total.into());
        match total {
            Some(total) if attempt.is_none_or(|attempt| attempt > total) => {
                Err(InvalidTimeouts { attempt, total })
            }
            _ => Ok(Self { attempt, total, ..Self::default() }),
        }
    }

    /// Allows a response's body to pause for so long between two frames. `None`: as long as it likes. Default: 60 s. There is no
    /// limit on the whole of a body.
    pub fn body_idle(self, idle: impl Into<Option<Duration>>) -> Self {
        Self { body_idle: idle.into(), ..self }
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

/// An attempt was allowed more time than the whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTimeouts {
    attempt: Option<Duration>,
    total: Duration,
}

impl fmt::Display for InvalidTimeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total;
        match self.attempt {
            Some(attempt) => {
                write!(
                    f,
                    "an attempt may take {attempt:?}, longer than the {total:?} of all attempts together"
                )
            }
            None => write!(f, "an attempt has no limit, but all attempts together have {total:?}"),
        }
    }
}

impl Error for InvalidTimeouts {}
