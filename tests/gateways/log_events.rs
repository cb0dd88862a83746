//! The log events that the stack emits.

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

/// The event of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallEvent {
    method: String,
    url: String,
    /// The outcome of the call. Only events of calls have this field.
    outcome: Option<String>,
    pub(crate) cause: Option<String>,
}

static EVENTS: Mutex<Vec<CallEvent>> = Mutex::new(Vec::new());

struct CaptureLayer;

/// Installs a subscriber that captures the events of all threads.
///
/// The URL identifies a call, because each gateway has its own port.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::registry().with(CaptureLayer.with_filter(LevelFilter::DEBUG));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// Returns the events of the calls with one method and scenario at one gateway.
pub(crate) fn events(method: &Method, addr: SocketAddr, scenario: &str) -> Vec<CallEvent> {
    let url = url(addr, scenario);
    let events = EVENTS.lock().unwrap();
    events
        .iter()
        .filter(|event| event.method == method.as_str() && event.url == url)
        .cloned()
        .collect()
}

impl<S: Subscriber> Layer<S> for CaptureLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut call = CallEvent::default();
        event.record(&mut call);
        if call.outcome.is_some() {
            EVENTS.lock().unwrap().push(call);
        }
    }
}

impl Visit for CallEvent {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "http.request.method" => value.clone_into(&mut self.method),
            "url.full" => value.clone_into(&mut self.url),
            "seawall.outcome" => self.outcome = Some(value.into()),
            "seawall.cause" => self.cause = Some(value.into()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
