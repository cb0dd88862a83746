//! A tonic channel in the stack.

use std::time::Duration;

use ::tonic::{Code, Status};
use seawall::{
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::GrpcClassifier,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    standard::StandardLayer,
};

use super::without_backoff;
use crate::tonic::{Action, Server, call_by, message};

const UNAVAILABLE: Action = Action::Status(Code::Unavailable, None);

fn stack() -> StandardLayer<GrpcClassifier> {
    StandardLayer::new("echo")
        .classifier(GrpcClassifier::new())
        .retry(without_backoff().retry_all_methods())
}

#[tokio::test]
async fn stack_retries_unavailable_call_when_all_methods_are_retried() {
    let server = Server::start([UNAVAILABLE, UNAVAILABLE, Action::Echo]).await;
    assert_eq!(call_by(server.addr, stack(), message()).await.unwrap(), "hi");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn stack_retries_only_unprocessed_call_by_default() {
    let default_stack =
        || StandardLayer::new("echo").classifier(GrpcClassifier::new()).retry(without_backoff());
    let server = Server::start([UNAVAILABLE]).await;
    let status = call_by(server.addr, default_stack(), message()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));
    let refused = Action::Reset(h2::Reason::REFUSED_STREAM);
    let server = Server::start([refused, Action::Echo]).await;
    assert_eq!(call_by(server.addr, default_stack(), message()).await.unwrap(), "hi");
}

#[tokio::test]
async fn pushback_takes_precedence_over_status() {
    let do_not_retry = Action::Status(Code::Unavailable, Some(("grpc-retry-pushback-ms", "-1")));
    let server = Server::start([do_not_retry]).await;
    let status = call_by(server.addr, stack(), message()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));
    let retry = Action::Status(Code::Internal, Some(("grpc-retry-pushback-ms", "1")));
    let server = Server::start([retry, Action::Echo]).await;
    assert_eq!(call_by(server.addr, stack(), message()).await.unwrap(), "hi");
}

/// Requests of a channel have no authority, so the name of the stack is the key of the circuit.
#[tokio::test]
async fn unavailable_server_opens_circuit() {
    let breaker =
        CircuitBreakerLayer::new().consecutive_failures(std::num::NonZeroU32::new(3).unwrap());
    let layer = stack().circuit_breaker(breaker);
    let server = Server::start([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]).await;
    call_by(server.addr, layer.clone(), message()).await.unwrap_err();
    assert_eq!(server.count(), 3);
    let circuits = layer.circuits().all();
    let states: Vec<_> =
        circuits.iter().map(|circuit| (circuit.key().unwrap(), circuit.state())).collect();
    assert_eq!(states, [("echo", State::Open)]);
}

#[tokio::test]
async fn trusted_grpc_timeout_limits_all_attempts() {
    let server = Server::start([Action::Stall]).await;
    let total = Duration::from_secs(600);
    let layer = stack().deadline(DeadlineLayer::new(total).trust_header(TimeoutHeader::Grpc));
    let mut message = message();
    message.set_timeout(Duration::from_millis(50));
    let status: Status = call_by(server.addr, layer, message).await.unwrap_err();
    assert_eq!(server.count(), 1, "{status}");
    let calls = server.calls.lock().unwrap();
    assert!(calls[0].contains_key("grpc-timeout"));
}

#[tokio::test]
async fn stack_sends_grpc_timeout_to_server() {
    let server = Server::start([Action::Echo]).await;
    let layer = stack().deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc));
    assert_eq!(call_by(server.addr, layer, message()).await.unwrap(), "hi");
    let calls = server.calls.lock().unwrap();
    let timeout = calls[0]["grpc-timeout"].to_str().unwrap();
    // 30 s minus the margin and the elapsed time, in at most eight digits and a unit.
    let (number, unit) = timeout.split_at(timeout.len() - 1);
    assert!(number.len() <= 8, "{timeout}");
    let seconds = match unit {
        "m" => number.parse::<f64>().unwrap() / 1e3,
        "u" => number.parse::<f64>().unwrap() / 1e6,
        _ => panic!("{timeout}"),
    };
    assert!((20.0..30.0).contains(&seconds), "{timeout}");
}
