//! Outcomes that are easily misreported in logs, metrics and the breaker.

use std::{
    convert::Infallible,
    future::ready,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use seawall::{
    BoxError, Cause, Failure,
    deadline::{DeadlineLayer, TimeoutHeader},
    logging::LoggingLayer,
    retry::RetryLayer,
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use crate::log_capture::Recorder;

type Body = Full<Bytes>;

fn streamed(
    frames: Vec<Frame<Bytes>>,
) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin {
    StreamBody::new(stream_of(frames))
}

fn stream_of(
    frames: Vec<Frame<Bytes>>,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Unpin {
    struct Frames(std::vec::IntoIter<Frame<Bytes>>);
    impl futures_util::Stream for Frames {
        type Item = Result<Frame<Bytes>, Infallible>;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.next().map(Ok))
        }
    }
    Frames(frames.into_iter())
}

/// Serves `service` with hyper and asserts that the client receives `text` with its length.
async fn assert_served<S, R>(service: S, text: &str)
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut client, server) = tokio::io::duplex(4096);
    client.write_all(b"GET /f HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(
        hyper_util::rt::TokioIo::new(server),
        hyper_util::service::TowerToHyperService::new(service),
    );
    connection.await.unwrap();
    let mut received = String::new();
    client.read_to_string(&mut received).await.unwrap();
    let length = format!("content-length: {}\r\n", text.len());
    let is_complete = received.contains(&length) && received.ends_with(&format!("\r\n\r\n{text}"));
    assert!(is_complete, "{received}");
}

#[tokio::test]
async fn log_reports_complete_body_when_content_length_is_sent() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let layer = LoggingLayer::server();
    let service = layer.layer(service_fn(async |_: Request<hyper::body::Incoming>| {
        let body = streamed(vec![Frame::data(Bytes::from("hello"))]);
        Ok::<_, Infallible>(Response::builder().header("content-length", 5).body(body).unwrap())
    }));
    assert_served(service, "hello").await;
    let line = recorder.line();
    assert_eq!(line.get("seawall.outcome"), Some("complete"), "{}", line.message());
}

/// A body that has a size hint and whose `is_end_stream` is always false.
#[derive(Clone)]
struct SizedBody(Full<Bytes>);

impl http_body::Body for SizedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[tokio::test]
async fn log_reports_complete_body_when_size_hint_is_sent() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let breaker = seawall::circuit_breaker::CircuitBreakerLayer::new().until_body_end();
    for text in ["hello", ""] {
        let respond = move |_: Request<hyper::body::Incoming>| {
            ready(Ok::<_, BoxError>(Response::new(SizedBody(text.into()))))
        };
        let layers = (LoggingLayer::server(), breaker.clone());
        assert_served(layers.layer(service_fn(respond)), text).await;
        let line = recorder.lines().pop().unwrap();
        assert_eq!(line.get("seawall.outcome"), Some("complete"), "{}", line.message());
    }
    // The call with the empty body is not counted, because no frame proves a complete body.
    assert_eq!(breaker.handle().snapshot().calls(), 1);
}

#[tokio::test]
async fn log_reports_complete_body_after_trailers() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(streamed(vec![
            Frame::data(Bytes::from("hi")),
            Frame::trailers(HeaderMap::new()),
        ])))
    }));
    let mut body = service.oneshot(Request::new(Body::default())).await.unwrap().into_body();
    while !body.frame().await.unwrap().unwrap().is_trailers() {}
    // hyper's HTTP/2 server drops the body after its trailers.
    drop(body);
    assert_eq!(recorder.line().get("seawall.outcome"), Some("complete"));
}

#[tokio::test]
async fn log_reports_complete_head_response_without_body() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::from("hi")))
    }));
    let request = Request::head("/").body(Body::default()).unwrap();
    // hyper drops the body of a response to HEAD unread.
    drop(service.oneshot(request).await.unwrap());
    assert_eq!(recorder.line().get("seawall.outcome"), Some("complete"));
}

#[tokio::test]
async fn log_omits_credentials_of_host_header() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::builder().status(500).body(Body::default()).unwrap())
    }));
    let request = Request::get("/")
        .header("host", "alice:hunter2@a.example:80")
        .body(Body::default())
        .unwrap();
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    let line = recorder.line();
    assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
}

#[tokio::test]
async fn log_omits_error_type_when_call_is_cancelled() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Err::<Response<Body>, BoxError>(Failure::new(Cause::Cancelled).into())
    }));
    service.oneshot(Request::new(Body::default())).await.unwrap_err();
    assert_eq!(recorder.line().get("error.type"), None);
}

#[tokio::test]
async fn server_log_omits_resend_count() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let attempts = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let inner = service_fn(move |_: Request<seawall::retry::ReplayBody<Body>>| {
        let number = attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            Ok::<_, BoxError>(
                Response::builder()
                    .status(if number == 0 { 503 } else { 200 })
                    .body(Body::default())
                    .unwrap(),
            )
        }
    });
    let service = LoggingLayer::server()
        .layer(RetryLayer::new().backoff(seawall::retry::Backoff::none()).layer(inner));
    service
        .oneshot(Request::new(Body::default()))
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    let line = recorder.line();
    assert_eq!(
        (line.get("seawall.attempts"), line.get("http.request.resend_count")),
        (Some("2"), None)
    );
}

