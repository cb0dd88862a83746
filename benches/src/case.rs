//! A case: the layers, request and subscriber that one measurement uses.

use std::{fmt, io, str::FromStr};

use tracing::Level;

use crate::{Runner, request::RequestKind};

/// One row of the results.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub kind: RequestKind,
    pub readiness: Readiness,
    pub subscriber: Subscriber,
    /// The name of the case to subtract from this one. Both have the same request, readiness and
    /// subscriber.
    pub base: &'static str,
    pub(crate) make: fn(RequestKind) -> Box<dyn Runner>,
}

/// The poll at which the inner service returns its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    PendingOnce,
    /// The case is not a call.
    None,
}

/// The `tracing` subscriber.
///
/// A process can set it only once, so cases with different subscribers run in different processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscriber {
    None,
    /// Ignores all events.
    Noop,
    /// Formats events at INFO and above, and discards the text.
    Info,
    /// Formats events at DEBUG and above, the default level of the peers, and discards the text.
    Debug,
}

impl Case {
    /// Creates the runner.
    #[must_use]
    pub fn runner(&self) -> Box<dyn Runner> {
        (self.make)(self.kind)
    }

    /// Returns the name, request, readiness and subscriber, separated by tabs.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_of(self.name)
    }

    /// Returns the key of the base.
    #[must_use]
    pub fn base_key(&self) -> String {
        self.key_of(self.base)
    }

    fn key_of(&self, name: &str) -> String {
        let Self { kind, readiness, subscriber, .. } = self;
        format!("{name}\t{kind}\t{readiness}\t{subscriber}")
    }
}

impl Subscriber {
    pub const ALL: [Self; 4] = [Self::None, Self::Noop, Self::Info, Self::Debug];

    /// Sets this subscriber as the global default of the process.
    ///
    /// # Panics
    ///
    /// Panics if the process already has one.
    pub fn install(self) {
        match self {
            Self::None => {}
            Self::Noop => {
                let noop = tracing::subscriber::NoSubscriber::new();
                tracing::subscriber::set_global_default(noop).expect("the first subscriber");
            }
            Self::Info => install_fmt(Level::INFO),
            Self::Debug => install_fmt(Level::DEBUG),
        }
    }
}

fn install_fmt(level: Level) {
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::sink).init();
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::PendingOnce => "pending once",
            Self::None => "-",
        })
    }
}

impl fmt::Display for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Noop => "no-op",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        })
    }
}

impl FromStr for Subscriber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let subscriber = Self::ALL.into_iter().find(|it| it.to_string() == text);
        subscriber.ok_or_else(|| format!("expected a subscriber, found {text:?}"))
    }
}
