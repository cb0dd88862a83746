use tracing::level_filters::LevelFilter;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// For nobody but a debugger.
    Trace,
    /// For somebody who looks closely.
    Debug,
    /// For the ordinary log.
    Info,
    /// Something went wrong.
    Warn,
    /// Something is broken.
    Error,
    /// Not written at all.
    Off,
}

impl Level {
    /// What somebody must listen to for lines of this level to be written.
    pub(super) const fn filter(self) -> Option<LevelFilter> {
        match self {
            Self::Trace => Some(LevelFilter::TRACE),
            Self::Debug => Some(LevelFilter::DEBUG),
            Self::Info => Some(LevelFilter::INFO),
            Self::Warn => Some(LevelFilter::WARN),
            Self::Error => Some(LevelFilter::ERROR),
            Self::Off => None,
        }
    }

    /// Whether anybody listens at this level: a comparison with a static.
    pub(super) fn is_heard(self) -> bool {
        self.filter().is_some_and(|filter| LevelFilter::current() >= filter)
    }
}

/// The level of each kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) success: Level,
    pub(super) retried: Level,
    /// As a success, if not set.
    pub(super) client_error: Option<Level>,
    pub(super) failure: Level,
    pub(super) refused: Level,
    pub(super) cancelled: Level,
}

/// Calls a macro of tracing with a level that it insists on knowing at compile time.
macro_rules! at_level {
    ($level:expr, $macro:ident, $off:expr, $($arguments:tt)*) => {
        match $level {
            $crate::logging::Level::Trace => tracing::$macro!(target: "seawall::logging", tracing::Level::TRACE, $($arguments)*),
            $crate::logging::Level::Debug => tracing::$macro!(target: "seawall::logging", tracing::Level::DEBUG, $($arguments)*),
            $crate::logging::Level::Info => tracing::$macro!(target: "seawall::logging", tracing::Level::INFO, $($arguments)*),
            $crate::logging::Level::Warn => tracing::$macro!(target: "seawall::logging", tracing::Level::WARN, $($arguments)*),
            $crate::logging::Level::Error => tracing::$macro!(target: "seawall::logging", tracing::Level::ERROR, $($arguments)*),
            $crate::logging::Level::Off => $off,
        }
    };
}
pub(super) use at_level;
