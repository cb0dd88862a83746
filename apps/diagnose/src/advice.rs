//! The next steps for a person with a shell.
//!
//! The library's advice addresses people who build a client. This module replaces it where it
//! mentions code, or where the connection shows more.

use seawall::{Cause, Detail, Failure};

use crate::{
    protocol::Protocol,
    report::{Peer, Stage},
    wire::End,
};

type Steps = &'static [&'static str];

const INSPECT_TLS: &str =
    "Inspect the handshake: `openssl s_client -connect HOST:PORT -servername HOST`.";
const GREETING: &str = "Read the server's first bytes: `nc HOST PORT`.";
const LISTENER: &str = "Find the process that listens on the port: run `ss -ltnp` on its host.";

/// Returns the next step and the further steps of a failure.
///
/// Commands are between backticks, and contain the placeholders `HOST`, `PORT` and `URL`.
pub(crate) fn of(failure: &Failure, peer: Peer, stage: Option<Stage>) -> (String, Vec<String>) {
    if let Some((advice, checks)) = of_protocol(failure, peer.protocol) {
        return (advice, owned(checks));
    }
    if let Some((advice, checks)) = of_connection(failure, peer.end, stage) {
        return (advice.into(), owned(checks));
    }
    if let Some((advice, checks)) = of_cause(failure) {
        return (advice.into(), owned(checks));
    }
    // Omits the last step: the report already states whether a retry is safe.
    let (_retry, checks) = failure.cause().checks().split_last().unwrap_or((&"", &[]));
    // The report already contains the plain request.
    let checks = checks.iter().filter(|check| !check.contains("`curl -v URL`"));
    (failure.advice().into(), checks.map(ToString::to_string).collect())
}

fn owned(steps: Steps) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

/// Returns the steps for a server of another protocol.
fn of_protocol(failure: &Failure, protocol: Option<Protocol>) -> Option<(String, Steps)> {
    Some(match (protocol, failure.detail()) {
        (Some(Protocol::Tls), _) | (_, Some(Detail::ServerSpeaksTls)) => (
            "Use https in the URL, or the server's port for plain HTTP.".into(),
            &[INSPECT_TLS, "If a gateway sends to this port, set its upstream to https."],
        ),
        (Some(Protocol::Http2), Some(Detail::ServerSpeaksPlain)) => (
            "Use a client of HTTP/2 without TLS, or the server's port for TLS.".into(),
            &["Send the request with HTTP/2: `curl -v --http2-prior-knowledge http://HOST:PORT/`."],
        ),
        (Some(Protocol::Http1), _) => (
            "Use http in the URL, or the server's port for TLS.".into(),
            &["If a gateway sends to this port, set its upstream to http."],
        ),
        (Some(Protocol::Http2), _) | (_, Some(Detail::ServerSpeaksHttp2)) => (
            "Use a client of HTTP/2 or gRPC: the server does not accept HTTP/1.1.".into(),
            &[
                "Send the request with HTTP/2: `curl -v --http2-prior-knowledge URL`.",
                "If the server is a gRPC server, list its services: `grpcurl -plaintext HOST:PORT list`.",
                "If a gateway sends to this port, set its upstream to HTTP/2 without TLS (h2c).",
            ],
        ),
        (Some(Protocol::Other(name)), _) => (
            format!("Check the port in the URL: it serves {name}, not HTTP."),
            &[GREETING, LISTENER],
        ),
        (None, Some(Detail::ServerSpokeFirst)) => (
            "Check the port in the URL: its server sends before it receives a request, which web servers do not.".into(),
            &[GREETING, LISTENER],
        ),
        (None, Some(Detail::ServerSpeaksPlain)) => (
            "Check the port in the URL: its server does not speak TLS.".into(),
            &[GREETING, LISTENER],
        ),
        _ => return None,
    })
}

