//! Retry delays of gRPC.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use http::Response;
use seawall::classify::{Classify, GrpcClassifier};
use tonic::Code;

use super::Body;

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
