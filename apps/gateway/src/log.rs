//! The log on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{self, format::debug_fn},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::cli::LogFormat;

/// The filter used if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info";

/// Enables a log that was started quiet.
pub(crate) struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
    filter_from_env: bool,
}

/// Starts the log.
///
/// A quiet log is off until [`LogHandle::enable`], unless `RUST_LOG` is set: the failures of the demo's load test would
/// drown its report.
pub(crate) fn init(format: LogFormat, quiet: bool) -> LogHandle {
    let env_filter = EnvFilter::try_from_default_env().ok();
    let filter_from_env = env_filter.is_some();
    let filter =
        env_filter.unwrap_or_else(|| EnvFilter::new(if quiet { "off" } else { DEFAULT_FILTER }));
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    // The message repeats the important dotted fields; the JSON format contains all of them.
                    .fmt_fields(debug_fn(|out, field, value| match field.name() {
                        "message" => write!(out, "{value:?}"),
                        name if name.contains('.') => Ok(()),
                        name => write!(out, " {name}={value:?}"),
                    }))
                    .with_target(false)
                    .with_ansi(stderr().is_terminal())
                    .with_writer(stderr),
            )
            .init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(stderr)).init(),
    }
    LogHandle { filter: handle, filter_from_env }
}

impl LogHandle {
    pub(crate) fn enable(&self) {
        if !self.filter_from_env {
            // Fails only if the subscriber is gone, and the log with it.
            let _ = self.filter.reload(EnvFilter::new(DEFAULT_FILTER));
        }
    }
}
