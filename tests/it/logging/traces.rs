//! Spans exported to OpenTelemetry.

use http::{HeaderMap, HeaderName};
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{
        SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
        TracerProvider,
    },
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
};
use tower::ServiceBuilder;
use tracing::subscriber::DefaultGuard;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

struct ExportedSpans {
    exporter: InMemorySpanExporter,
    _provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

fn start_export() -> ExportedSpans {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let filtered = tracing_subscriber::Layer::with_filter(layer, LevelFilter::INFO);
    let guard = crate::log_capture::set_subscriber(tracing_subscriber::registry().with(filtered));
    ExportedSpans { exporter, _provider: provider, _guard: guard }
}

impl ExportedSpans {
    fn spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().unwrap()
    }
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|it| it.key.as_str() == key);
    found.next().map(|KeyValue { value, .. }| value.to_string())
}

fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

/// Makes a call and returns its only span.
async fn span(layer: LoggingLayer, act: Action<ScriptedBody>) -> SpanData {
    let exported = start_export();
    let mut request = get(URL);
    request.extensions_mut().insert("/a/{b}");
    if let Ok(response) = layer.otel_spans().layer(Script::new([act])).oneshot(request).await {
        let _ = response.into_body().collect().await;
    }
    let [span] = exported.spans().try_into().unwrap();
    span
}

