use tracing::level_filters::LevelFilter;

/// The level of an event or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Details for debugging this crate.
    Trace,
    /// Details for debugging an application.
    Debug,
    /// Normal operation.
    Info,
    /// A problem that the application can handle.
    Warn,
    /// A problem that needs an operator.
    Error,
    /// Disabled.
    Off,
}

impl Level {
    /// Returns the filter that enables this level, or `None` if the level is off.
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

    /// Returns whether the level is WARN or ERROR.
    pub(super) const fn is_warning(self) -> bool {
        matches!(self, Self::Warn | Self::Error)
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

/// Calls a macro of `tracing` with a runtime level. The macros themselves require a constant.
macro_rules! at_level {
    ($level:expr, $macro:ident, $disabled:expr, $($arguments:tt)*) => {
        match $level {
            $crate::logging::Level::Trace => tracing::$macro!(
                target: "seawall::logging", tracing::Level::TRACE, $($arguments)*
            ),
            $crate::logging::Level::Debug => tracing::$macro!(
                target: "seawall::logging", tracing::Level::DEBUG, $($arguments)*
            ),
            $crate::logging::Level::Info => tracing::$macro!(
                target: "seawall::logging", tracing::Level::INFO, $($arguments)*
            ),
            $crate::logging::Level::Warn => tracing::$macro!(
                target: "seawall::logging", tracing::Level::WARN, $($arguments)*
            ),
            $crate::logging::Level::Error => tracing::$macro!(
                target: "seawall::logging", tracing::Level::ERROR, $($arguments)*
            ),
            $crate::logging::Level::Off => $disabled,
        }
    };
}
pub(super) use at_level;
