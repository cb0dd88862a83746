//! The outcome of a request in logs, metrics and the breaker, in cases that are easily misreported.

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

type B = Full<Bytes>;

fn streamed(
    frames: Vec<Frame<Bytes>>,
) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin {
    StreamBody::new(frames_of(frames))
}
fn frames_of(
    frames: Vec<Frame<Bytes>>,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Unpin {
    struct It(std::vec::IntoIter<Frame<Bytes>>);
    impl futures_util::Stream for It {
        type Item = Result<Frame<Bytes>, Infallible>;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.next().map(Ok))
        }
    }
    It(frames.into_iter())
}

/// Sends the response of `service` through hyper's server and checks that it is `text`.
async fn send<S, R>(service: S, text: &str)
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
    let mut got = String::new();
    client.read_to_string(&mut got).await.unwrap();
    let length = format!("content-length: {}\r\n", text.len());
    assert!(got.contains(&length) && got.ends_with(&format!("\r\n\r\n{text}")), "{got}");
}

#[tokio::test]
async fn log_reports_complete_body_when_content_length_is_sent() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let layer = LoggingLayer::server();
    let service = layer.layer(service_fn(async |_: Request<hyper::body::Incoming>| {
        let body = streamed(vec![Frame::data(Bytes::from("hello"))]);
        Ok::<_, Infallible>(Response::builder().header("content-length", 5).body(body).unwrap())
    }));
    send(service, "hello").await;
    let line = recorder.line();
    assert_eq!(line.get("seawall.outcome"), Some("complete"), "{}", line.message());
}

/// A body with a size hint but without `is_end_stream`.
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
        let answer = move |_: Request<hyper::body::Incoming>| {
            ready(Ok::<_, BoxError>(Response::new(SizedBody(text.into()))))
        };
        let layers = (LoggingLayer::server(), breaker.clone());
        send(layers.layer(service_fn(answer)), text).await;
        let line = recorder.lines().pop().unwrap();
        assert_eq!(line.get("seawall.outcome"), Some("complete"), "{}", line.message());
    }
    // The call with the empty body does not count: no frame shows that the body was complete.
    assert_eq!(breaker.handle().snapshot().calls(), 1);
}

#[tokio::test]
async fn log_reports_complete_body_after_trailers() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<B>| {
        Ok::<_, Infallible>(Response::new(streamed(vec![
            Frame::data(Bytes::from("hi")),
            Frame::trailers(HeaderMap::new()),
        ])))
    }));
    let mut body = service.oneshot(Request::new(B::default())).await.unwrap().into_body();
    while !body.frame().await.unwrap().unwrap().is_trailers() {}
    // hyper's HTTP/2 server drops the body after its trailers.
    drop(body);
    assert_eq!(recorder.line().get("seawall.outcome"), Some("complete"));
}

#[tokio::test]
async fn log_reports_complete_head_response_without_body() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server()
        .layer(service_fn(async |_: Request<B>| Ok::<_, Infallible>(Response::new(B::from("hi")))));
    let request = Request::head("/").body(B::default()).unwrap();
    // hyper drops the body of a response to HEAD unread.
    drop(service.oneshot(request).await.unwrap());
    assert_eq!(recorder.line().get("seawall.outcome"), Some("complete"));
}

#[tokio::test]
async fn log_omits_credentials_of_host_header() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<B>| {
        Ok::<_, Infallible>(Response::builder().status(500).body(B::default()).unwrap())
    }));
    let request =
        Request::get("/").header("host", "alice:hunter2@a.example:80").body(B::default()).unwrap();
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    let line = recorder.line();
    assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
}

#[tokio::test]
async fn log_omits_error_type_when_call_is_cancelled() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<B>| {
        Err::<Response<B>, BoxError>(Failure::new(Cause::Cancelled).into())
    }));
    service.oneshot(Request::new(B::default())).await.unwrap_err();
    assert_eq!(recorder.line().get("error.type"), None);
}

#[tokio::test]
async fn server_log_omits_resend_count() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let inner = service_fn(move |_: Request<seawall::retry::ReplayBody<B>>| {
        let n = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            Ok::<_, BoxError>(
                Response::builder()
                    .status(if n == 0 { 503 } else { 200 })
                    .body(B::default())
                    .unwrap(),
            )
        }
    });
    let service = LoggingLayer::server()
        .layer(RetryLayer::new().backoff(seawall::retry::Backoff::none()).layer(inner));
    service.oneshot(Request::new(B::default())).await.unwrap().into_body().collect().await.unwrap();
    let line = recorder.line();
    assert_eq!(
        (line.get("seawall.attempts"), line.get("http.request.resend_count")),
        (Some("2"), None)
    );
}

