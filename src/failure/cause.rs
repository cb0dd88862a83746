use std::{error::Error, fmt, str::FromStr};

use http::StatusCode;

/// One row a cause: variant, token, recommended status, what it means, what a person should check next.
macro_rules! causes {
    ($($variant:ident = $token:literal, $status:ident, $doc:literal, $advice:literal;)*) => {
        /// What went wrong.
        ///
        /// The HTTP proxy error types registered by RFC 9209 §2.3 wherever one fits, so that what is logged here and
        /// what a `Proxy-Status` header says are the same words; after those, the causes that RFC has no name for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(#[doc = $doc] $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its token: lower case, words joined by `_`, as in `Proxy-Status: …; error=connection_refused`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $token,)*
                }
            }

            /// The status a gateway should answer with: the one RFC 9209 §2.3 recommends; for our own causes the one
            /// RFC 9110 §15 describes. Where RFC 9209 leaves a choice it is 400 (`http_request_error`) or 502
            /// (`proxy_internal_response`).
            #[must_use]
            pub const fn gateway_status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            /// Whether RFC 9209 §2.3 registers it; if not, it is one of ours.
            #[must_use]
            pub const fn is_registered(self) -> bool {
                self as u8 <= Self::ProxyLoopDetected as u8
            }

            /// One sentence for a person: what to check next.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$variant => $advice,)*
                }
            }
        }

        impl FromStr for Cause {
            type Err = UnknownCause;

            /// Parses a token, exactly as [`as_str`](Self::as_str) gives it.
            ///
            /// # Errors
            /// Returns [`UnknownCause`] for anything else.
            fn from_str(token: &str) -> Result<Self, UnknownCause> {
                match token {
                    $($token => Ok(Self::$variant),)*
                    _ => Err(UnknownCause(())),
                }
            }
        }
    };
}

