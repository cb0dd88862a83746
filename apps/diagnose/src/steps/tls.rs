//! The TLS handshake.

use std::{io, sync::Arc};

use rustls::{CertificateError, ClientConfig, Error, InvalidMessage, pki_types::ServerName};
use seawall::{Cause, Failure};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Host;

use super::{
    Connection,
    certificates::{self, Verifier},
    failure_before_request, peer, probe,
};
use crate::{escape, protocol::Protocol, report::StepResult, wire::Wire};

type Stream = TlsStream<Wire<TcpStream>>;

/// Completes the handshake, and verifies the certificate.
pub(crate) async fn handshake(
    stream: TcpStream,
    connection: Connection<'_>,
    accept_invalid: bool,
) -> StepResult<Stream> {
    let Connection { peer, target, limit, secrets } = connection;
    let (stream, record) = Wire::new(stream);
    let connecting = connect(stream, &target.host, accept_invalid);
    let (step, is_silent) = match timeout(limit, connecting).await {
        Ok(Ok(stream)) => return completed(stream),
        Ok(Err(error)) => {
            let record = record.get();
            // An error of the TLS library about a record of TLS is more specific.
            let is_tls_error = error.tls_error().is_some() && record.end.is_none();
            let from_record = peer::tls_result(&record, secrets);
            let is_other_protocol =
                from_record.as_ref().is_some_and(|step| step.peer.end.is_none());
            let step = match from_record {
                Some(step) if is_other_protocol || !is_tls_error => step,
                _ => error.into_result(),
            };
            (step, record.received == 0 && record.sent > 0)
        }
        Err(_) => {
            let detail = format!("no response to the handshake within {limit:?}");
            let failure = failure_before_request(Cause::ConnectionReadTimeout);
            (StepResult::failed(failure, detail), record.get().received == 0)
        }
    };
    if is_silent && probe::speaks_http(peer, limit).await {
        return peer::not_tls(Some(Protocol::Http1), "");
    }
    step
}

/// An error before the end of a handshake.
pub(super) enum HandshakeError {
    /// No certificate can have the name of the host.
    InvalidName,
    Setup(Error),
    Io(io::Error),
}

impl HandshakeError {
    fn tls_error(&self) -> Option<&Error> {
        match self {
            Self::InvalidName => None,
            Self::Setup(error) => Some(error),
            Self::Io(error) => error.get_ref()?.downcast_ref(),
        }
    }

    fn into_result<T>(self) -> StepResult<T> {
        match self {
            Self::InvalidName => StepResult::failed(
                failure_before_request(Cause::TlsCertificateError),
                "no certificate can have this name",
            ),
            Self::Setup(error) => tls_error_result(&error),
            Self::Io(error) => io_error_result(&error),
        }
    }
}

/// A stream after its handshake, and the verifier of its certificate.
pub(super) struct Connected {
    stream: Stream,
    verifier: Arc<Verifier>,
    uses_system_roots: bool,
}

/// Performs the handshake.
pub(super) async fn connect(
    stream: Wire<TcpStream>,
    host: &Host<String>,
    accept_invalid: bool,
) -> Result<Connected, HandshakeError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
    };
    let name = name.map_err(|_| HandshakeError::InvalidName)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (roots, uses_system_roots) = certificates::roots();
    let setup = Verifier::new(roots, Arc::clone(&provider), accept_invalid).and_then(|verifier| {
        let verifier = Arc::new(verifier);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok((verifier, config))
    });
    let (verifier, config) = setup.map_err(HandshakeError::Setup)?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = connecting.await.map_err(HandshakeError::Io)?;
    Ok(Connected { stream, verifier, uses_system_roots })
}

fn completed(connected: Connected) -> StepResult<Stream> {
    let Connected { stream, verifier, uses_system_roots } = connected;
    let roots_note =
        if uses_system_roots { "" } else { " (with Mozilla's roots, because the system has none)" };
    let certificate_error = verifier.certificate_error();
    let certificate_text = certificate_error.as_ref().map_or_else(
        || format!("the certificate is valid{roots_note}"),
        |error| format!("{}; accepted because of --insecure", describe_certificate_error(error)),
    );
    let detail = format!("{}, {certificate_text}", version(&stream));
    let mut step = StepResult::ok(stream, detail);
    step.warning = certificate_error.is_some();
    step
}