#[test]
fn server_duration_has_url_scheme() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server =
                seawall::request_duration::RequestDurationLayer::server().layer(service_fn(
                    async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())),
                ));
            server.oneshot(Request::get("/").body(Body::default()).unwrap()).await.unwrap();
        });
    });
    let metrics = snapshotter.snapshot().into_vec();
    assert!(metrics[0].0.key().labels().any(|it| it.key() == "url.scheme"), "{:?}", metrics[0].0);
}

#[tokio::test]
async fn curl_command_omits_method_flag_for_head() {
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let service = LoggingLayer::client().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::builder().status(500).body(Body::default()).unwrap())
    }));
    service
        .oneshot(
            Request::builder()
                .method(Method::HEAD)
                .uri("http://a/")
                .header("x-a", HeaderValue::from_static("b"))
                .body(Body::default())
                .unwrap(),
        )
        .await
        .unwrap();
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("-X HEAD"), "{text}");
}

#[tokio::test]
async fn log_bounds_url_length() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::default()))
    }));
    service
        .oneshot(
            Request::get(format!("http://{}/", "a".repeat(20_000))).body(Body::default()).unwrap(),
        )
        .await
        .unwrap();
    let line = recorder.line();
    assert!(line.message().len() < 2_048, "{}", line.message().len());
}

#[tokio::test]
async fn log_redacts_password_in_nested_url() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::default()))
    }));
    service
        .oneshot(
            Request::get("http://a/?next=https://alice:hunter2@b/").body(Body::default()).unwrap(),
        )
        .await
        .unwrap();
    assert!(!format!("{:?}", recorder.line()).contains("hunter2"));
}

#[tokio::test]
async fn timeout_header_does_not_exceed_own_deadline() {
    let inner = service_fn(async |request: Request<Body>| {
        Ok::<_, Infallible>(
            Response::builder()
                .header("received-timeout", request.headers()["grpc-timeout"].clone())
                .body(Body::default())
                .unwrap(),
        )
    });
    let inner = seawall::deadline::DeadlineHeaderLayer::new(TimeoutHeader::Grpc)
        .margin(Duration::ZERO)
        .layer(inner);
    let service = DeadlineLayer::new(Duration::from_secs(2)).propagate(false).layer(inner);
    let mut request = Request::new(Body::default());
    request.extensions_mut().insert(seawall::Deadline::within(Duration::from_secs(60)));
    let response = service.oneshot(request).await.unwrap();
    let received =
        TimeoutHeader::Grpc.parse(response.headers()["received-timeout"].as_bytes()).unwrap();
    assert!(received <= Duration::from_secs(2), "{received:?}");
}

#[tokio::test]
async fn span_omits_protocol_version_without_response() {
    use opentelemetry::trace::TracerProvider as _;
    use tracing_subscriber::layer::SubscriberExt;
    let exporter = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("t")));
    let guard = tracing::subscriber::set_default(subscriber);
    let service =
        LoggingLayer::client().otel_spans().layer(service_fn(async |_: Request<Body>| {
            Err::<Response<Body>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
        }));
    service.oneshot(Request::get("http://a/").body(Body::default()).unwrap()).await.unwrap_err();
    drop(guard);
    let span = exporter.get_finished_spans().unwrap().remove(0);
    assert!(
        !span.attributes.iter().any(|it| it.key.as_str() == "network.protocol.version"),
        "{:?}",
        span.attributes
    );
}

#[test]
fn duration_omits_error_type_when_call_is_cancelled() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let server = seawall::request_duration::RequestDurationLayer::server().layer(service_fn(
            async |_: Request<Body>| {
                Err::<Response<Body>, BoxError>(Failure::new(Cause::Cancelled).into())
            },
        ));
        let _ =
            tokio_test::block_on(server.oneshot(Request::get("/").body(Body::default()).unwrap()));
    });
    let metrics = snapshotter.snapshot().into_vec();
    assert!(!metrics[0].0.key().labels().any(|it| it.key() == "error.type"), "{:?}", metrics[0].0);
}

#[tokio::test]
async fn breaker_counts_response_when_trailers_end_body() {
    let layer = seawall::circuit_breaker::CircuitBreakerLayer::new().until_body_end();
    let service = layer.layer(service_fn(async |_: Request<Body>| {
        Ok::<_, BoxError>(Response::new(streamed(vec![
            Frame::data(Bytes::from("hi")),
            Frame::trailers(HeaderMap::new()),
        ])))
    }));
    let mut body = service.oneshot(Request::new(Body::default())).await.unwrap().into_body();
    while !body.frame().await.unwrap().unwrap().is_trailers() {}
    drop(body);
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 0));
}

#[tokio::test]
async fn breaker_counts_response_when_only_none_ends_body() {
    let layer = seawall::circuit_breaker::CircuitBreakerLayer::new().until_body_end();
    let service = layer.layer(service_fn(async |_: Request<Body>| {
        Ok::<_, BoxError>(Response::new(streamed(vec![Frame::data(Bytes::from("data"))])))
    }));
    let response = service.oneshot(Request::new(Body::default())).await.unwrap();
    response.into_body().collect().await.unwrap();
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 0));
}
