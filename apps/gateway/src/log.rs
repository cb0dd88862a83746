//! The log, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{self, format::debug_fn},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::cli::Format;

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT: &str = "info";

/// Lets a quiet log speak.
pub(crate) struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    asked: bool,
}

/// Starts the log. A quiet one writes nothing until [`Log::speak`], unless `RUST_LOG` asks for it: a thousand failures
/// made on purpose would drown the table.
pub(crate) fn start(format: Format, quiet: bool) -> Log {
    let asked = EnvFilter::try_from_default_env().ok();
    let log_asked = asked.is_some();
    let filter = asked.unwrap_or_else(|| EnvFilter::new(if quiet { "off" } else { DEFAULT }));
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => registry
            .with(
                fmt::layer()
                    // The message has what matters of the fields with a dot; as JSON they are all there.
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
        Format::Json => registry.with(fmt::layer().json().with_writer(stderr)).init(),
    }
    Log { filter: handle, asked: log_asked }
}

impl Log {
    pub(crate) fn speak(&self) {
        if !self.asked {
            // It fails only when the subscriber is gone, and with it the log.
            let _ = self.filter.reload(EnvFilter::new(DEFAULT));
        }
    }
}
