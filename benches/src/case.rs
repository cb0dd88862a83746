use std::{fmt, io, str::FromStr};

use tracing::Level;

use crate::{Runner, request::Kind};

/// What is measured: one row of the results.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub kind: Kind,
    pub answer: Answer,
    pub subscriber: Subscriber,
    /// The name of the case that is subtracted from this one, the rest being the same.
    pub base: &'static str,
    pub(crate) make: fn(Kind) -> Box<dyn Runner>,
}

/// When the inner service has its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Ready,
    PendingOnce,
    /// What is measured is no call.
    None,
}

/// Who listens to `tracing`. Set once for a process, so those that differ by it run in different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscriber {
    None,
    /// Wants nothing of what it is offered.
    Noop,
    /// Formats what is INFO and above, and throws it away.
    Info,
    /// The same of what is DEBUG and above, as the peers have their lines by default.
    Debug,
}

impl Case {
    /// Makes what runs it.
    #[must_use]
    pub fn runner(&self) -> Box<dyn Runner> {
        (self.make)(self.kind)
    }

    /// Its name and all that it may differ by from others of that name, separated by tabs.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_of(self.name)
    }

    /// The key of its base.
    #[must_use]
    pub fn base_key(&self) -> String {
        self.key_of(self.base)
    }

    fn key_of(&self, name: &str) -> String {
        let Self { kind, answer, subscriber, .. } = self;
        format!("{name}\t{kind}\t{answer}\t{subscriber}")
    }
}

impl Subscriber {
    pub const ALL: [Self; 4] = [Self::None, Self::Noop, Self::Info, Self::Debug];

    /// Makes it this process's own.
    ///
    /// # Panics
    ///
    /// If there is one already.
    pub fn install(self) {
        match self {
            Self::None => {}
            Self::Noop => {
                let noop = tracing::subscriber::NoSubscriber::new();
                tracing::subscriber::set_global_default(noop).expect("the first");
            }
            Self::Info => format(Level::INFO),
            Self::Debug => format(Level::DEBUG),
        }
    }
}

fn format(level: Level) {
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::sink).init();
}

impl fmt::Display for Answer {
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
        let known = Self::ALL.into_iter().find(|it| it.to_string() == text);
        known.ok_or_else(|| format!("no such subscriber: {text}"))
    }
}