causes! {
    // RFC 9209 §2.3.1 to §2.3.32, in its order.
    DnsTimeout = "dns_timeout", GATEWAY_TIMEOUT,
        "The name lookup took too long.",
        "Check that the resolver is reachable from this host.";
    DnsError = "dns_error", BAD_GATEWAY,
        "The name lookup failed.",
        "Check the upstream's host name for a typing error, and that its DNS record exists and resolves from this host.";
    DestinationNotFound = "destination_not_found", INTERNAL_SERVER_ERROR,
        "The gateway does not know where to send this request.",
        "Check the gateway's routes: none leads to an upstream for this host and path.";
    DestinationUnavailable = "destination_unavailable", SERVICE_UNAVAILABLE,
        "The next hop is considered unavailable, for example by a health check.",
        "Check that the upstream is running and that its health check passes.";
    DestinationIpProhibited = "destination_ip_prohibited", BAD_GATEWAY,
        "Connecting to that address is not allowed.",
        "Check firewall rules and egress policies for the upstream's address.";
    DestinationIpUnroutable = "destination_ip_unroutable", BAD_GATEWAY,
        "There is no route to that address.",
        "Check the network between here and the upstream: routes, security groups, a VPN that is down.";
    ConnectionRefused = "connection_refused", BAD_GATEWAY,
        "Nothing accepts connections on that address and port.",
        "Check that the upstream is running and listens on this address and port.";
    ConnectionTerminated = "connection_terminated", BAD_GATEWAY,
        "The connection was closed before a whole response was received.",
        "Check the upstream's log for a crash or restart at this time, and that its keep-alive timeout is longer than the idle timeout of the connections to it.";
    ConnectionTimeout = "connection_timeout", GATEWAY_TIMEOUT,
        "Opening a connection took too long.",
        "Check that the upstream's address is right and that no firewall silently drops packets to it.";
    ConnectionReadTimeout = "connection_read_timeout", GATEWAY_TIMEOUT,
        "No data came on the connection for too long.",
        "Check whether the upstream is overloaded or waits for something itself, such as a database.";
    ConnectionWriteTimeout = "connection_write_timeout", GATEWAY_TIMEOUT,
        "The connection took no data for too long.",
        "Check whether the upstream is too busy to read, or the network between drops packets.";
    ConnectionLimitReached = "connection_limit_reached", SERVICE_UNAVAILABLE,
        "The limit of connections or calls to the next hop is reached.",
        "Check whether the upstream has become slow, then whether the limit is too low for the load.";
    TlsProtocolError = "tls_protocol_error", BAD_GATEWAY,
        "The TLS handshake or session failed.",
        "Check that the upstream speaks TLS on this port and that both sides have a version and cipher in common.";
    TlsCertificateError = "tls_certificate_error", BAD_GATEWAY,
        "The certificate was not accepted.",
        "Check the upstream's certificate: its expiry, its host names, and that its issuer is trusted here.";
    TlsAlertReceived = "tls_alert_received", BAD_GATEWAY,
        "The peer ended TLS with an alert.",
        "Check the upstream's TLS log: it may want a client certificate or another host name.";
    HttpRequestError = "http_request_error", BAD_REQUEST,
        "The request itself is at fault.",
        "Check the request: the gateway could not send it as it is.";
    HttpRequestDenied = "http_request_denied", FORBIDDEN,
        "A gateway's policy does not allow the request.",
        "Check the gateway's access rules or web application firewall for this request.";
    HttpResponseIncomplete = "http_response_incomplete", BAD_GATEWAY,
        "The response broke off before its end.",
        "Check the upstream's log for a crash, and for a worker killed for time or memory, while it was answering.";
    HttpResponseHeaderSectionSize = "http_response_header_section_size", BAD_GATEWAY,
        "The response's header section is too large.",
        "Check what the upstream puts into its headers, most often cookies, or raise the limit.";
    HttpResponseHeaderSize = "http_response_header_size", BAD_GATEWAY,
        "A header of the response is too large.",
        "Check what the upstream puts into that header, most often a cookie, or raise the limit.";
    HttpResponseBodySize = "http_response_body_size", BAD_GATEWAY,
        "The response's body is too large.",
        "Check whether the response is meant to be this large, or raise the limit.";
    HttpResponseTrailerSectionSize = "http_response_trailer_section_size", BAD_GATEWAY,
        "The response's trailer section is too large.",
        "Check what the upstream puts into its trailers, or raise the limit.";
    HttpResponseTrailerSize = "http_response_trailer_size", BAD_GATEWAY,
        "A trailer of the response is too large.",
        "Check what the upstream puts into that trailer, or raise the limit.";
    HttpResponseTransferCoding = "http_response_transfer_coding", BAD_GATEWAY,
        "The response's transfer coding cannot be decoded.",
        "Check what stands between here and the upstream: a proxy may be damaging chunked responses.";
    HttpResponseContentCoding = "http_response_content_coding", BAD_GATEWAY,
        "The response's content coding cannot be decoded.",
        "Check that the upstream compresses in the coding it names, and only once.";
    HttpResponseTimeout = "http_response_timeout", GATEWAY_TIMEOUT,
        "The response took too long.",
        "Check what the upstream was doing with this request, then whether the time limit suits it.";
    HttpUpgradeFailed = "http_upgrade_failed", BAD_GATEWAY,
        "The upgrade to another protocol failed.",
        "Check that the upstream and every gateway before it allow the upgrade, for example to WebSocket.";
    HttpProtocolError = "http_protocol_error", BAD_GATEWAY,
        "What came is not HTTP, or not the version of it that was agreed on.",
        "Check that this port speaks HTTP, that it is not TLS on a plain port, and that both sides mean the same version.";
    ProxyInternalResponse = "proxy_internal_response", BAD_GATEWAY,
        "The gateway made this response itself, on purpose.",
        "Check the gateway's configuration for a rule that answers this request.";
    ProxyInternalError = "proxy_internal_error", INTERNAL_SERVER_ERROR,
        "The gateway itself failed, whatever the upstream did.",
        "Check the gateway's own log and resources: memory, file descriptors, disk, local ports.";
    ProxyConfigurationError = "proxy_configuration_error", INTERNAL_SERVER_ERROR,
        "The gateway is configured wrongly.",
        "Check the gateway's configuration, above all what changed last.";
    ProxyLoopDetected = "proxy_loop_detected", BAD_GATEWAY,
        "The request came back to a gateway it had passed.",
        "Check the routes of the gateways on the way: one of them leads back.";

    // Ours: what RFC 9209 has no name for.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS,
        "The sender's quota is spent (429).",
        "Send less, or ask for a higher quota; wait as long as the response says.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE,
        "The server says that it cannot serve now (503, 529).",
        "Check the upstream's load and resources, and whether it is in maintenance.";
    OriginError = "origin_error", BAD_GATEWAY,
        "The server failed at the request in its own way (500, 501, 505 and other 5xx).",
        "Check the upstream's own log for this request: it was reached, and failed.";
    BadGateway = "bad_gateway", BAD_GATEWAY,
        "A 502 that tells nothing more.",
        "Find out which gateway answered, and read its log: it could not get a valid response from the hop behind it.";
    GatewayTimeout = "gateway_timeout", GATEWAY_TIMEOUT,
        "A 504 that tells nothing more: connecting or answering took too long.",
        "Find out which gateway answered, and read its log: the hop behind it took too long to connect or to answer.";
    CircuitOpen = "circuit_open", SERVICE_UNAVAILABLE,
        "A circuit breaker in this process rejects calls for now.",
        "Look at the cause that opened the circuit: the upstream failed too often just before.";
    Cancelled = "cancelled", SERVICE_UNAVAILABLE,
        "The call was given up before it ended.",
        "Check who gave up: the caller, or a shutdown.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT,
        "The server waited too long for the request (408).",
        "Check the network towards the upstream and how fast the request's body is sent.";
    Conflict = "conflict", CONFLICT,
        "The request conflicts with the state of its target (409).",
        "Fetch the current state before sending the request again.";
    ClientError = "client_error", BAD_REQUEST,
        "The server finds fault with the request (any other 4xx).",
        "Check the request: its target, its headers and credentials, its body.";
    Unknown = "unknown", BAD_GATEWAY,
        "Not known.",
        "Look at the error's own text, and at the logs of each hop at this time.";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no [`Cause`]'s token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCause(());

impl fmt::Display for UnknownCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the token of a known cause")
    }
}

impl Error for UnknownCause {}
