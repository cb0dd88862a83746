use std::sync::Arc;

use http::{Extensions, HeaderMap, StatusCode};

use super::{
    Evidence, ProxyStatus,
    database::{self, Fingerprint, Reference},
    matcher::PeekedResponse,
    proxy_status,
};
use crate::{
    classify::classify_head,
    failure::{Cause, Failure, Reporter},
};

/// The failure of a response, derived from the part of the response that was read so far.
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use seawall_core::{Cause, Product, Reporter, fingerprint::{Diagnosis, ReadProgress}};
///
/// let headers = HeaderMap::new();
/// let page = b"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n";
/// let mut diagnosis = Diagnosis::from_head(StatusCode::GATEWAY_TIMEOUT, &headers);
/// diagnosis.update(&headers, page, ReadProgress::Complete);
/// assert_eq!(diagnosis.failure().cause(), Cause::HttpResponseTimeout);
/// assert_eq!(diagnosis.failure().reporter(), Reporter::Gateway(Product::HaProxy));
/// ```
#[derive(Clone, Debug)]
pub struct Diagnosis {
    status: StatusCode,
    failure: Failure,
    evidence: Option<Evidence>,
    proxy_status: Option<Arc<ProxyStatus>>,
    is_final: bool,
}

/// The part of a body that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadProgress {
    /// More of the body may be read.
    Partial,
    /// No more of the body will be read, for example at a limit or after an error.
    Stopped,
    /// The body was read to its end.
    Complete,
}

impl Diagnosis {
    /// Diagnoses the response head alone. `status` must be 400 or more.
    #[must_use]
    pub fn from_head(status: StatusCode, headers: &HeaderMap) -> Self {
        let failure = classify_head(status, headers);
        let failure = match status.as_u16() {
            // Either the application or a gateway failed: some gateways respond with 500 if a name
            // does not resolve or the upstream does not use HTTP. The meaning of other statuses
            // above 505 depends on the vendor.
            500 | 506..=528 | 530.. => failure.with_cause(Cause::Unknown),
            _ => failure,
        };
        let proxy_status = proxy_status::parse(headers).map(Arc::new);
        let mut this = Self { status, failure, evidence: None, proxy_status, is_final: false };
        if !this.apply_proxy_status() {
            let head =
                PeekedResponse { headers, body: None, is_last_read: false, is_complete: false };
            if let Some(fingerprint) = database::find_by_head(status, head) {
                this.apply(fingerprint);
            }
        }
        this
    }

    /// Applies the `Proxy-Status` of a gateway, which takes precedence over its fingerprint.
    /// Returns whether it names a cause.
    fn apply_proxy_status(&mut self) -> bool {
        let proxy_status = self.proxy_status.as_ref();
        let Some(proxy_status) = proxy_status.filter(|status| status.error().is_some()) else {
            return false;
        };
        self.failure = self.failure.with_reporter(Reporter::Gateway(proxy_status.product()));
        self.evidence = Some(Evidence {
            summary: "a gateway reported the error in Proxy-Status",
            reference: "RFC 9209",
            is_verified: true,
            proxy_status: None,
        });
        let Some(cause) = proxy_status.cause() else { return false };
        self.failure = self.failure.with_cause(cause).with_processed(proxy_status.processed(cause));
        self.is_final = true;
        true
    }

    /// Returns whether the rest of the body cannot change the diagnosis.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.is_final
    }

    /// Returns the failure.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns the basis of the diagnosis, or `None` if it follows from the status alone.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let proxy_status = self.proxy_status.clone();
        match &self.evidence {
            Some(evidence) => Some(Evidence { proxy_status, ..evidence.clone() }),
            None => proxy_status.map(|proxy_status| Evidence {
                summary: "the Proxy-Status of the gateways names no error",
                reference: "RFC 9209",
                is_verified: true,
                proxy_status: Some(proxy_status),
            }),
        }
    }

    /// Diagnoses the part of the body that was read so far.
    pub fn update(&mut self, headers: &HeaderMap, body: &[u8], progress: ReadProgress) {
        let response = PeekedResponse {
            headers,
            body: Some(body),
            is_last_read: progress != ReadProgress::Partial,
            is_complete: progress == ReadProgress::Complete,
        };
        let fingerprint = database::find_by_body(self.status, response).or_else(|| {
            if response.is_last_read {
                database::find_fallback(self.status, response)
            } else {
                None
            }
        });
        if let Some(fingerprint) = fingerprint {
            self.apply(fingerprint);
        }
    }

    fn apply(&mut self, fingerprint: &Fingerprint) {
        self.failure = self
            .failure
            .with_cause(fingerprint.cause.unwrap_or(self.failure.cause()))
            .with_reporter(fingerprint.reporter)
            .with_processed(fingerprint.processed);
        let (reference, is_verified) = match fingerprint.reference {
            Reference::Recorded(reference) => (reference, true),
            Reference::Documented(reference) => (reference, false),
        };
        let summary = fingerprint.summary;
        self.evidence = Some(Evidence { summary, reference, is_verified, proxy_status: None });
        self.is_final = true;
    }

    /// Inserts the failure and its evidence into the extensions of the response.
    pub fn insert_into(self, extensions: &mut Extensions) {
        extensions.insert(self.failure);
        if let Some(evidence) = self.evidence() {
            extensions.insert(evidence);
        }
    }
}
