//! What the errors of client libraries tell. Each by its own predicates, never by its text.

use std::error::Error;

use super::chain::{Findings, Step};

pub(super) fn look_at(findings: &mut Findings, error: &(dyn Error + 'static)) -> Step {
    #[cfg(feature = "reqwest-0_13")]
    if let Some(error) = error.downcast_ref::<crate::reqwest::Error>() {
        findings.may_be_redirected = Some(error.may_be_redirected());
        return Step::Continue;
    }
    #[cfg(feature = "reqwest-0_13")]
    if let Some(error) = error.downcast_ref() {
        return of_reqwest(findings, error);
    }
    #[cfg(feature = "tonic-0_14")]
    if let Some(step) = of_tonic(findings, error) {
        return step;
    }
    #[cfg(feature = "hyper-util")]
    if let Some(error) = error.downcast_ref() {
        of_hyper_util(findings, error);
        return Step::Continue;
    }
    #[cfg(feature = "hyper-util")]
    if let Some(error) = error.downcast_ref() {
        of_http_connector(findings, error);
        return Step::Continue;
    }
    #[cfg(feature = "hyper")]
    if let Some(error) = error.downcast_ref() {
        return of_hyper(findings, error);
    }
    #[cfg(feature = "h2")]
    if let Some(error) = error.downcast_ref() {
        of_h2(findings, error);
    }
    Step::Continue
}

#[cfg(feature = "reqwest-0_13")]
fn of_reqwest(findings: &mut Findings, error: &reqwest::Error) -> Step {
    use super::{chain::Phase, io::timed_out};
    use crate::Cause;

    // It follows redirects by itself, and does not say so.
    findings.may_be_redirected.get_or_insert(true);
    // `is_request` is also true of a failed connect, so only "connect" says anything about the phase.
    if error.is_connect() {
        findings.phase = Phase::Connect;
    }
    if error.is_timeout() {
        findings.cause = Some(timed_out(findings.phase));
    } else if error.is_builder() {
        findings.cause = Some(Cause::HttpRequestError);
        return Step::Stop;
    } else if error.is_decode() {
        findings.cause = Some(Cause::HttpResponseContentCoding);
    }
    Step::Continue
}

#[cfg(feature = "tonic-0_14")]
fn of_tonic(findings: &mut Findings, error: &(dyn Error + 'static)) -> Option<Step> {
    use super::{chain::Phase, grpc, io::timed_out};

    if let Some(status) = error.downcast_ref::<tonic::Status>() {
        // A status is somebody's answer, even where it was made of an error: of an upstream's, as likely as not, and
        // what is proven of a call to that one says nothing about this one.
        findings.cause = grpc::cause_of((status.code() as i32).to_string().as_bytes());
        return Some(Step::Stop);
    }
    if error.is::<tonic::ConnectError>() {
        // TCP and TLS: only a channel that is connected takes a request (tonic 0.14: channel/service/reconnect.rs).
        findings.phase = Phase::Connect;
    } else if error.is::<tonic::TimeoutExpired>() {
        findings.cause = Some(timed_out(findings.phase));
    } else {
        return None;
    }
    Some(Step::Continue)
}

#[cfg(feature = "hyper-util")]
fn of_hyper_util(findings: &mut Findings, error: &hyper_util::client::legacy::Error) {
    use super::chain::{Connection, Phase};
    use crate::hyper_util::Use;

    findings.phase = if error.is_connect() { Phase::Connect } else { Phase::Exchange };
    let mut extras = http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    findings.connection = match extras.get::<Use>() {
        Some(last) if last.is_stale() => Connection::Stale,
        Some(last) if last.is_reused() => Connection::Used,
        // By itself the client sends again what it never wrote to a connection from its pool, so what it does not is taken
        // for fresh unless proven otherwise.
        _ => Connection::Fresh,
    };
}

#[cfg(feature = "hyper-util")]
type ConnectError = <hyper_util::client::legacy::connect::HttpConnector as tower_service::Service<
    http::Uri,
>>::Error;

/// The connector says of a URL that it is not for it, having another scheme such as `https`, or no host: without a cause, which
/// all its other errors have (hyper-util 0.1.21: client/legacy/connect/http.rs, `get_host_port`). Should that change, such a
/// request is tried again, in vain.
#[cfg(feature = "hyper-util")]
fn of_http_connector(findings: &mut Findings, error: &ConnectError) {
    if error.source().is_none() {
        findings.cause = Some(crate::Cause::HttpRequestError);
    }
}

#[cfg(feature = "hyper")]
fn of_hyper(findings: &mut Findings, error: &hyper::Error) -> Step {
    use super::chain::Phase;
    use crate::Cause;

    // Inside a connect error it is the tunnel's or the handshake's: of the request itself nothing was sent.
    if findings.phase == Phase::Unknown {
        findings.phase = Phase::Exchange;
    }
    if error.is_canceled() && !is_upgrade(error) {
        // hyper's word for a request that was never written, its connection having closed before
        // (hyper 1.12: client/dispatch.rs, client/conn/http1.rs and http2.rs, proto/h1/dispatch.rs).
        findings.unprocessed = true;
        findings.never_written = true;
        findings.cause = Some(Cause::ConnectionTerminated);
    } else if error.is_canceled() {
        findings.cause = Some(Cause::HttpUpgradeFailed);
    } else if error.is_user() {
        // The sources are the caller's own, such as a request body that is itself another upstream's response: what
        // is proven about that one says nothing about this one.
        findings.cause = Some(own_body(error));
        return Step::Stop;
    } else if error.is_parse_too_large() {
        findings.cause = Some(Cause::HttpResponseHeaderSectionSize);
    } else if error.is_parse() {
        findings.cause = Some(Cause::HttpProtocolError);
    } else if error.is_incomplete_message() || error.is_closed() {
        findings.cause = Some(Cause::ConnectionTerminated);
    } else if error.is_timeout() {
        findings.cause = Some(Cause::HttpResponseTimeout);
    }
    Step::Continue
}

/// What failed in a request's body: its own sender, if that was too slow for a limit of ours.
#[cfg(feature = "hyper")]
fn own_body(error: &hyper::Error) -> crate::Cause {
    #[cfg(feature = "body-timeout")]
    {
        use crate::time_limit::{Elapsed, Phase};

        let phase = crate::error::find_source::<Elapsed>(error).map(Elapsed::phase);
        if let Some(Phase::RequestIdle | Phase::RequestTotal) = phase {
            return crate::Cause::RequestTimeout;
        }
    }
    let _ = error;
    crate::Cause::HttpRequestError
}

/// Whether "canceled" is about an upgrade, which comes after the request was answered (hyper 1.12: upgrade.rs).
///
/// hyper has no predicate for it. What tells it apart is its source: there a type without fields, and in all cases of a
/// request that was not written a text or another error. Should that change, "upgrade" is the side that proves nothing.
#[cfg(feature = "hyper")]
fn is_upgrade(canceled: &hyper::Error) -> bool {
    canceled.source().is_none_or(|source| size_of_val(source) == 0)
}

#[cfg(feature = "h2")]
fn of_h2(findings: &mut Findings, error: &h2::Error) {
    use crate::Cause;

    if error.is_io() {
        return;
    }
    findings.cause = Some(if error.is_remote() && (error.is_reset() || error.is_go_away()) {
        Cause::ConnectionTerminated
    } else if error.is_reset() && !error.is_library() {
        // By this side, and not for what came: hyper does so when the request's own body fails (hyper 1.12:
        // proto/h2/mod.rs, `on_user_err`), and does not say why.
        Cause::HttpRequestError
    } else {
        Cause::HttpProtocolError
    });
    // RFC 9113 §8.7: REFUSED_STREAM is a promise that nothing was processed. §6.8: streams above the last one that a
    // GOAWAY names were not; h2 hands a GOAWAY only to those. Other reasons are left out, since they say that
    // something is broken on the side that gives its word.
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let going_away = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    if error.is_remote() && (refused || going_away) {
        findings.unprocessed = true;
    }
}
