//! The failure of a connection by the bytes that the server sent, and by its end.

use seawall::{Cause, Detail, Failure, Processed, Reporter};

use crate::{
    escape,
    protocol::{self, Protocol},
    report::{Peer, StepResult},
    secrets::Secrets,
    wire::{End, Record},
};

const MAX_GREETING_CHARS: usize = 60;

/// Returns the more specific result for an HTTP exchange that failed, if the connection shows one.
///
/// `failure` is the classification of the library's error.
pub(super) fn http_result<T>(
    record: &Record,
    failure: Failure,
    is_http2: bool,
    secrets: &Secrets,
) -> Option<StepResult<T>> {
    let protocol = protocol::identify(&record.first).filter(|_| !is_http2);
    let (detail, text) = match protocol {
        Some(Protocol::Tls) => (
            Some(Detail::ServerSpeaksTls),
            "the server speaks TLS on this port, and the request was sent without TLS".to_owned(),
        ),
        Some(Protocol::Http2) => (
            Some(Detail::ServerSpeaksHttp2),
            "the server speaks HTTP/2 only, as gRPC servers do; the request was sent with HTTP/1.1"
                .to_owned(),
        ),
        Some(Protocol::Other(name)) => {
            let detail = record.spoke_first.then_some(Detail::ServerSpokeFirst);
            (detail, format!("the server speaks {name}, not HTTP{}", quoted(record, secrets)))
        }
        Some(Protocol::Http1) => return ended(record, failure),
        None if is_http2 || record.received == 0 => return ended(record, failure),
        None if record.spoke_first => (
            Some(Detail::ServerSpokeFirst),
            format!(
                "the server sent bytes before the request that are not HTTP{}",
                quoted(record, secrets)
            ),
        ),
        None => (None, format!("the server's response is not HTTP{}", quoted(record, secrets))),
    };
    let processed = if record.sent == 0 { Processed::No } else { failure.processed() };
    let failure = local(Cause::HttpProtocolError).with_processed(processed).with_detail(detail);
    Some(StepResult::failed(failure, text).with_peer(Peer { protocol, end: record.end }))
}

/// Returns the result for a connection that ended within the exchange.
fn ended<T>(record: &Record, failure: Failure) -> Option<StepResult<T>> {
    if failure.cause() != Cause::ConnectionTerminated || failure.detail().is_some() {
        return None;
    }
    let end = record.end?;
    let when = match record {
        Record { sent: 0, .. } => "before the request was sent".to_owned(),
        Record { received: 0, .. } => {
            "after the request was sent, and before any byte of the response".to_owned()
        }
        Record { received, .. } => {
            format!("after {received} bytes, before the response headers were complete")
        }
    };
    let failure = if record.sent == 0 { failure.with_processed(Processed::No) } else { failure };
    let step = StepResult::failed(failure, format!("the server {} {when}", verb(end)));
    Some(step.with_peer(Peer { protocol: None, end: Some(end) }))
}

/// Returns the more specific result for a TLS handshake that failed, if the connection shows one.
pub(super) fn tls_result<T>(record: &Record, secrets: &Secrets) -> Option<StepResult<T>> {
    let is_tls_record = matches!(record.first[..], [0x14..=0x17, 3, ..] | [0x14..=0x17] | []);
    if !is_tls_record {
        return Some(not_tls(protocol::identify(&record.first), &quoted(record, secrets)));
    }
    let end = record.end?;
    let when = match record {
        Record { sent: 0, .. } => "before the handshake began".to_owned(),
        Record { received: 0, .. } => "without a response to the handshake".to_owned(),
        Record { received, .. } => format!("during the handshake, after {received} bytes"),
    };
    let cause = match end {
        End::Closed => Cause::TlsProtocolError,
        End::Reset => Cause::ConnectionTerminated,
    };
    let failure = local(cause).with_processed(Processed::No);
    let step = StepResult::failed(failure, format!("the server {} {when}", verb(end)));
    Some(step.with_peer(Peer { protocol: None, end: Some(end) }))
}

/// Returns the result for a server that does not speak TLS. `greeting` follows the text.
pub(super) fn not_tls<T>(protocol: Option<Protocol>, greeting: &str) -> StepResult<T> {
    let text = match protocol {
        Some(Protocol::Http1) => "the server speaks plain HTTP on this port, not TLS".to_owned(),
        Some(Protocol::Http2) => "the server speaks HTTP/2 without TLS on this port".to_owned(),
        Some(other) => format!("the server speaks {}, not TLS{greeting}", other.name()),
        None => format!("the server's response is not TLS{greeting}"),
    };
    let failure = local(Cause::TlsProtocolError)
        .with_processed(Processed::No)
        .with_detail(Some(Detail::ServerSpeaksPlain));
    StepResult::failed(failure, text).with_peer(Peer { protocol, end: None })
}

/// Returns the result for a server that speaks TLS on a port that was used without.
pub(super) fn speaks_tls<T>(failure: Failure, observed: &str) -> StepResult<T> {
    let text = format!("{observed}; the server speaks TLS on this port");
    let failure = local(Cause::HttpProtocolError)
        .with_processed(failure.processed())
        .with_detail(Some(Detail::ServerSpeaksTls));
    let peer = Peer { protocol: Some(Protocol::Tls), end: None };
    StepResult::failed(failure, text).with_peer(peer)
}

fn local(cause: Cause) -> Failure {
    Failure::new(cause).with_reporter(Reporter::Local)
}

/// Describes how the server ended the connection.
pub(super) const fn verb(end: End) -> &'static str {
    match end {
        End::Closed => "closed the connection",
        End::Reset => "reset the connection (RST)",
    }
}

/// Returns the first line of the server after a colon, or nothing if it is not text.
fn quoted(record: &Record, secrets: &Secrets) -> String {
    protocol::greeting(&record.first).map_or_else(String::new, |line| {
        format!(": {}", escape::single_line(&secrets.redact(&line), MAX_GREETING_CHARS))
    })
}
