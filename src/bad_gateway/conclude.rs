//! From what is seen of a response to what is said of it.

use std::sync::Arc;

use http::{Extensions, HeaderMap, StatusCode};

use super::{
    Evidence, ProxyStatus,
    clue::Seen,
    proxy_status,
    table::{self, Row, Source},
};
use crate::{
    Cause, Failure, Reporter,
    classify::{is_plain_text, of_head},
};

/// What is said of one response, so far.
#[derive(Debug)]
pub(super) struct Conclusion {
    status: StatusCode,
    failure: Failure,
    evidence: Option<Evidence>,
    proxy_status: Option<Arc<ProxyStatus>>,
    /// Looking at the body would change nothing.
    settled: bool,
}

impl Conclusion {
    /// From the head alone.
    pub(super) fn from_head(status: StatusCode, headers: &HeaderMap) -> Self {
        let failure = of_head(status, headers);
        let failure = match status.as_u16() {
            // An application's, or that of a gateway: some answer 500 when a name does not resolve, or the answer they got
            // is no HTTP. Above 505 there are as many meanings as vendors.
            500 | 506..=528 | 530.. => failure.with_cause(Cause::Unknown),
            _ => failure,
        };
        let proxy_status = proxy_status::read(headers).map(Arc::new);
        let mut this = Self { status, failure, evidence: None, proxy_status, settled: false };
        if !this.believe_proxy_status()
            && let Some(row) =
                table::by_head(status, Seen { headers, body: None, over: false, whole: false })
        {
            this.take(row);
        }
        this
    }

    /// A gateway's explicit word is worth more than what it looks like. Returns whether it gave the cause.
    fn believe_proxy_status(&mut self) -> bool {
        let Some(said) = self.proxy_status.as_ref().filter(|said| said.error().is_some()) else {
            return false;
        };
        self.failure = self.failure.with_reporter(Reporter::Gateway(said.product()));
        self.evidence = Some(Evidence {
            note: "a gateway on the way says so, in Proxy-Status",
            source: "RFC 9209",
            verified: true,
            proxy_status: None,
        });
        let Some(cause) = said.cause() else { return false };
        self.failure = self.failure.with_cause(cause).with_processed(said.processed(cause));
        self.settled = true;
        true
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// From what was read of the body so far.
    pub(super) fn look(&mut self, seen: Seen<'_>) {
        let row = table::by_body(self.status, seen);
        let last = || if seen.over { table::by_nothing(self.status, seen) } else { None };
        if let Some(row) = row.or_else(last) {
            self.take(row);
        }
    }

    fn take(&mut self, row: &Row) {
        self.failure = self
            .failure
            .with_cause(row.cause.unwrap_or(self.failure.cause()))
            .with_reporter(row.reporter)
            .with_processed(row.processed);
        let (source, verified) = match row.source {
            Source::Recorded(source) => (source, true),
            Source::Documented(source) => (source, false),
        };
        self.evidence = Some(Evidence { note: row.note, source, verified, proxy_status: None });
        self.settled = true;
    }

    /// Leaves it where every layer finds it.
    pub(super) fn leave(self, extensions: &mut Extensions) {
        extensions.insert(self.failure);
        let proxy_status = self.proxy_status;
        let evidence = match self.evidence {
            Some(evidence) => Some(Evidence { proxy_status, ..evidence }),
            None => proxy_status.map(|proxy_status| Evidence {
                note: "what the gateways on the way say, in Proxy-Status, names no error",
                source: "RFC 9209",
                verified: true,
                proxy_status: Some(proxy_status),
            }),
        };
        if let Some(evidence) = evidence {
            extensions.insert(evidence);
        }
    }
}

/// Whether the body may be that of a gateway: its own errors are 429 and 5xx, text, and not compressed.
pub(super) fn may_peek(status: StatusCode, headers: &HeaderMap) -> bool {
    (status.as_u16() == 429 || status.as_u16() >= 500) && is_plain_text(headers)
}