#[test]
fn server_duration_has_url_scheme() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snap = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = seawall::request_duration::RequestDurationLayer::server().layer(
                service_fn(async |_: Request<B>| Ok::<_, Infallible>(Response::new(B::default()))),
            );
            server.oneshot(Request::get("/").body(B::default()).unwrap()).await.unwrap();
        });
    });
    let all = snap.snapshot().into_vec();
    assert!(all[0].0.key().labels().any(|it| it.key() == "url.scheme"), "{:?}", all[0].0);
}

#[tokio::test]
async fn curl_command_omits_method_flag_for_head() {
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct W(Arc<Mutex<Vec<u8>>>);
    impl io::Write for W {
        fn write(&mut self, b: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(b);
            Ok(b.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let w = W::default();
    let w2 = w.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || w2.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let service = LoggingLayer::client().layer(service_fn(async |_: Request<B>| {
        Ok::<_, Infallible>(Response::builder().status(500).body(B::default()).unwrap())
    }));
    service
        .oneshot(
            Request::builder()
                .method(Method::HEAD)
                .uri("http://a/")
                .header("x-a", HeaderValue::from_static("b"))
                .body(B::default())
                .unwrap(),
        )
        .await
        .unwrap();
    let text = String::from_utf8(w.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("-X HEAD"), "{text}");
}

#[tokio::test]
async fn log_bounds_url_length() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client()
        .layer(service_fn(async |_: Request<B>| Ok::<_, Infallible>(Response::new(B::default()))));
    service
        .oneshot(
            Request::get(format!("http://{}/", "a".repeat(20_000))).body(B::default()).unwrap(),
        )
        .await
        .unwrap();
    let line = recorder.line();
    assert!(line.message().len() < 2_048, "{}", line.message().len());
}

#[tokio::test]
async fn log_redacts_password_in_nested_url() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client()
        .layer(service_fn(async |_: Request<B>| Ok::<_, Infallible>(Response::new(B::default()))));
    service
        .oneshot(
            Request::get("http://a/?next=https://alice:hunter2@b/").body(B::default()).unwrap(),
        )
        .await
        .unwrap();
    assert!(!format!("{:?}", recorder.line()).contains("hunter2"));
}

#[tokio::test]
async fn timeout_header_does_not_exceed_own_deadline() {
    let inner = service_fn(async |request: Request<B>| {
        Ok::<_, Infallible>(
            Response::builder()
                .header("said", request.headers()["grpc-timeout"].clone())
                .body(B::default())
                .unwrap(),
        )
    });
    let inner = seawall::deadline::DeadlineHeaderLayer::new(TimeoutHeader::Grpc)
        .margin(Duration::ZERO)
        .layer(inner);
    let service = DeadlineLayer::new(Duration::from_secs(2)).propagate(false).layer(inner);
    let mut request = Request::new(B::default());
    request.extensions_mut().insert(seawall::Deadline::within(Duration::from_secs(60)));
    let response = service.oneshot(request).await.unwrap();
    let said = TimeoutHeader::Grpc.parse(response.headers()["said"].as_bytes()).unwrap();
    assert!(said <= Duration::from_secs(2), "{said:?}");
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
    let service = LoggingLayer::client().otel_spans().layer(service_fn(async |_: Request<B>| {
        Err::<Response<B>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    }));
    service.oneshot(Request::get("http://a/").body(B::default()).unwrap()).await.unwrap_err();
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
    let snap = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let server = seawall::request_duration::RequestDurationLayer::server().layer(service_fn(
            async |_: Request<B>| {
                Err::<Response<B>, BoxError>(Failure::new(Cause::Cancelled).into())
            },
        ));
        let _ = tokio_test::block_on(server.oneshot(Request::get("/").body(B::default()).unwrap()));
    });
    let all = snap.snapshot().into_vec();
    assert!(!all[0].0.key().labels().any(|it| it.key() == "error.type"), "{:?}", all[0].0);
}

#[tokio::test]
async fn breaker_counts_response_when_trailers_end_body() {
    let layer = seawall::circuit_breaker::CircuitBreakerLayer::new().until_body_end();
    let service = layer.layer(service_fn(async |_: Request<B>| {
        Ok::<_, BoxError>(Response::new(streamed(vec![
            Frame::data(Bytes::from("hi")),
            Frame::trailers(HeaderMap::new()),
        ])))
    }));
    let mut body = service.oneshot(Request::new(B::default())).await.unwrap().into_body();
    while !body.frame().await.unwrap().unwrap().is_trailers() {}
    drop(body);
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 0));
}

#[tokio::test]
async fn breaker_counts_response_when_only_none_ends_body() {
    let layer = seawall::circuit_breaker::CircuitBreakerLayer::new().until_body_end();
    let service = layer.layer(service_fn(async |_: Request<B>| {
        Ok::<_, BoxError>(Response::new(streamed(vec![Frame::data(Bytes::from("data"))])))
    }));
    let response = service.oneshot(Request::new(B::default())).await.unwrap();
    response.into_body().collect().await.unwrap();
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 0));
}
