//! What rustls says of a handshake, or of an alert that comes after it.

use rustls::Error;

use super::chain::Findings;
use crate::Cause;

/// Whether the request was sent is told by the client, which knows whether it was connecting.
pub(super) fn look_at(findings: &mut Findings, error: &Error) {
    findings.cause = Some(match error {
        Error::InvalidCertificate(_)
        | Error::InvalidCertRevocationList(_)
        | Error::NoCertificatesPresented => Cause::TlsCertificateError,
        // With TLS 1.3 the one about a client's certificate comes in the middle of the exchange.
        Error::AlertReceived(_) => Cause::TlsAlertReceived,
        _ => Cause::TlsProtocolError,
    });
}