/// Returns the steps for a connection that ended too early. It was new, so that no keep-alive
/// timeout can be the reason.
fn of_connection(
    failure: &Failure,
    end: Option<End>,
    stage: Option<Stage>,
) -> Option<(&'static str, Steps)> {
    let is_early = matches!(
        failure.cause(),
        Cause::ConnectionTerminated | Cause::TlsProtocolError | Cause::HttpResponseIncomplete
    );
    if !is_early || failure.detail().is_some() {
        return None;
    }
    Some(match (end?, stage?) {
        (End::Closed, Stage::Tls) => (
            "Check that the server speaks TLS on this port, and knows this host name.",
            &[INSPECT_TLS, "Read the server's TLS log at this time."],
        ),
        (End::Reset, _) => (
            "Find which device resets the connection: the server, or a firewall or load balancer before it.",
            &[
                "Look for a crash, a restart or an out-of-memory kill on the server's host: `dmesg`.",
                "Check the backends of a load balancer or a port mapping: without one, they reset connections.",
                "Record the packets on both ends, and compare who sends the RST: `tcpdump -n host HOST and port PORT`.",
            ],
        ),
        (End::Closed, _) => (
            "Read the server's log at this time: it closed a new connection.",
            &[
                "Look for a crash, a restart or an out-of-memory kill on the server's host: `dmesg`.",
                "Check for a limit of connections or a list of allowed addresses.",
                "Check the backends of a load balancer: without one, some close the connection.",
            ],
        ),
    })
}

/// Returns the steps for causes whose library text is about code.
fn of_cause(failure: &Failure) -> Option<(&'static str, Steps)> {
    Some(match failure.cause() {
        Cause::Unknown => (
            "Read the error message, and the log of each server on the way at this time.",
            &["Check that the server is running: run `ss -ltnp` on its host."],
        ),
        Cause::HttpResponseTimeout => (
            "Check why the server is slow, then whether --timeout suits this request.",
            &[
                "Measure the request: `curl -sv -o /dev/null -w '%{time_total}' URL`.",
                "Check the server's load, database queries and locks.",
                "Search the server's log for this request, which may still be running.",
            ],
        ),
        Cause::Cancelled => (
            "Find out why the request was cancelled: by its sender or by a shutdown.",
            &["Check whether the server or a gateway before it was shutting down."],
        ),
        Cause::HttpProtocolError if matches!(failure.detail(), Some(Detail::Http2 { .. })) => (
            "Check that the server speaks HTTP/2 on this port.",
            &["Compare both versions: `curl -v --http1.1 URL` and `curl -v --http2 URL`."],
        ),
        Cause::ProxyInternalError if matches!(failure.detail(), Some(Detail::OutOf(_))) => (
            "Check the resources of this host.",
            &[
                "Check memory, file descriptors and local ports: `free -m`, `ulimit -n` and `ss -s`.",
            ],
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use seawall::{Cause, Detail, Failure};

    use super::of;
    use crate::report::{Peer, Stage};

    #[test]
    fn advice_mentions_no_code() {
        let details = [
            None,
            Some(Detail::ServerSpokeFirst),
            Some(Detail::ServerSpeaksTls),
            Some(Detail::ServerSpeaksPlain),
            Some(Detail::ServerSpeaksHttp2),
        ];
        for &cause in Cause::ALL {
            for detail in details {
                let failure = Failure::new(cause).with_detail(detail);
                let (advice, checks) = of(&failure, Peer::default(), Some(Stage::Http));
                for text in checks.into_iter().chain([advice]) {
                    for word in [
                        "feature",
                        "layer",
                        "Layer",
                        "crate",
                        "Rust",
                        "hyper",
                        "tonic",
                        "reqwest",
                        "seawall",
                        "Build",
                        "pings",
                        "this process",
                    ] {
                        assert!(!text.contains(word), "{cause}, {detail:?}: {text}");
                    }
                }
            }
        }
    }
}