#[tokio::test(start_paused = true)]
async fn server_span_has_method_and_route_as_name() {
    let layer = LoggingLayer::server()
        .route_fn(|head| Some((*head.extensions().get::<&str>()?).to_owned()));
    let span = span(layer, answer(200)).await;
    assert_eq!(span.name, "GET /a/{b}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.status, Status::Unset);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/a/{b}"),
        ("http.response.status_code", "200"),
        ("url.path", "/a/b"),
        ("url.query", "token=REDACTED"),
        ("url.scheme", "http"),
        ("server.address", "upstream"),
        ("server.port", "8080"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(attribute(&span, "error.type"), None);
    assert_eq!(attribute(&span, "url.full"), None);
}

#[tokio::test(start_paused = true)]
async fn client_span_has_method_as_name() {
    let span = span(LoggingLayer::client(), answer(200)).await;
    assert_eq!((&*span.name, span.span_kind.clone()), ("GET", SpanKind::Client));
    for (key, value) in [
        ("url.full", URL_REDACTED),
        ("server.address", "upstream"),
        ("server.port", "8080"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn span_status_is_error_for_5xx_and_client_4xx() {
    for (status, on_server, on_client) in
        [(200, false, false), (304, false, false), (404, false, true), (502, true, true)]
    {
        for (layer, expected) in
            [(LoggingLayer::server(), on_server), (LoggingLayer::client(), on_client)]
        {
            let span = span(layer, answer(status)).await;
            assert_eq!(is_error(&span), expected, "{status}");
            let error_type = attribute(&span, "error.type");
            assert_eq!(error_type, expected.then(|| status.to_string()), "{status}");
            let code = attribute(&span, "http.response.status_code");
            assert_eq!(code.as_deref(), Some(&*status.to_string()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn span_status_is_error_on_failure_and_unset_on_cancellation() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let failed = span(LoggingLayer::client(), Action::Fail(refused.into())).await;
    assert!(is_error(&failed));
    assert_eq!(attribute(&failed, "error.type").as_deref(), Some("connection_refused"));
    let body = ScriptedBody::new([Step::Data("half".into()), Step::Error]);
    let broken = span(LoggingLayer::client(), Action::Respond(Response::new(body))).await;
    assert!(is_error(&broken));
    assert_eq!(attribute(&broken, "error.type").as_deref(), Some("http_response_incomplete"));

    let exported = start_export();
    let script = Script::new([Action::<Body>::Stall]);
    let mut call = task::spawn(LoggingLayer::client().otel_spans().layer(script).oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    let [span] = exported.spans().try_into().unwrap();
    assert_eq!((span.status.clone(), attribute(&span, "error.type")), (Status::Unset, None));
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn span_contains_resend_count_after_retry() {
    let exported = start_export();
    let script = Script::new([502, 200].map(answer));
    let service =
        LoggingLayer::client().otel_spans().layer(seawall::retry::RetryLayer::new().layer(script));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    let [span] = exported.spans().try_into().unwrap();
    assert_eq!(attribute(&span, "http.request.resend_count").as_deref(), Some("1"));
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test(start_paused = true)]
async fn client_span_is_child_of_server_and_caller_span() {
    let exported = start_export();
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::server().otel_spans())
        .layer(LoggingLayer::client().otel_spans())
        .service(Script::new([answer(200)]));
    // The context that a propagator extracts from `traceparent`, attached as the docs recommend.
    let caller = SpanContext::new(
        TraceId::from(7_u128),
        SpanId::from(9_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    let call = {
        let _attached = Context::new().with_remote_span_context(caller).attach();
        let mut service = service;
        service.call(get(URL))
    };
    drop(call.await.unwrap().into_body().collect().await);
    let spans = exported.spans();
    let span_of = |kind: SpanKind| spans.iter().find(|it| it.span_kind == kind).unwrap();
    let (server, client) = (span_of(SpanKind::Server), span_of(SpanKind::Client));
    assert_eq!(server.parent_span_id, SpanId::from(9_u64));
    assert_eq!(client.parent_span_id, server.span_context.span_id());
    for span in [server, client] {
        assert_eq!(span.span_context.trace_id(), TraceId::from(7_u128));
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
}

/// The code of this function and of `inject` is that of the module docs.
fn call<S: Service<Request<B>>, B>(
    propagator: &impl TextMapPropagator,
    service: &mut S,
    request: Request<B>,
) -> S::Future {
    let _attached = propagator.extract(&Headers(request.headers())).attach();
    service.call(request)
}

fn inject<B>(propagator: &impl TextMapPropagator, mut request: Request<B>) -> Request<B> {
    let context = tracing::Span::current().context();
    propagator.inject_context(&context, &mut HeadersMut(request.headers_mut()));
    request
}

#[tokio::test(start_paused = true)]
async fn trace_context_propagates_from_caller_to_next_hop() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let exported = start_export();
    let upstream = Script::new([answer(200)]);
    let mut server = ServiceBuilder::new()
        .layer(LoggingLayer::server().otel_spans())
        .layer(LoggingLayer::client().otel_spans())
        .map_request(|request| inject(&TraceContextPropagator::new(), request))
        .service(upstream.clone());
    let mut request = get(URL);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    let response = call(&TraceContextPropagator::new(), &mut server, request).await.unwrap();
    drop(response.into_body().collect().await);
    let spans = exported.spans();
    let span_of = |kind: SpanKind| spans.iter().find(|it| it.span_kind == kind).unwrap();
    let (server, client) = (span_of(SpanKind::Server), span_of(SpanKind::Client));
    assert_eq!(server.parent_span_id.to_string(), "b7ad6b7169203331");
    assert!(server.parent_span_is_remote);
    assert_eq!(server.span_context.trace_id().to_string(), TRACE);
    let sent = &upstream.sent()[0].head;
    let expected = format!("\"00-{TRACE}-{}-01\"", client.span_context.span_id());
    assert!(sent.contains(&expected), "{sent} {expected}");
}

#[tokio::test(start_paused = true)]
async fn span_has_http_as_name_when_method_is_unknown() {
    let exported = start_export();
    let mut request = get(URL);
    *request.method_mut() = http::Method::from_bytes(b"BREW").unwrap();
    let service = LoggingLayer::server().otel_spans().layer(Script::new([answer(200)]));
    drop(service.oneshot(request).await.unwrap().into_body().collect().await);
    let [span] = exported.spans().try_into().unwrap();
    assert_eq!(span.name, "HTTP");
    assert_eq!(attribute(&span, "http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(attribute(&span, "http.request.method_original").as_deref(), Some("BREW"));
}
