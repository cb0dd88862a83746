//! A channel of tonic's in the stack.

use std::time::Duration;

use ::tonic::{Code, Status};
use seawall::{
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::GrpcClassifier,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    standard::StandardLayer,
};

use super::eager;
use crate::tonic::{Act, Server, call_by, message};

const UNAVAILABLE: Act = Act::Status(Code::Unavailable, None);

fn stack() -> StandardLayer<GrpcClassifier> {
    StandardLayer::new("echo").classifier(GrpcClassifier::new()).retry(eager().retry_all_methods())
}

#[tokio::test]
async fn an_unavailable_call_is_made_again_where_that_does_no_harm() {
    let server = Server::start([UNAVAILABLE, UNAVAILABLE, Act::Echo]).await;
    assert_eq!(call_by(server.addr, stack(), message()).await.unwrap(), "hi");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn by_default_only_a_call_that_was_not_processed_is_made_again() {
    let careful = || StandardLayer::new("echo").classifier(GrpcClassifier::new()).retry(eager());
    let server = Server::start([UNAVAILABLE]).await;
    let status = call_by(server.addr, careful(), message()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));
    let refused = Act::Reset(h2::Reason::REFUSED_STREAM);
    let server = Server::start([refused, Act::Echo]).await;
    assert_eq!(call_by(server.addr, careful(), message()).await.unwrap(), "hi");
}

#[tokio::test]
async fn pushback_has_the_last_word() {
    let no = Act::Status(Code::Unavailable, Some(("grpc-retry-pushback-ms", "-1")));
    let server = Server::start([no]).await;
    let status = call_by(server.addr, stack(), message()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));
    let yes = Act::Status(Code::Internal, Some(("grpc-retry-pushback-ms", "1")));
    let server = Server::start([yes, Act::Echo]).await;
    assert_eq!(call_by(server.addr, stack(), message()).await.unwrap(), "hi");
}

/// A channel's requests have no authority, so the circuit bears the stack's name.
#[tokio::test]
async fn a_server_that_is_unavailable_opens_the_circuit() {
    let breaker = CircuitBreakerLayer::new().consecutive_failures(std::num::NonZeroU32::new(3));
    let layer = stack().circuit_breaker(breaker);
    let server = Server::start([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]).await;
    call_by(server.addr, layer.clone(), message()).await.unwrap_err();
    assert_eq!(server.count(), 3);
    let circuits = layer.circuits().all();
    let states: Vec<_> = circuits.iter().map(|it| (it.key().unwrap(), it.state())).collect();
    assert_eq!(states, [("echo", State::Open)]);
}

#[tokio::test]
async fn a_caller_s_grpc_timeout_ends_all_attempts_where_it_is_trusted() {
    let server = Server::start([Act::Hang]).await;
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
async fn the_server_is_told_how_long_the_stack_waits() {
    let server = Server::start([Act::Echo]).await;
    let layer = stack().deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc));
    assert_eq!(call_by(server.addr, layer, message()).await.unwrap(), "hi");
    let calls = server.calls.lock().unwrap();
    let told = calls[0]["grpc-timeout"].to_str().unwrap();
    // 30 s, less the margin and what has passed, in at most eight digits and a unit.
    let (number, unit) = told.split_at(told.len() - 1);
    assert!(number.len() <= 8, "{told}");
    let seconds = match unit {
        "m" => number.parse::<f64>().unwrap() / 1e3,
        "u" => number.parse::<f64>().unwrap() / 1e6,
        _ => panic!("{told}"),
    };
    assert!((20.0..30.0).contains(&seconds), "{told}");
}
