//! The data of a diagnosis. Rendering is elsewhere: `human` for a person, `json` for a program.

use std::time::Duration;

use http::Method;
use seawall::{Failure, bad_gateway::Evidence};
use tokio::time::Instant;

/// The steps, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Dns,
    Tcp,
    Tls,
    Http,
}

impl Stage {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    /// Not good, and gone past.
    Warning,
    Bad,
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "failed",
        }
    }
}

/// One line of a report. All texts in it are escaped and short.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
    pub(crate) time: Duration,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    pub(crate) line: Line,
    /// Parts of it: an address each.
    pub(crate) parts: Vec<(String, Line)>,
}

/// What a step gives.
pub(crate) struct Found<T> {
    pub(crate) value: Result<T, Failure>,
    pub(crate) detail: String,
    pub(crate) warning: bool,
    pub(crate) parts: Vec<(String, Line)>,
}

impl<T> Found<T> {
    pub(crate) fn good(value: T, detail: impl Into<String>) -> Self {
        Self { value: Ok(value), detail: detail.into(), warning: false, parts: Vec::new() }
    }

    pub(crate) fn bad(failure: Failure, detail: impl Into<String>) -> Self {
        Self { value: Err(failure), detail: detail.into(), warning: false, parts: Vec::new() }
    }
}

/// What was answered, where anything was.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Header fields that tell who answered, escaped.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The beginning of a failed response's body, without tags, escaped.
    pub(crate) says: String,
    /// What the conclusion rests on, if on more than the status.
    pub(crate) evidence: Option<Evidence>,
}

/// One diagnosis.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) method: Method,
    /// The URL without secrets.
    pub(crate) url: String,
    /// Whether the upstream is the embedded one.
    pub(crate) embedded: bool,
    pub(crate) steps: Vec<Step>,
    /// Where the connection leads.
    pub(crate) peer: Option<String>,
    pub(crate) answer: Option<Answer>,
    pub(crate) failure: Option<Failure>,
    pub(crate) curl: String,
}

impl Report {
    /// Takes a step, and keeps what is found.
    pub(crate) async fn step<T>(
        &mut self,
        stage: Stage,
        step: impl Future<Output = Found<T>>,
    ) -> Option<T> {
        let started = Instant::now();
        let Found { value, detail, warning, parts } = step.await;
        let outcome = match &value {
            Err(_) => Outcome::Bad,
            Ok(_) if warning => Outcome::Warning,
            Ok(_) => Outcome::Good,
        };
        let line = Line { outcome, detail, time: started.elapsed() };
        self.steps.push(Step { stage, line, parts });
        value.map_err(|failure| self.failure = Some(failure)).ok()
    }

    /// The step that failed, else the last one.
    pub(crate) fn last(&self) -> Option<Stage> {
        self.steps.last().map(|step| step.stage)
    }
}
