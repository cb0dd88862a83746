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

/// Enables a log that was started in quiet mode.
pub(crate) struct LogHandle {
    filter_handle: reload::Handle<EnvFilter, Registry>,
    filter_from_env: bool,
}

/// Starts the log.
///
/// A quiet log stays off until [`LogHandle::enable`] is called, unless `RUST_LOG` is set. Otherwise
/// the failures of the demo would bury the demo's report.
pub(crate) fn init(format: LogFormat, quiet: bool) -> LogHandle {
    let env_filter = EnvFilter::try_from_default_env().ok();
    let filter_from_env = env_filter.is_some();
    let filter =
        env_filter.unwrap_or_else(|| EnvFilter::new(if quiet { "off" } else { DEFAULT_FILTER }));
    let (filter_layer, filter_handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter_layer);
    match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    // Omits fields with a dot in their name: the message contains the important
                    // ones, and the JSON format contains all.
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
    LogHandle { filter_handle, filter_from_env }
}

impl LogHandle {
    pub(crate) fn enable(&self) {
        if !self.filter_from_env {
            // `reload` fails only if the subscriber is gone. Then there is no log to enable.
            let _ = self.filter_handle.reload(EnvFilter::new(DEFAULT_FILTER));
        }
    }
}