fn version(stream: &Stream) -> &'static str {
    match stream.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
}

fn io_error_result<T>(error: &io::Error) -> StepResult<T> {
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return tls_error_result(error);
    }
    let closed_detail = "the server closed the connection during the handshake";
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            StepResult::failed(failure_before_request(Cause::TlsProtocolError), closed_detail)
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            StepResult::failed(failure_before_request(Cause::ConnectionTerminated), closed_detail)
        }
        _ => {
            let detail = escape::single_line(&error.to_string(), 120);
            StepResult::failed(failure_before_request(Cause::TlsProtocolError), detail)
        }
    }
}

fn tls_error_result<T>(error: &Error) -> StepResult<T> {
    let (cause, detail) = classify_tls_error(error);
    StepResult::failed(failure_before_request(cause), detail)
}

/// Finds a TLS error in an error of the HTTP exchange. With TLS 1.3, the alert that rejects a
/// client certificate arrives after the client completed the handshake, so it appears here.
pub(super) fn tls_error_after_handshake(
    error: &(dyn std::error::Error + 'static),
    failure: Failure,
) -> Option<(Failure, String)> {
    // `source()` of an `io::Error` skips the error that it wraps.
    let io_error = std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>())?;
    let (cause, detail) = classify_tls_error(io_error.get_ref()?.downcast_ref()?);
    let processed = failure.processed();
    Some((Failure::new(cause).with_reporter(failure.reporter()).with_processed(processed), detail))
}

fn classify_tls_error(error: &Error) -> (Cause, String) {
    match error {
        Error::InvalidCertificate(error) => {
            (Cause::TlsCertificateError, describe_certificate_error(error))
        }
        Error::NoCertificatesPresented => {
            (Cause::TlsCertificateError, "the server sent no certificate".into())
        }
        Error::AlertReceived(alert) => (
            Cause::TlsAlertReceived,
            format!("the server ended the TLS session with the alert {alert:?}"),
        ),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            Cause::TlsProtocolError,
            "the server's response is not TLS; the port may serve plain HTTP".into(),
        ),
        error => (Cause::TlsProtocolError, escape::single_line(&error.to_string(), 120)),
    }
}

fn describe_certificate_error(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "the certificate has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = format_days(time.as_secs().saturating_sub(not_after.as_secs()));
            format!("the certificate expired {ago} ago")
        }
        CertificateError::NotValidYet => "the certificate is not valid yet".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            let time_left = format_days(not_before.as_secs().saturating_sub(time.as_secs()));
            format!("the certificate becomes valid in {time_left}; check this host's clock")
        }
        CertificateError::NotValidForName => "the certificate is for another host".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(3).map(|name| dns_name(name)).collect();
            let ellipsis = if presented.len() > 3 { ", …" } else { "" };
            let expected = escape::single_line(&expected.to_str(), 80);
            let names = if names.is_empty() { "no host name".into() } else { names.join(", ") };
            format!("the certificate is for {names}{ellipsis}, not for {expected}")
        }
        CertificateError::UnknownIssuer => "this host does not trust the certificate's issuer: \
            the certificate is self-signed, its authority is private, or the server does not send \
            an intermediate certificate"
            .into(),
        // `openssl req -x509` creates such a certificate; rustls has no variant for it.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate belongs to a certificate authority; it is probably self-signed".into()
        }
        CertificateError::Revoked => "the certificate was revoked".into(),
        error => {
            format!("the certificate is invalid: {}", escape::single_line(&error.to_string(), 120))
        }
    }
}

/// Extracts the host from rustls's `DnsName("host")`.
fn dns_name(presented: &str) -> String {
    let quoted = presented.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    escape::single_line(quoted.map_or(presented, |(name, _)| name), 60)
}

fn format_days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => "less than a day".into(),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}
