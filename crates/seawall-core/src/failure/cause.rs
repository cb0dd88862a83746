use std::{error::Error, fmt, str::FromStr};

use http::StatusCode;

use super::Blame;

/// Declares the causes: variant, token, recommended status, party at fault, description.
macro_rules! causes {
    ($($variant:ident = $token:literal, $status:ident, $blame:ident, $doc:literal;)*) => {
        /// The cause of a failure.
        ///
        /// Causes are the HTTP proxy error types registered by RFC 9209 §2.3, so that logs and `Proxy-Status` headers have the
        /// same terms, and then the causes that the RFC does not cover.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(#[doc = $doc] $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the token: lower case, words joined by `_`, as in `Proxy-Status: …; error=connection_refused`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $token,)*
                }
            }

            /// Returns the status of a gateway's response: the one that RFC 9209 §2.3 recommends, or else the one that RFC 9110
            /// §15 describes. Where RFC 9209 leaves a choice it is 400 (`http_request_error`) or 502
            /// (`proxy_internal_response`).
            #[must_use]
            pub const fn gateway_status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            /// Returns the party at fault, unless a [`Failure`](super::Failure) has details that
            /// show another.
            #[must_use]
            pub const fn blame(self) -> Blame {
                match self {
                    $(Self::$variant => Blame::$blame,)*
                }
            }

            /// Returns whether RFC 9209 §2.3 registers the cause.
            #[must_use]
            pub const fn is_registered(self) -> bool {
                self as u8 <= Self::ProxyLoopDetected as u8
            }

            /// Returns a description of one sentence for a person.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
            }
        }

        impl FromStr for Cause {
            type Err = ParseCauseError;

            /// Parses a token, exactly as [`as_str`](Self::as_str) gives it.
            ///
            /// # Errors
            /// Returns [`ParseCauseError`] for anything else.
            fn from_str(token: &str) -> Result<Self, ParseCauseError> {
                match token {
                    $($token => Ok(Self::$variant),)*
                    _ => Err(ParseCauseError(())),
                }
            }
        }
    };
}

