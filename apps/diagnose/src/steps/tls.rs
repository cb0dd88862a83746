//! The TLS handshake.

use std::{io, sync::Arc, time::Duration};

use rustls::{CertificateError, ClientConfig, Error, InvalidMessage, pki_types::ServerName};
use seawall::{Cause, Failure};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Host;

use super::{
    trust::{self, Verifier},
    unsent,
};
use crate::{escape, report::Found};

pub(crate) async fn handshake(
    stream: TcpStream,
    host: &Host<String>,
    goes_past: bool,
    limit: Duration,
) -> Found<TlsStream<TcpStream>> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
    };
    let Ok(name) = name else {
        return Found::bad(unsent(Cause::TlsCertificateError), "no certificate can have this name");
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (roots, own) = trust::roots();
    let configured = Verifier::new(roots, Arc::clone(&provider), goes_past).and_then(|verifier| {
        let verifier = Arc::new(verifier);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok((verifier, config))
    });
    let (verifier, config) = match configured {
        Ok(configured) => configured,
        Err(error) => return refused(&error),
    };
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(limit, connecting).await {
        Ok(Ok(stream)) => {
            let roots = if own { "" } else { " (by Mozilla's roots: the system has none)" };
            let refused = verifier.refused();
            let certificate = refused.as_ref().map_or_else(
                || format!("certificate accepted{roots}"),
                |error| format!("{}; gone past with --insecure", certificate(error)),
            );
            let detail = format!("{}, {certificate}", version(&stream));
            let mut found = Found::good(stream, detail);
            found.warning = refused.is_some();
            found
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => {
            let detail = format!("the handshake got no answer in {limit:?}");
            Found::bad(unsent(Cause::ConnectionReadTimeout), detail)
        }
    }
}

fn version(stream: &TlsStream<TcpStream>) -> &'static str {
    match stream.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
}

fn failed<T>(error: &io::Error) -> Found<T> {
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return refused(error);
    }
    let hung_up = "the server hung up during the handshake";
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Found::bad(unsent(Cause::TlsProtocolError), hung_up),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Found::bad(unsent(Cause::ConnectionTerminated), hung_up)
        }
        _ => {
            let words = escape::line(&error.to_string(), 120);
            Found::bad(unsent(Cause::TlsProtocolError), words)
        }
    }
}

fn refused<T>(error: &Error) -> Found<T> {
    let (cause, words) = explain(error);
    Found::bad(unsent(cause), words)
}

/// With TLS 1.3 a server's alert, such as one about a client certificate, comes only after the handshake: in the middle
/// of the exchange. It is no less one of TLS.
pub(super) fn after_handshake(
    error: &(dyn std::error::Error + 'static),
    failure: Failure,
) -> Option<(Failure, String)> {
    // An `io::Error` hides what is in it from `source()`.
    let io = std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>())?;
    let (cause, words) = explain(io.get_ref()?.downcast_ref()?);
    let processed = failure.processed();
    Some((Failure::new(cause).with_reporter(failure.reporter()).with_processed(processed), words))
}

fn explain(error: &Error) -> (Cause, String) {
    match error {
        Error::InvalidCertificate(error) => (Cause::TlsCertificateError, certificate(error)),
        Error::NoCertificatesPresented => {
            (Cause::TlsCertificateError, "the server sent no certificate".into())
        }
        Error::AlertReceived(alert) => {
            (Cause::TlsAlertReceived, format!("the server ended TLS with the alert {alert:?}"))
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (Cause::TlsProtocolError, "what came is not TLS; this port may speak plain HTTP".into())
        }
        error => (Cause::TlsProtocolError, escape::line(&error.to_string(), 120)),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "the certificate has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = days(time.as_secs().saturating_sub(not_after.as_secs()));
            format!("the certificate expired {ago} ago")
        }
        CertificateError::NotValidYet => "the certificate is not valid yet".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            let more = days(not_before.as_secs().saturating_sub(time.as_secs()));
            format!("the certificate becomes valid in {more}; is the clock right?")
        }
        CertificateError::NotValidForName => "the certificate is for another host".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(3).map(|name| name_of(name)).collect();
            let more = if presented.len() > 3 { ", …" } else { "" };
            let expected = escape::line(&expected.to_str(), 80);
            let names = if names.is_empty() { "no name".into() } else { names.join(", ") };
            format!("the certificate is for {names}{more}, and not for {expected}")
        }
        CertificateError::UnknownIssuer => "the certificate's issuer is not trusted here: \
            self-signed, a private authority, or an intermediate that the server does not send"
            .into(),
        // What `openssl req -x509` makes: rustls has no name of its own for it.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate is that of an authority, most likely self-signed".into()
        }
        CertificateError::Revoked => "the certificate was revoked".into(),
        error => {
            format!("the certificate is not accepted: {}", escape::line(&error.to_string(), 120))
        }
    }
}

/// rustls writes `DnsName("host")`.
fn name_of(presented: &str) -> String {
    let inner = presented.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    escape::line(inner.map_or(presented, |(name, _)| name), 60)
}

fn days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => "less than a day".into(),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}
