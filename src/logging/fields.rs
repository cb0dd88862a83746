//! The names of the fields.
//!
//! OpenTelemetry's semantic conventions for HTTP, in their stable names where they are stable:
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>. What those have no name for is under `seawall.`.

/// Of a few, or `_OTHER`.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-method>
pub(super) const METHOD: &str = "http.request.method";
/// The method as it came, if that is another.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-method-original>
pub(super) const METHOD_ORIGINAL: &str = "http.request.method_original";
/// Requests sent before this one, in place of which it was sent.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-resend-count>
pub(super) const RESEND_COUNT: &str = "http.request.resend_count";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-response-status-code>
pub(super) const STATUS_CODE: &str = "http.response.status_code";
/// As far as it was read. Of status "development".
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-response-body-size>
pub(super) const BODY_SIZE: &str = "http.response.body.size";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-route>
pub(super) const ROUTE: &str = "http.route";
/// On a client.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-full>
pub(super) const URL_FULL: &str = "url.full";
/// On a server, as the next two.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-path>
pub(super) const URL_PATH: &str = "url.path";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-query>
pub(super) const URL_QUERY: &str = "url.query";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-scheme>
pub(super) const URL_SCHEME: &str = "url.scheme";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/server/#server-address>
pub(super) const SERVER_ADDRESS: &str = "server.address";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/server/#server-port>
pub(super) const SERVER_PORT: &str = "server.port";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/network/#network-protocol-version>
pub(super) const PROTOCOL_VERSION: &str = "network.protocol.version";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/user-agent/#user-agent-original>
pub(super) const USER_AGENT: &str = "user_agent.original";
/// A failed status, or else the cause.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-type>
pub(super) const ERROR_TYPE: &str = "error.type";
/// Of status "development".
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-message>
pub(super) const ERROR_MESSAGE: &str = "error.message";

/// What the span is to be called, as `tracing-opentelemetry` reads it, and the next two.
/// <https://docs.rs/tracing-opentelemetry/latest/tracing_opentelemetry/#special-fields>
pub(super) const OTEL_NAME: &str = "otel.name";
pub(super) const OTEL_KIND: &str = "otel.kind";
pub(super) const OTEL_STATUS_CODE: &str = "otel.status_code";

/// A token of [`Cause`](crate::Cause).
pub(super) const CAUSE: &str = "seawall.cause";
pub(super) const REPORTER: &str = "seawall.reporter";
pub(super) const PROCESSED: &str = "seawall.processed";
/// What the classifier recognised.
pub(super) const EVIDENCE: &str = "seawall.evidence";
/// What to check next.
pub(super) const ADVICE: &str = "seawall.advice";
/// Requests sent, the first included.
pub(super) const ATTEMPTS: &str = "seawall.attempts";
/// Why it was not tried again.
pub(super) const STOP_REASON: &str = "seawall.stop_reason";
pub(super) const OUTCOME: &str = "seawall.outcome";
/// To the end, in milliseconds.
pub(super) const DURATION: &str = "seawall.duration_ms";
/// To the head of the response, in milliseconds.
pub(super) const TIME_TO_HEADERS: &str = "seawall.time_to_headers_ms";
/// The `x-request-id`.
pub(super) const REQUEST_ID: &str = "seawall.request_id";
pub(super) const REQUEST_HEADERS: &str = "seawall.request.headers";
pub(super) const RESPONSE_HEADERS: &str = "seawall.response.headers";
/// The first bytes of the body of a failed response.
pub(super) const RESPONSE_BODY: &str = "seawall.response.body";
