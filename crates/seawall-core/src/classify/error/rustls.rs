use std::{error, ops::ControlFlow};

use rustls::{Error, InvalidMessage};

use super::context::ErrorContext;
use crate::failure::{Cause, Detail};

/// Sets the cause of a failed handshake, or of an alert after it. The client knows whether it was
/// connecting, and so whether the request was sent.
pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn error::Error + 'static),
) -> ControlFlow<()> {
    match error.downcast_ref() {
        // The first bytes of the peer are not a TLS record.
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType))
            if context.phase.is_connecting() =>
        {
            context.set_detail(Cause::TlsProtocolError, Detail::ServerSpeaksPlain);
        }
        Some(error) => context.set_cause(cause(error)),
        None => {}
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
