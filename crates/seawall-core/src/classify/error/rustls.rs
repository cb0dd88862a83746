use std::{error, ops::ControlFlow};

use rustls::Error;

use super::context::ErrorContext;
use crate::failure::Cause;

/// Sets the cause of a failed handshake, or of an alert after it. The client knows whether it was connecting, and so whether
/// the request was sent.
pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn error::Error + 'static),
) -> ControlFlow<()> {
    if let Some(error) = error.downcast_ref() {
        context.cause = Some(cause(error));
    }
    ControlFlow::Continue(())
}

const fn cause(error: &Error) -> Cause {
    match error {
        Error::InvalidCertificate(_)
        | Error::InvalidCertRevocationList(_)
        | Error::NoCertificatesPresented => Cause::TlsCertificateError,
        // With TLS 1.3 the alert about a client's certificate comes in the middle of the exchange.
        Error::AlertReceived(_) => Cause::TlsAlertReceived,
        _ => Cause::TlsProtocolError,
    }
}
