//! Status codes and retry delays of gRPC.
//!
//! Uses real sockets and the real clock.

use std::{iter::repeat_n, num::NonZeroU32, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use http::Response;
use seawall::{
    circuit_breaker::CircuitBreakerLayer,
    classify::{Classify, GrpcClassifier},
    in_flight::InFlightLimitLayer,
    standard::{StandardLayer, Timeouts},
};
use tonic::Code;

use super::{Body, within_limit};
use crate::{
    support::sockets::eventually,
    tonic::{Action, Server, call_by, message},
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
#[ignore = "22: a gRPC caller receives Unknown for a timeout of the stack"]
async fn grpc_caller_gets_deadline_exceeded_when_attempt_times_out() {
    let server = silent_server().await;
    let call = call_by(server.addr, stack_with_timeouts(100, 5_000), message());
    assert_eq!(within_limit(call).await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
#[ignore = "22: a gRPC caller receives Unknown for the total timeout of the stack"]
async fn grpc_caller_gets_deadline_exceeded_when_call_times_out() {
    let server = silent_server().await;
    let call = call_by(server.addr, stack_with_timeouts(100, 100), message());
    assert_eq!(within_limit(call).await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
#[ignore = "22: a gRPC caller receives Unknown for a call that an open circuit rejects"]
async fn grpc_caller_gets_unavailable_when_circuit_is_open() {
    let server = silent_server().await;
    let breaker = CircuitBreakerLayer::new();
    breaker.handle().force_open();
    let status = within_limit(call_by(server.addr, breaker, message())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
#[ignore = "22: a gRPC caller receives Unknown for a call that the in-flight limit rejects"]
async fn grpc_caller_gets_rejection_code_when_limit_is_reached() {
    let server = silent_server().await;
    let layer = stack().in_flight(InFlightLimitLayer::new(NonZeroU32::MIN));
    let second = async {
        eventually(|| server.count() == 1).await;
        call_by(server.addr, layer.clone(), message()).await.unwrap_err().code()
    };
    let code = within_limit(Box::pin(async {
        tokio::select! {
            first = call_by(server.addr, layer.clone(), message()) => panic!("{first:?}"),
            code = second => code,
        }
    }));
    let code = code.await;
    assert!(matches!(code, Code::Unavailable | Code::ResourceExhausted), "{code:?}");
}

/// Encodes a length-delimited field in the protocol buffers format.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// Encodes a `google.rpc.Status` with a `RetryInfo` of 2 s as a `grpc-status-details-bin` value.
fn status_with_retry_info(code: u8) -> String {
    let delay = field(1, &[0x08, 2]);
    let url = field(1, b"type.googleapis.com/google.rpc.RetryInfo");
    let any = [url, field(2, &delay)].concat();
    STANDARD_NO_PAD.encode([vec![0x08, code], field(3, &any)].concat())
}

#[test]
#[ignore = "22: the gRPC classifier ignores google.rpc.RetryInfo"]
fn grpc_classifier_reads_retry_info_when_status_has_details() {
    for code in [Code::ResourceExhausted, Code::Unavailable] {
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", code as i32)
            .header("grpc-status-details-bin", status_with_retry_info(code as u8))
            .body(Body::default())
            .unwrap();
        let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(2)), "{code:?}");
    }
}
