//! The expected response of a gateway in each scenario.

use seawall::Cause::{self, *};

/// The expected response to one request through a gateway, and its correct classifications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedResponse {
    pub(crate) scenario: &'static str,
    /// `None` if the response is not HTTP.
    pub(crate) status: Option<u16>,
    pub(crate) sender: Sender,
    /// The recorded causes for which this gateway sends the response. Empty for a success.
    pub(crate) causes: &'static [Cause],
    /// True if the gateway sends the response only when it has not sent the request.
    pub(crate) implies_not_sent: bool,
    /// The number of requests that the origin receives for one request to the gateway.
    pub(crate) origin_requests: u64,
    pub(crate) body: BodyEnd,
    /// True if the gateway closes a reused connection without a response.
    ///
    /// The client then sends the request again, as RFC 9112 §9.3.1 permits.
    pub(crate) only_on_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Gateway,
    Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// The complete body of the origin or page of the gateway.
    Complete,
    /// Ends with an error.
    Truncated,
    /// Incomplete but framed as complete, so that no client can detect the truncation.
    TruncatedUndetected,
}

impl ExpectedResponse {
    /// Returns a response of the gateway after it has sent the request.
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

    /// Returns a response of the origin.
    pub(crate) const fn from_origin(
        scenario: &'static str,
        status: u16,
        causes: &'static [Cause],
    ) -> Self {
        Self { sender: Sender::Origin, ..Self::from_gateway(scenario, status, causes) }
    }

    /// Returns a response with status 200.
    pub(crate) const fn success(scenario: &'static str, body: BodyEnd) -> Self {
        Self { body, ..Self::from_origin(scenario, 200, &[]) }
    }

    /// Returns bytes that are not HTTP.
    pub(crate) const fn not_http(scenario: &'static str, causes: &'static [Cause]) -> Self {
        Self { status: None, ..Self::from_gateway(scenario, 0, causes) }
    }

    /// Sets that the gateway closes a reused connection instead of responding.
    pub(crate) const fn only_on_new_connections(self) -> Self {
        Self { only_on_new: true, ..self }
    }

    /// Sets that the origin received no request, although the response does not prove it.
    pub(crate) const fn not_received(self) -> Self {
        Self { origin_requests: 0, ..self }
    }

    /// Sets that the origin received no request, and that the response proves it.
    pub(crate) const fn never_sent(self) -> Self {
        Self { implies_not_sent: true, ..self.not_received() }
    }
}

/// The responses that all gateways share.
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

/// General causes, which are correct when a response has several possible causes.
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
