//! The guard that builds the record of a request and emits it when the request ends.

use std::{error::Error, fmt, mem, thread};

use http::{HeaderMap, Response};
use http_body::Body;
use seawall_core::{
    Cause, Failure, Reporter, attempts::RetriesExhausted, classify::Classify, find_source,
};
use tracing::{Span, span::Entered};

use super::{
    RequestHead, emit,
    errors::AsStdError,
    nesting::EnclosingLog,
    otel,
    outcome::{Completion, Outcome, innermost_source},
    record::{Record, ResponseRecord},
    rejection::last_failure,
    settings::Settings,
};
use crate::{body::may_stop_reading, layer_order::warn_if_inside_retry, sharded_arc::ShardedArc};

/// The failure for an error that the classifier does not recognize.
const UNKNOWN: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

/// Owns the record of one request and emits it once, when the request ends or the guard is dropped.
///
/// The guard is empty if the request is not logged or its record has been emitted.
#[derive(Default)]
pub(super) struct RecordGuard(Option<Record>);

impl RecordGuard {
    /// Starts the record of a request. Returns an empty guard if the request is skipped.
    pub(super) fn start(settings: &ShardedArc<Settings>, head: RequestHead<'_>) -> Self {
        if settings.skip.0.as_ref().is_some_and(|skip| skip(head)) {
            return Self::default();
        }
        let mut record = Record::new(settings, head);
        record.span = otel::new_span(&record);
        if record.request.attempt.is_some() {
            warn_if_inside_retry();
        }
        Self(Some(record))
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the extension that links logs inside to this one.
    pub(super) fn inner_calls(&self) -> Option<EnclosingLog> {
        self.0.as_ref()?.inner_calls.clone()
    }

    /// Enters the request's span.
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_ref().map(|record| record.span.enter())
    }

    /// Calls `poll` inside the request's span.
    pub(super) fn in_span<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let Some(record) = &mut self.0 else { return poll() };
        record.is_running = true;
        let result = {
            let _entered = record.span.enter();
            poll()
        };
        record.is_running = false;
        result
    }

    /// Records the response's head, and emits the record if the response has no body.
    pub(super) fn on_response<B, C>(&mut self, response: &Response<B>, classifier: &C)
    where
        B: Body,
        C: Classify<Response<B>>,
    {
        let Some(record) = &mut self.0 else { return };
        record.is_running = true;
        let failure = classifier.classify(Ok(response));
        record.is_running = false;
        let response_record = ResponseRecord::new(record, response, failure);
        let is_complete = response_record.is_complete() || may_stop_reading(response.body());
        record.response = Some(response_record);
        if is_complete {
            self.on_complete();
        }
    }

    /// Records the error of the call and emits the record.
    pub(super) fn on_error<B, E, C, V>(&mut self, error: &E, classifier: &C, error_view: &V)
    where
        E: fmt::Display,
        C: Classify<Response<B>>,
        V: AsStdError<E>,
    {
        let Some(record) = &mut self.0 else { return };
        record.is_running = true;
        let std_error = error_view.as_std_error(error);
        let failure = std_error.and_then(|error| classifier.classify(Err(error)));
        record.is_running = false;
        // An error is a failure even if the classifier returns none.
        self.on_failure(failure.unwrap_or(UNKNOWN), std_error, error);
    }

    /// Records a data frame of the response's body.
    pub(super) fn on_data(&mut self, len: usize, chunk: &[u8]) {
        let Some(record) = &mut self.0 else { return };
        let Some(response) = &mut record.response else { return };
        response.add_data(&record.settings, len, chunk);
        if response.is_complete() {
            self.on_complete();
        }
    }

    /// Records the trailers of the response's body and emits the record.
    pub(super) fn on_trailers(&mut self, trailers: &HeaderMap) {
        if let Some(response) = self.0.as_mut().and_then(|record| record.response.as_mut()) {
            response.add_trailers(trailers);
        }
        self.on_complete();
    }

    /// Emits the record of a response whose body has ended.
    pub(super) fn on_complete(&mut self) {
        self.finish(Outcome::Complete);
    }

    /// Emits the record of a call, or of a body, that failed.
    ///
    /// `std_error` is the error as an [`Error`], if its type is known. Otherwise `text` is the
    /// message.
    pub(super) fn on_failure(
        &mut self,
        failure: Failure,
        std_error: Option<&(dyn Error + 'static)>,
        text: &dyn fmt::Display,
    ) {
        let Some(record) = self.0.take().map(EmittedRecord) else { return };
        let source = std_error.and_then(innermost_source);
        let message = source.as_ref().map_or(text, |error| error as &dyn fmt::Display);
        let mut completion = Completion::new(Outcome::Error, record.0.response_details());
        completion.failure = Some(failure);
        completion.message = Some(message);
        if let Some(exhausted) = std_error.and_then(find_source::<RetriesExhausted>) {
            completion.attempts = Some(exhausted.attempts().get());
            completion.stop_reason = Some(exhausted.stop_reason());
            completion.failure = Some(last_failure(failure, exhausted.failed_attempts()));
        }
        record.emit(&completion);
    }

    fn finish(&mut self, outcome: Outcome) {
        let Some(record) = self.0.take().map(EmittedRecord) else { return };
        record.emit(&Completion::new(outcome, record.0.response_details()));
    }
}

/// A record that is being emitted.
///
/// If the subscriber panics, the span is not closed, because a second panic would abort the
/// process.
struct EmittedRecord(Record);

impl EmittedRecord {
    fn emit(&self, completion: &Completion<'_>) {
        emit::emit(&self.0, completion);
    }
}

impl Drop for EmittedRecord {
    fn drop(&mut self) {
        if thread::panicking() {
            mem::forget(mem::replace(&mut self.0.span, Span::none()));
        }
    }
}

impl Drop for RecordGuard {
    fn drop(&mut self) {
        // A subscriber that panics during unwinding would abort the process.
        let Some(record) = self.0.as_ref().filter(|_| !thread::panicking()) else { return };
        let outcome = if record.is_running {
            Outcome::Panicked
        } else if record.response.is_some() {
            Outcome::Dropped
        } else {
            Outcome::Cancelled
        };
        self.finish(outcome);
    }
}

/// Omits the record's fields. Applications print futures and bodies, and the URL and headers of a
/// record may contain secrets.
impl fmt::Debug for RecordGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_disabled() { "None" } else { "Record" })
    }
}
