//! Keeps the lines that the stack logs.

use std::{
    net::SocketAddr,
    sync::{Mutex, Once},
};

use http::Method;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::client::url;

/// The line of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    method: String,
    url: String,
    /// How the call ended; only the line of a call says that.
    end: Option<String>,
    /// The cause.
    pub(crate) cause: Option<String>,
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

struct Keep;

/// Listens in all threads from now on. Calls are told apart by their URL, since each gateway has a port of its own.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Keep.with_filter(LevelFilter::DEBUG));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// The lines of calls with `method` of one scenario at one gateway.
pub(crate) fn of(method: &Method, addr: SocketAddr, scenario: &str) -> Vec<Line> {
    let url = url(addr, scenario);
    let lines = LINES.lock().unwrap();
    lines.iter().filter(|line| line.method == method.as_str() && line.url == url).cloned().collect()
}

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.end.is_some() {
            LINES.lock().unwrap().push(line);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "http.request.method" => value.clone_into(&mut self.method),
            "url.full" => value.clone_into(&mut self.url),
            "seawall.end" => self.end = Some(value.into()),
            "seawall.cause" => self.cause = Some(value.into()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
