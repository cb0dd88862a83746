//! The expected response of a gateway in each scenario.

use seawall::Cause::{self, *};

/// The expected response to one request through a gateway, and what the stack may conclude from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedResponse {
    pub(crate) scenario: &'static str,
    /// `None` if the response is not HTTP.
    pub(crate) status: Option<u16>,
    pub(crate) sender: Sender,
    /// The causes for which this gateway sends the response, as far as recorded. Empty if it looks like a success.
    pub(crate) causes: &'static [Cause],
    /// Whether the gateway only sends the response if it has not sent the request.
    pub(crate) implies_not_sent: bool,
    /// The requests that the origin receives for one request to the gateway.
    pub(crate) origin_requests: u64,
    pub(crate) body: BodyEnd,
    /// Whether the gateway closes a reused connection without a response. The client then sends the request again, as
    /// RFC 9112 §9.3.1 permits.
    pub(crate) only_on_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Gateway,
    Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// The origin's body, or the gateway's page.
    Complete,
    /// With an error.
    Truncated,
    /// Incomplete, but framed as complete, so that no client can detect it.
    TruncatedUndetected,
}

impl ExpectedResponse {
    /// A response of the gateway after it has sent the request.
    pub(crate) const fn from_gateway(
        scenario: &'static str,
        status: u16,
        causes: &'static [Cause],
    ) -> Self {
        let (sender, body) = (Sender::Gateway, BodyEnd::Complete);
        let status = Some(status);
        let (implies_not_sent, origin_requests, only_on_new) = (false, 1, false);
        Self {
            scenario,
            status,
            sender,
            causes,
            implies_not_sent,
            origin_requests,
            body,
            only_on_new,
        }
    }

    /// A response of the origin.
    pub(crate) const fn from_origin(
        scenario: &'static str,
        status: u16,
        causes: &'static [Cause],
    ) -> Self {
        Self { sender: Sender::Origin, ..Self::from_gateway(scenario, status, causes) }
    }

    /// A response with status 200.
    pub(crate) const fn success(scenario: &'static str, body: BodyEnd) -> Self {
        Self { body, ..Self::from_origin(scenario, 200, &[]) }
    }

    /// Bytes that are not HTTP.
    pub(crate) const fn not_http(scenario: &'static str, causes: &'static [Cause]) -> Self {
        Self { status: None, ..Self::from_gateway(scenario, 0, causes) }
    }

    /// The gateway closes a reused connection instead.
    pub(crate) const fn only_on_new_connections(self) -> Self {
        Self { only_on_new: true, ..self }
    }

    /// The origin received nothing, although the response does not prove it.
    pub(crate) const fn not_received(self) -> Self {
        Self { origin_requests: 0, ..self }
    }

    /// The origin received nothing, and the response proves it.
    pub(crate) const fn never_sent(self) -> Self {
        Self { implies_not_sent: true, ..self.not_received() }
    }
}

/// The responses that are the same for every gateway.
pub(crate) const COMMON: [ExpectedResponse; 8] = [
    ExpectedResponse::success("healthy", BodyEnd::Complete),
    ExpectedResponse::success("truncated", BodyEnd::Truncated),
    ExpectedResponse {
        implies_not_sent: true,
        ..ExpectedResponse::from_origin("origin-429", 429, &[RateLimited])
    },
    ExpectedResponse::from_origin("origin-500", 500, &[OriginError]),
    ExpectedResponse::from_origin("origin-502", 502, &[OriginError]),
    ExpectedResponse::from_origin("origin-503", 503, &[OriginError, Overloaded]),
    ExpectedResponse::from_origin("origin-503-later", 503, &[OriginError, Overloaded]),
    ExpectedResponse::from_origin("origin-504", 504, &[OriginError]),
];

/// General causes, which are correct where a response does not identify a specific one.
pub(crate) const GENERAL_CAUSES: &[Cause] =
    &[BadGateway, DestinationUnavailable, Overloaded, GatewayTimeout, Unknown];

pub(crate) const ENDED: &[Cause] = &[ConnectionTerminated, HttpResponseIncomplete];
pub(crate) const TIMED_OUT: &[Cause] = &[ConnectionReadTimeout, HttpResponseTimeout];
/// The connection ended, or the gateway could not parse the response.
pub(crate) const UNREADABLE: &[Cause] = &[
    ConnectionTerminated,
    HttpProtocolError,
    HttpResponseHeaderSectionSize,
    HttpResponseHeaderSize,
    HttpResponseIncomplete,
];
pub(crate) const NO_SUCH_NAME: &[Cause] = &[DestinationNotFound, DnsError];
