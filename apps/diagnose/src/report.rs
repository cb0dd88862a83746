//! The result of a diagnosis, as data. [`render`](crate::render) formats it.

use std::time::Duration;

use http::Method;
use seawall::{Failure, bad_gateway::Evidence};
use tokio::time::Instant;

use crate::{protocol::Protocol, secrets::Secrets, wire::End};

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

/// The facts about the server that the bytes of the connection show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peer {
    /// The protocol of the server, if it is not the one of the URL.
    pub(crate) protocol: Option<Protocol>,
    /// How the connection ended, if that was the failure.
    pub(crate) end: Option<End>,
}

/// The result of a step, which [`Report::run_step`] records.
pub(crate) struct StepResult<T> {
    pub(crate) value: Result<T, Failure>,
    pub(crate) detail: String,
    pub(crate) warning: bool,
    pub(crate) addresses: Vec<(String, Check)>,
    pub(crate) peer: Peer,
}

impl<T> StepResult<T> {
    pub(crate) fn ok(value: T, detail: impl Into<String>) -> Self {
        Self::new(Ok(value), detail.into())
    }

    pub(crate) fn failed(failure: Failure, detail: impl Into<String>) -> Self {
        Self::new(Err(failure), detail.into())
    }

    fn new(value: Result<T, Failure>, detail: String) -> Self {
        Self { value, detail, warning: false, addresses: Vec::new(), peer: Peer::default() }
    }

    pub(crate) fn with_peer(self, peer: Peer) -> Self {
        Self { peer, ..self }
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
    pub(crate) address: Option<String>,
    pub(crate) peer: Peer,
    pub(crate) response: Option<ResponseSummary>,
    pub(crate) failure: Option<Failure>,
    pub(crate) curl: String,
    pub(crate) secrets: Secrets,
}

impl Report {
    /// Runs a step and records its result. Returns `None` if it failed.
    pub(crate) async fn run_step<T>(
        &mut self,
        stage: Stage,
        step: impl Future<Output = StepResult<T>>,
    ) -> Option<T> {
        let started = Instant::now();
        let StepResult { value, detail, warning, addresses, peer } = step.await;
        let outcome = match &value {
            Err(_) => Outcome::Failed,
            Ok(_) if warning => Outcome::Warning,
            Ok(_) => Outcome::Ok,
        };
        let check = Check { outcome, detail, duration: started.elapsed() };
        self.peer = peer;
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
