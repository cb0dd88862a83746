//! `StatusLayer`: the status codes of errors that layers create.
//!
//! Uses real sockets and the real clock.

use std::{future::ready, io, iter::repeat_n, num::NonZeroU32, time::Duration};

use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use seawall::{
    circuit_breaker::CircuitBreakerLayer,
    classify::Classify,
    in_flight::InFlightLimitLayer,
    standard::{StandardLayer, Timeouts},
    tonic::ClientBody,
};
use tokio::time::timeout;
use tower::service_fn;

use super::*;
use crate::support::{
    ScriptedBody, Step,
    sockets::{UNREACHED_LIMIT, eventually},
};

async fn silent_server() -> Server {
    Server::start(repeat_n(Action::Stall, 10)).await
}

fn stack() -> StandardLayer<GrpcClassifier> {
    StandardLayer::new("greeter").classifier(GrpcClassifier::new())
}

fn stack_with_timeouts(attempt: u64, total: u64) -> StandardLayer<GrpcClassifier> {
    let (attempt, total) = (Duration::from_millis(attempt), Duration::from_millis(total));
    stack().timeouts(Timeouts::new(attempt, total).unwrap())
}

#[tokio::test]
async fn grpc_caller_gets_deadline_exceeded_when_attempt_times_out() {
    let server = silent_server().await;
    let call = call_by(server.addr, stack_with_timeouts(100, 5_000), message());
    assert_eq!(
        timeout(UNREACHED_LIMIT, call).await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn grpc_caller_gets_deadline_exceeded_when_call_times_out() {
    let server = silent_server().await;
    let call = call_by(server.addr, stack_with_timeouts(100, 100), message());
    assert_eq!(
        timeout(UNREACHED_LIMIT, call).await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn grpc_caller_gets_unavailable_when_circuit_is_open() {
    let server = silent_server().await;
    let breaker = CircuitBreakerLayer::new();
    breaker.handle().force_open();
    let status = timeout(UNREACHED_LIMIT, call_by(server.addr, breaker, message()))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn grpc_caller_gets_rejection_code_when_limit_is_reached() {
    let server = silent_server().await;
    let layer = stack().in_flight(InFlightLimitLayer::new(NonZeroU32::MIN));
    let second = async {
        eventually(|| server.count() == 1).await;
        call_by(server.addr, layer.clone(), message()).await.unwrap_err().code()
    };
    let code = timeout(
        UNREACHED_LIMIT,
        Box::pin(async {
            tokio::select! {
                first = call_by(server.addr, layer.clone(), message()) => panic!("{first:?}"),
                code = second => code,
            }
        }),
    );
    let code = code.await.unwrap();
    assert_eq!(code, Code::ResourceExhausted);
}

/// Returns the status of a call that fails with `error`.
async fn status_of(error: impl Into<BoxError>) -> Status {
    let mut error = Some(error.into());
    let service = service_fn(move |_: Request<()>| {
        ready(Err::<Response<ScriptedBody>, _>(error.take().expect("one call")))
    });
    StatusLayer::new().layer(service).oneshot(Request::new(())).await.unwrap_err()
}

#[tokio::test]
async fn status_has_code_for_cause_and_error_as_source() {
    for (cause, code) in [
        (Cause::HttpResponseTimeout, Code::DeadlineExceeded),
        (Cause::ConnectionReadTimeout, Code::DeadlineExceeded),
        (Cause::CircuitOpen, Code::Unavailable),
        (Cause::ConnectionRefused, Code::Unavailable),
        (Cause::ConnectionLimitReached, Code::ResourceExhausted),
        (Cause::RateLimited, Code::ResourceExhausted),
        (Cause::Cancelled, Code::Cancelled),
        (Cause::ProxyInternalError, Code::Internal),
        (Cause::Unknown, Code::Unknown),
    ] {
        let status = status_of(Failure::new(cause)).await;
        assert_eq!(status.code(), code, "{cause}");
        assert_eq!(find_source::<Failure>(&status).map(Failure::cause), Some(cause));
    }
}

#[tokio::test]
async fn status_passes_unchanged_and_known_errors_are_mapped() {
    let not_found = Status::not_found("no such greeting");
    let status = status_of(io::Error::other(not_found)).await;
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such greeting"));
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(status_of(refused).await.code(), Code::Unavailable);
    let status = status_of("GET http://me:hunter2@h/?token=SECRET failed").await;
    assert_eq!(status.code(), Code::Unknown);
    assert_eq!(status.message(), "GET http://REDACTED@h/?REDACTED failed");
}

#[tokio::test]
async fn status_has_code_when_body_fails() {
    let body = ScriptedBody::new([Step::Data("a".into()), Step::Error]);
    let service =
        service_fn(|_: Request<()>| ready(Ok::<_, BoxError>(Response::new(body.clone()))));
    let response = StatusLayer::new().layer(service).oneshot(Request::new(())).await.unwrap();
    let status = response.into_body().collect().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unknown, "the body failed"));
}

#[tokio::test(start_paused = true)]
async fn status_has_code_when_body_times_out() {
    let body = ScriptedBody::new([Step::Data("a".into()), Step::Stall]);
    let service = ServiceBuilder::new()
        .layer(StatusLayer::new())
        .layer(seawall::body_timeout::BodyTimeoutLayer::new().idle(Duration::from_secs(1)))
        .service_fn(|_: Request<()>| ready(Ok::<_, BoxError>(Response::new(body.clone()))));
    let response = service.oneshot(Request::new(())).await.unwrap();
    let status = response.into_body().collect().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

type Frames = futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, BoxError>>>;

/// Calls a client whose server sends `frames` together with the head.
async fn respond_with(frames: Vec<Frame<Bytes>>) -> Response<ClientBody<StreamBody<Frames>>> {
    let frames: Vec<_> = frames.into_iter().map(Ok).collect();
    let mut body = Some(StreamBody::new(futures_util::stream::iter(frames)));
    let server = service_fn(move |_: Request<tonic::body::Body>| {
        ready(Ok::<_, BoxError>(Response::new(body.take().expect("one call"))))
    });
    let request = Request::new(http_body_util::Empty::<Bytes>::new());
    seawall::tonic::Client::new(server).oneshot(request).await.unwrap()
}

fn trailers(code: &'static str) -> Frame<Bytes> {
    let status = ("grpc-status".parse().unwrap(), code.parse().unwrap());
    Frame::trailers([status].into_iter().collect())
}

#[tokio::test]
async fn client_moves_status_into_head_when_there_is_no_message() {
    let response = respond_with(vec![trailers("14")]).await;
    assert_eq!(response.headers()["grpc-status"], "14");
    assert!(http_body::Body::is_end_stream(response.body()));
    let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
    assert_eq!(failure.cause(), Cause::DestinationUnavailable);
    assert!(response.into_body().collect().await.unwrap().trailers().is_none());
}

#[tokio::test]
async fn client_passes_message_and_trailers_unchanged() {
    let message = || Frame::data(Bytes::from_static(b"message"));
    let response = respond_with(vec![message(), message(), trailers("14")]).await;
    assert!(response.headers().is_empty());
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "14");
    assert_eq!(body.to_bytes(), "messagemessage");
    let response = respond_with(vec![]).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
}

#[tokio::test]
async fn breaker_counts_status_in_trailers_when_body_ends() {
    for (code, calls) in [("14", (1, 1)), ("0", (1, 0)), ("5", (1, 0))] {
        let breaker = CircuitBreakerLayer::new().until_body_end();
        let body = ScriptedBody::new([
            Step::Data("message".into()),
            Step::Trailers(
                [("grpc-status".parse().unwrap(), code.parse().unwrap())].into_iter().collect(),
            ),
        ]);
        let server =
            service_fn(|_: Request<()>| ready(Ok::<_, BoxError>(Response::new(body.clone()))));
        let response = breaker.layer(server).oneshot(Request::new(())).await.unwrap();
        response.into_body().collect().await.unwrap();
        let snapshot = breaker.handle().snapshot();
        assert_eq!((snapshot.calls(), snapshot.failures()), calls, "{code}");
    }
}
