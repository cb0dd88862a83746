use tracing::level_filters::LevelFilter;

/// The level of a line.
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
    /// Returns the filter that enables this level.
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

    /// Returns whether a subscriber may enable this level.
    pub(super) fn is_enabled(self) -> bool {
        self.filter().is_some_and(|filter| LevelFilter::current() >= filter)
    }
}

/// The level of each kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) success: Level,
    pub(super) retried: Level,
    /// Defaults to `success`.
    pub(super) client_error: Option<Level>,
    pub(super) failure: Level,
    pub(super) rejected: Level,
    pub(super) cancelled: Level,
}

/// Calls a macro of tracing, whose level must be a constant, with a level that is not.
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
