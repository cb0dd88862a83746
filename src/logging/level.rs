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
    /// Whether anybody listens at this level: a comparison with a static.
    pub(super) fn is_heard(self) -> bool {
        let heard = LevelFilter::current();
        match self {
            Self::Trace => heard >= LevelFilter::TRACE,
            Self::Debug => heard >= LevelFilter::DEBUG,
            Self::Info => heard >= LevelFilter::INFO,
            Self::Warn => heard >= LevelFilter::WARN,
            Self::Error => heard >= LevelFilter::ERROR,
            Self::Off => false,
        }
    }
}

/// Calls a macro of tracing with a level that it insists on knowing at compile time.
macro_rules! at_level {
    ($level:expr, $macro:ident, $off:expr, $($arguments:tt)*) => {
        match $level {
            $crate::logging::Level::Trace => tracing::$macro!(tracing::Level::TRACE, $($arguments)*),
            $crate::logging::Level::Debug => tracing::$macro!(tracing::Level::DEBUG, $($arguments)*),
            $crate::logging::Level::Info => tracing::$macro!(tracing::Level::INFO, $($arguments)*),
            $crate::logging::Level::Warn => tracing::$macro!(tracing::Level::WARN, $($arguments)*),
            $crate::logging::Level::Error => tracing::$macro!(tracing::Level::ERROR, $($arguments)*),
            $crate::logging::Level::Off => $off,
        }
    };
}
pub(super) use at_level;
