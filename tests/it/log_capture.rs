//! A `tracing` layer that records events and spans with their fields, for tests of logging.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, Once},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

/// A recorded event or span.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The name of the enclosing span.
    pub(crate) span: Option<&'static str>,
}

impl Line {
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    pub(crate) fn message(&self) -> &str {
        self.get("message").unwrap_or_default()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Recorder {
    events: Arc<Mutex<Vec<Line>>>,
    spans: Arc<Mutex<Vec<Line>>>,
}

impl Recorder {
    /// Records the events and spans of this thread at `level` and above until the guard is dropped.
    pub(crate) fn start(level: LevelFilter) -> (Self, DefaultGuard) {
        let recorder = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone().with_filter(level));
        (recorder, set_subscriber(subscriber))
    }

    /// Returns the lines of `LoggingLayer`, without the events of other layers.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let lines = self.events.lock().unwrap();
        lines.iter().filter(|line| line.get("seawall.outcome").is_some()).cloned().collect()
    }

    /// Returns the only line. Panics if there are none or several.
    pub(crate) fn line(&self) -> Line {
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines[0].clone()
    }

    pub(crate) fn events(&self) -> Vec<Line> {
        self.events.lock().unwrap().clone()
    }

    pub(crate) fn spans(&self) -> Vec<Line> {
        self.spans.lock().unwrap().clone()
    }
}

/// Sets `subscriber` as the default of this thread until the guard is dropped.
pub(crate) fn set_subscriber(subscriber: impl Subscriber + Send + Sync) -> DefaultGuard {
    // tracing caches the interest of subscribers per callsite. With a single subscriber, the cache
    // is filled by the first thread that reaches the callsite, which may belong to a test without a
    // subscriber. A second, global subscriber disables this shortcut.
    static DISABLED: Once = Once::new();
    DISABLED.call_once(|| {
        let disabled = tracing_subscriber::registry().with(LevelFilter::OFF);
        tracing::subscriber::set_global_default(disabled).unwrap();
    });
    tracing::subscriber::set_default(subscriber)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = context.event_span(event).map(|span| span.name());
        let line = Line { level: *event.metadata().level(), fields: fields.0, span };
        self.events.lock().unwrap().push(line);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        let line = Line { level: *metadata.level(), fields: fields.0, span: Some(metadata.name()) };
        self.spans.lock().unwrap().push(line);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
