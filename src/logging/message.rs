//! The human-readable message of an event.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use http::StatusCode;

use super::{
    outcome::{Completion, EventKind, Outcome},
    record::Record,
    target::{Origin, RequestTarget},
};
use crate::escape::{EscapedStr, MAX_SHORT_CHARS};

/// The message of an event: request, result, time, attempts and evidence.
pub(super) struct Message<'a> {
    pub(super) record: &'a Record,
    pub(super) completion: &'a Completion<'a>,
    pub(super) kind: EventKind,
    pub(super) elapsed: Duration,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written in one call, because a subscriber may escape each piece separately.
        let mut message = String::with_capacity(128);
        self.write(&mut message)?;
        f.write_str(&message)
    }
}

impl Message<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Self { record, completion, elapsed, .. } = self;
        let method = EscapedStr(record.request.method.as_str(), MAX_SHORT_CHARS);
        write!(out, "{method} {} -> ", RequestTarget::new(record))?;
        self.write_result(out)?;
        write!(out, " in {elapsed:.1?}")?;
        let stop_reason = completion.stop_reason.filter(|_| self.kind == EventKind::Failure);
        match (completion.attempts, record.request.attempt) {
            (Some(1), _) if stop_reason.is_some() => out.push_str(", 1 attempt"),
            (Some(attempts), _) if attempts > 1 => write!(out, ", {attempts} attempts")?,
            (_, Some(attempt)) => write!(out, ", attempt {attempt}")?,
            _ => {}
        }
        if let Some(stop_reason) = stop_reason {
            write!(out, " ({})", stop_reason.description())?;
        }
        let retried = record.response_details().and_then(|details| details.retried);
        if let Some(retried) = retried.filter(|_| completion.failure.is_none()) {
            write!(out, ", after {retried}")?;
        }
        self.write_inner_call(out)?;
        match record.response_details().and_then(|details| details.evidence) {
            Some(evidence) => write!(out, ": {evidence}"),
            None => Ok(()),
        }
    }

    /// Writes the upstream of a failed request, and its failure if the response is another one.
    fn write_inner_call(&self, out: &mut String) -> fmt::Result {
        let Some(call) = self.completion.inner_call else { return Ok(()) };
        let Some(failed) = &call.failed else { return Ok(()) };
        if let Some(uri) = &call.uri {
            let target = RequestTarget::new(self.record).with_uri(uri);
            write!(out, ", upstream {}", Origin(target))?;
        }
        match failed.failure.filter(|_| self.completion.failure.is_none()) {
            Some(failure) => write!(out, ": {failure}"),
            None => Ok(()),
        }
    }

    fn write_result(&self, out: &mut String) -> fmt::Result {
        let Completion { outcome, failure, .. } = *self.completion;
        let status = self.record.status();
        let response = self.record.response.as_ref();
        // The HTTP status of a failed gRPC call is 200.
        if let Some(grpc_status) = response.and_then(|response| response.grpc_status.as_ref())
            && !grpc_status.is_ok()
        {
            write!(out, "grpc {}, ", grpc_status.name())?;
        }
        let status = status.as_ref().map(StatusCode::as_str);
        match (outcome, status, failure) {
            (Outcome::Complete, Some(status), None) => out.push_str(status),
            (Outcome::Complete, Some(status), Some(_)) if self.kind == EventKind::ClientError => {
                out.push_str(status);
            }
            (Outcome::Dropped, Some(status), None) => write!(out, "{status}, dropped")?,
            // The text of the failure includes a failed status.
            (Outcome::Error, Some(status), Some(failure)) => {
                write!(out, "{status}, then {failure}")?;
            }
            (Outcome::Complete | Outcome::Dropped | Outcome::Error, _, Some(failure)) => {
                write!(out, "{failure}")?;
            }
            _ => out.push_str(outcome.as_str()),
        }
        Ok(())
    }
}
