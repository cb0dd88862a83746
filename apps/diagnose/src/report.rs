//! The result of a diagnosis, as data. [`render`](crate::render) formats it.

use std::time::Duration;

use http::Method;
use seawall::{Failure, bad_gateway::Evidence};
use tokio::time::Instant;

/// The steps, in the order in which they run.
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
    Ok,
    /// A failure that `--insecure` ignores.
    Warning,
    Failed,
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// The outcome of a step, or of one address in a step. The detail is short and escaped.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
    pub(crate) duration: Duration,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    pub(crate) check: Check,
    /// One check per address, if the step tried several.
    pub(crate) addresses: Vec<(String, Check)>,
}

/// The result of a step, which [`Report::run_step`] records.
pub(crate) struct StepResult<T> {
    pub(crate) value: Result<T, Failure>,
    pub(crate) detail: String,
    pub(crate) warning: bool,
    pub(crate) addresses: Vec<(String, Check)>,
}

impl<T> StepResult<T> {
    pub(crate) fn ok(value: T, detail: impl Into<String>) -> Self {
        Self { value: Ok(value), detail: detail.into(), warning: false, addresses: Vec::new() }
    }

    pub(crate) fn failed(failure: Failure, detail: impl Into<String>) -> Self {
        Self { value: Err(failure), detail: detail.into(), warning: false, addresses: Vec::new() }
    }
}

/// The parts of a response that a report shows.
#[derive(Debug, Default)]
pub(crate) struct ResponseSummary {
    pub(crate) status: u16,
    /// The headers that identify the server, escaped.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The start of the body of a failed response, escaped and without HTML tags.
    pub(crate) body_excerpt: String,
    /// The evidence for the failure, unless it follows from the status alone.
    pub(crate) evidence: Option<Evidence>,
}

/// One diagnosis.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) method: Method,
    /// The URL without secrets.
    pub(crate) url: String,
    /// Whether the upstream is the built-in one.
    pub(crate) embedded: bool,
    pub(crate) steps: Vec<Step>,
    /// The address of the connection.
    pub(crate) peer: Option<String>,
    pub(crate) response: Option<ResponseSummary>,
    pub(crate) failure: Option<Failure>,
    pub(crate) curl: String,
}

impl Report {
    /// Runs a step and records its result. Returns `None` if it failed.
    pub(crate) async fn run_step<T>(
        &mut self,
        stage: Stage,
        step: impl Future<Output = StepResult<T>>,
    ) -> Option<T> {
        let started = Instant::now();
        let StepResult { value, detail, warning, addresses } = step.await;
        let outcome = match &value {
            Err(_) => Outcome::Failed,
            Ok(_) if warning => Outcome::Warning,
            Ok(_) => Outcome::Ok,
        };
        let check = Check { outcome, detail, duration: started.elapsed() };
        self.steps.push(Step { stage, check, addresses });
        value.map_err(|failure| self.failure = Some(failure)).ok()
    }

    /// Returns the stage that failed, or the last stage if none failed.
    pub(crate) fn last_stage(&self) -> Option<Stage> {
        self.steps.last().map(|step| step.stage)
    }

    /// Returns the evidence for the failure, unless it follows from the status alone.
    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        self.response.as_ref()?.evidence.as_ref()
    }
}
