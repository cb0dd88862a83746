//! The events of `tracing` in the log.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{self, format::debug_fn},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use super::{LOG, Log};
use crate::cli::LogFormat;

/// The filter used if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info";

/// Enables events that were started in quiet mode.
pub(crate) struct LogHandle {
    filter_handle: reload::Handle<EnvFilter, Registry>,
    filter_from_env: bool,
}

/// Starts to log the events of `tracing`.
///
/// A quiet log has none until [`LogHandle::enable`] is called, unless `RUST_LOG` is set. Otherwise
/// the failures of the demo would bury the demo's report.
pub(crate) fn start_events(quiet: bool) -> LogHandle {
    let env_filter = EnvFilter::try_from_default_env().ok();
    let filter_from_env = env_filter.is_some();
    let filter =
        env_filter.unwrap_or_else(|| EnvFilter::new(if quiet { "off" } else { DEFAULT_FILTER }));
    let (filter_layer, filter_handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter_layer);
    if let Some(Log { buffer, format }) = LOG.get() {
        match format {
            LogFormat::Text => registry
                .with(
                    fmt::layer()
                        // The message contains the most important fields, and the JSON format all.
                        .fmt_fields(debug_fn(|out, field, value| match text_name(field.name()) {
                            Some("message") => write!(out, "{value:?}"),
                            Some(name) => write!(out, " {name}={value:?}"),
                            None => Ok(()),
                        }))
                        .with_target(false)
                        .with_ansi(stderr().is_terminal())
                        .with_writer(buffer.clone()),
                )
                .init(),
            LogFormat::Json => {
                registry.with(fmt::layer().json().with_writer(buffer.clone())).init();
            }
        }
    }
    LogHandle { filter_handle, filter_from_env }
}

/// Returns the name of a field in the text format, or `None` if it is omitted.
fn text_name(field: &str) -> Option<&str> {
    match field {
        "seawall.client" => Some("client"),
        "seawall.upstream.name" => Some("upstream"),
        "seawall.upstream.key" => Some("key"),
        "seawall.request_id" => Some("request_id"),
        name if name.contains('.') => None,
        name => Some(name),
    }
}

impl LogHandle {
    pub(crate) fn enable(&self) {
        if !self.filter_from_env {
            // `reload` fails only if the subscriber is gone. Then there is no log to enable.
            let _ = self.filter_handle.reload(EnvFilter::new(DEFAULT_FILTER));
        }
    }
}