causes! {
    // RFC 9209 §2.3.1 to §2.3.32, in its order.
    DnsTimeout = "dns_timeout", GATEWAY_TIMEOUT, Network,
        "The name lookup took too long.";
    DnsError = "dns_error", BAD_GATEWAY, Network,
        "The name lookup failed.";
    DestinationNotFound = "destination_not_found", INTERNAL_SERVER_ERROR, Process,
        "The gateway does not know where to send this request.";
    DestinationUnavailable = "destination_unavailable", SERVICE_UNAVAILABLE, Upstream,
        "The next hop is considered unavailable, for example by a health check.";
    DestinationIpProhibited = "destination_ip_prohibited", BAD_GATEWAY, Process,
        "Connecting to that address is not allowed.";
    DestinationIpUnroutable = "destination_ip_unroutable", BAD_GATEWAY, Network,
        "There is no route to that address.";
    ConnectionRefused = "connection_refused", BAD_GATEWAY, Upstream,
        "Nothing accepts connections on that address and port.";
    ConnectionTerminated = "connection_terminated", BAD_GATEWAY, Upstream,
        "The connection was closed before a whole response was received.";
    ConnectionTimeout = "connection_timeout", GATEWAY_TIMEOUT, Network,
        "Opening a connection took too long.";
    ConnectionReadTimeout = "connection_read_timeout", GATEWAY_TIMEOUT, Upstream,
        "No data came on the connection for too long.";
    ConnectionWriteTimeout = "connection_write_timeout", GATEWAY_TIMEOUT, Upstream,
        "The connection took no data for too long.";
    ConnectionLimitReached = "connection_limit_reached", SERVICE_UNAVAILABLE, Process,
        "The limit of connections or calls to the next hop is reached.";
    TlsProtocolError = "tls_protocol_error", BAD_GATEWAY, Upstream,
        "The TLS handshake or session failed.";
    TlsCertificateError = "tls_certificate_error", BAD_GATEWAY, Upstream,
        "The certificate was not accepted.";
    TlsAlertReceived = "tls_alert_received", BAD_GATEWAY, Upstream,
        "The peer ended TLS with an alert.";
    HttpRequestError = "http_request_error", BAD_REQUEST, Caller,
        "The request itself is at fault.";
    HttpRequestDenied = "http_request_denied", FORBIDDEN, Caller,
        "A gateway's policy does not allow the request.";
    HttpResponseIncomplete = "http_response_incomplete", BAD_GATEWAY, Upstream,
        "The response broke off before its end.";
    HttpResponseHeaderSectionSize = "http_response_header_section_size", BAD_GATEWAY, Upstream,
        "The response's header section is too large.";
    HttpResponseHeaderSize = "http_response_header_size", BAD_GATEWAY, Upstream,
        "A header of the response is too large.";
    HttpResponseBodySize = "http_response_body_size", BAD_GATEWAY, Upstream,
        "The response's body is too large.";
    HttpResponseTrailerSectionSize = "http_response_trailer_section_size", BAD_GATEWAY, Upstream,
        "The response's trailer section is too large.";
    HttpResponseTrailerSize = "http_response_trailer_size", BAD_GATEWAY, Upstream,
        "A trailer of the response is too large.";
    HttpResponseTransferCoding = "http_response_transfer_coding", BAD_GATEWAY, Upstream,
        "The response's transfer coding cannot be decoded.";
    HttpResponseContentCoding = "http_response_content_coding", BAD_GATEWAY, Upstream,
        "The response's content coding cannot be decoded.";
    HttpResponseTimeout = "http_response_timeout", GATEWAY_TIMEOUT, Upstream,
        "The response took too long.";
    HttpUpgradeFailed = "http_upgrade_failed", BAD_GATEWAY, Upstream,
        "The upgrade to another protocol failed.";
    HttpProtocolError = "http_protocol_error", BAD_GATEWAY, Upstream,
        "What came is not HTTP, or not the version of it that was agreed on.";
    ProxyInternalResponse = "proxy_internal_response", BAD_GATEWAY, Upstream,
        "The gateway made this response itself, on purpose.";
    ProxyInternalError = "proxy_internal_error", INTERNAL_SERVER_ERROR, Process,
        "The gateway itself failed, whatever the upstream did.";
    ProxyConfigurationError = "proxy_configuration_error", INTERNAL_SERVER_ERROR, Process,
        "The gateway is configured wrongly.";
    ProxyLoopDetected = "proxy_loop_detected", BAD_GATEWAY, Process,
        "The request came back to a gateway it had passed.";

    // Causes that RFC 9209 does not cover.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, Caller,
        "The sender's quota is spent (429).";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, Upstream,
        "The server says that it cannot serve now (503, 529).";
    OriginError = "origin_error", BAD_GATEWAY, Upstream,
        "The server failed at the request in its own way (500, 501, 505 and other 5xx).";
    BadGateway = "bad_gateway", BAD_GATEWAY, Upstream,
        "A 502 that tells nothing more.";
    GatewayTimeout = "gateway_timeout", GATEWAY_TIMEOUT, Upstream,
        "A 504 that tells nothing more: connecting or answering took too long.";
    CircuitOpen = "circuit_open", SERVICE_UNAVAILABLE, Process,
        "A circuit breaker in this process rejects calls for now.";
    Cancelled = "cancelled", SERVICE_UNAVAILABLE, Caller,
        "The call was given up before it ended.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, Caller,
        "The server waited too long for the request (408).";
    Conflict = "conflict", CONFLICT, Caller,
        "The request conflicts with the state of its target (409).";
    ClientError = "client_error", BAD_REQUEST, Caller,
        "The server finds fault with the request (any other 4xx).";
    Unknown = "unknown", BAD_GATEWAY, Upstream,
        "Not known.";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of parsing a text that is not the token of a [`Cause`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCauseError(());

impl fmt::Display for ParseCauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the token of a known cause")
    }
}

impl Error for ParseCauseError {}
