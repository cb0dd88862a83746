//! From the observed parts of a response to its failure.

use std::sync::Arc;

use http::{Extensions, HeaderMap, StatusCode};

use super::{
    Evidence, ProxyStatus,
    fingerprint::{self, Fingerprint, Source},
    matcher::PeekedResponse,
    proxy_status,
};
use crate::{
    classify::of_head,
    failure::{Cause, Failure, Reporter},
};

/// The failure of a response as far as it is known.
#[derive(Debug)]
pub(super) struct Diagnosis {
    status: StatusCode,
    failure: Failure,
    evidence: Option<Evidence>,
    proxy_status: Option<Arc<ProxyStatus>>,
    /// The body cannot change it.
    settled: bool,
}

impl Diagnosis {
    /// Diagnoses the head alone.
    pub(super) fn from_head(status: StatusCode, headers: &HeaderMap) -> Self {
        let failure = of_head(status, headers);
        let failure = match status.as_u16() {
            // Either the application or a gateway failed: some gateways respond 500 if a name does not resolve, or if the
            // upstream does not speak HTTP. Above 505 each vendor has its own meanings.
            500 | 506..=528 | 530.. => failure.with_cause(Cause::Unknown),
            _ => failure,
        };
        let proxy_status = proxy_status::read(headers).map(Arc::new);
        let mut this = Self { status, failure, evidence: None, proxy_status, settled: false };
        if !this.apply_proxy_status() {
            let head = PeekedResponse { headers, body: None, over: false, whole: false };
            if let Some(row) = fingerprint::by_head(status, head) {
                this.apply(row);
            }
        }
        this
    }

    /// Applies the `Proxy-Status` of a gateway, which takes precedence over its fingerprint. Returns whether it named a cause.
    fn apply_proxy_status(&mut self) -> bool {
        let proxy_status = self.proxy_status.as_ref();
        let Some(proxy_status) = proxy_status.filter(|status| status.error().is_some()) else {
            return false;
        };
        self.failure = self.failure.with_reporter(Reporter::Gateway(proxy_status.product()));
        self.evidence = Some(Evidence {
            note: "a gateway on the way says so, in Proxy-Status",
            source: "RFC 9209",
            verified: true,
            proxy_status: None,
        });
        let Some(cause) = proxy_status.cause() else { return false };
        self.failure = self.failure.with_cause(cause).with_processed(proxy_status.processed(cause));
        self.settled = true;
        true
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// Diagnoses the part of the body that was read so far.
    pub(super) fn update(&mut self, seen: PeekedResponse<'_>) {
        let row = fingerprint::by_body(self.status, seen);
        let last = || if seen.over { fingerprint::by_nothing(self.status, seen) } else { None };
        if let Some(row) = row.or_else(last) {
            self.apply(row);
        }
    }

    fn apply(&mut self, row: &Fingerprint) {
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

    /// Inserts the failure and its evidence into the extensions of the response.
    pub(super) fn insert_into(self, extensions: &mut Extensions) {
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
