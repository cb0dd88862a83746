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
    Failure, Processed, Reporter,
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
        let failure = if status == StatusCode::TOO_MANY_REQUESTS {
            // RFC 6585 §4: refused for the number of requests, which is known before this one is looked at.
            failure.with_processed(Processed::Unlikely)
        } else {
            failure
        };
        let proxy_status = proxy_status::read(headers).map(Arc::new);
        let mut this = Self { status, failure, evidence: None, proxy_status, settled: false };
        if !this.believe_proxy_status()
            && let Some(row) = table::by_head(status, Seen { headers, body: None })
        {
            this.take(row);
        }
        this
    }

    /// A gateway's explicit word is worth more than what it looks like. Returns whether there was one.
    fn believe_proxy_status(&mut self) -> bool {
        let Some(said) = self.proxy_status.as_ref().filter(|said| said.error().is_some()) else {
            return false;
        };
        let reporter = Reporter::Gateway(said.product());
        self.failure = match said.cause() {
            Some(cause) => self.failure.with_cause(cause).with_processed(said.processed(cause)),
            None => self.failure,
        };
        self.failure = self.failure.with_reporter(reporter);
        self.evidence = Some(Evidence {
            note: "a gateway on the way says so, in Proxy-Status",
            source: "RFC 9209",
            verified: true,
            proxy_status: None,
        });
        self.settled = true;
        true
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// From what was read of the body so far; `over`: no more of it will be read.
    pub(super) fn look(&mut self, headers: &HeaderMap, body: &[u8], over: bool) {
        let seen = Seen { headers, body: Some(body) };
        let row = table::by_body(self.status, seen, over);
        let last = || table::by_nothing(self.status, seen).filter(|_| over);
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
