//! The field names of events and spans.
//!
//! The names follow OpenTelemetry's semantic conventions for HTTP, with the stable name where there
//! is one: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>. Fields that the
//! conventions do not define are under `seawall.`.

/// The name of a known method, or `_OTHER`.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-method>
pub(super) const METHOD: &str = "http.request.method";
/// The original method, if `http.request.method` differs.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-method-original>
pub(super) const METHOD_ORIGINAL: &str = "http.request.method_original";
/// The number of requests sent before this one.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-resend-count>
pub(super) const RESEND_COUNT: &str = "http.request.resend_count";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-response-status-code>
pub(super) const STATUS_CODE: &str = "http.response.status_code";
/// The number of bytes read. The convention has the status "development".
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-response-body-size>
pub(super) const BODY_SIZE: &str = "http.response.body.size";
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-route>
pub(super) const ROUTE: &str = "http.route";
/// Set on a client.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-full>
pub(super) const URL_FULL: &str = "url.full";
/// Set on a server, like `url.query` and `url.scheme`.
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
/// The status if it is a failure, or else the cause.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-type>
pub(super) const ERROR_TYPE: &str = "error.type";
/// The convention has the status "development".
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-message>
pub(super) const ERROR_MESSAGE: &str = "error.message";

/// The span name, read by `tracing-opentelemetry`, as are `otel.kind` and `otel.status_code`.
/// <https://docs.rs/tracing-opentelemetry/latest/tracing_opentelemetry/#special-fields>
pub(super) const OTEL_NAME: &str = "otel.name";
pub(super) const OTEL_KIND: &str = "otel.kind";
pub(super) const OTEL_STATUS_CODE: &str = "otel.status_code";

/// The name of a gRPC status code. The convention has the status "development".
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/rpc/#rpc-response-status-code>
pub(super) const GRPC_STATUS: &str = "rpc.response.status_code";
/// The value of `grpc-message`.
pub(super) const GRPC_MESSAGE: &str = "seawall.grpc.message";
/// The names in [`RequestAttributes`](crate::RequestAttributes).
pub(super) const CLIENT: &str = "seawall.client";
pub(super) const SERVICE: &str = "seawall.service";
pub(super) const UPSTREAM_NAME: &str = "seawall.upstream.name";
pub(super) const UPSTREAM_KEY: &str = "seawall.upstream.key";
/// The URL of the upstream, on a server that forwards requests.
pub(super) const UPSTREAM_URL: &str = "seawall.upstream.url";
/// The name of a [`Cause`](crate::Cause).
pub(super) const CAUSE: &str = "seawall.cause";
/// The name of the [`Cause`](crate::Cause) of the last attempt before a success.
pub(super) const RETRIED_CAUSE: &str = "seawall.retried_cause";
pub(super) const REPORTER: &str = "seawall.reporter";
pub(super) const PROCESSED: &str = "seawall.processed";
/// The evidence that the classifier found.
pub(super) const EVIDENCE: &str = "seawall.evidence";
/// The next check to make.
pub(super) const ADVICE: &str = "seawall.advice";
/// The number of requests sent, including the first.
pub(super) const ATTEMPTS: &str = "seawall.attempts";
/// The reason why retrying stopped.
pub(super) const STOP_REASON: &str = "seawall.stop_reason";
pub(super) const OUTCOME: &str = "seawall.outcome";
/// The time until the end of the request, in milliseconds.
pub(super) const DURATION: &str = "seawall.duration_ms";
/// The time until the head of the response, in milliseconds.
pub(super) const TIME_TO_HEADERS: &str = "seawall.time_to_headers_ms";
/// The value of `x-request-id`.
pub(super) const REQUEST_ID: &str = "seawall.request_id";
pub(super) const REQUEST_HEADERS: &str = "seawall.request.headers";
pub(super) const RESPONSE_HEADERS: &str = "seawall.response.headers";
/// The first bytes of the body of a failed response.
pub(super) const RESPONSE_BODY: &str = "seawall.response.body";
