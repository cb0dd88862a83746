//! tower's balancer, buffer and limits around three servers, of which one is down.
//!
//! `cargo run --all-features --example tower_balance`

use std::num::NonZeroU32;

use http::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError,
    circuit_breaker::{CircuitBreakerLayer, OpenBehavior},
    gateway::UpstreamUri,
    retry::RetryLayer,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Step},
};
use tower::{
    ServiceBuilder, ServiceExt,
    balance::p2c::Balance,
    discover::ServiceList,
    load::{CompleteOnResponse, PendingRequests},
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut servers = Vec::new();
    for step in [Step::ok("ok"), Step::close(), Step::ok("ok")] {
        servers.push(FlakyUpstream::start(step).await?);
    }
    let pool = Client::builder(TokioExecutor::new()).build_http();
    let instances = servers.iter().map(|server| {
        // One layer per server, because the services of a layer share its circuit. The balancer
        // skips a server whose circuit is open.
        let circuit = CircuitBreakerLayer::new()
            .consecutive_failures(NonZeroU32::new(2).unwrap())
            .open_behavior(OpenBehavior::Backpressure);
        let server = UpstreamUri::from(server.addr());
        let instance = ServiceBuilder::new()
            .layer(circuit)
            .filter(move |request: Request<_>| server.rewrite(request))
            .service(pool.clone());
        PendingRequests::new(instance, CompleteOnResponse::default())
    });
    let client = ServiceBuilder::new()
        // Calls above this limit are rejected and do not wait.
        .load_shed()
        .concurrency_limit(100)
        .layer(
            StandardLayer::new("orders")
                .without_circuit_breaker()
                .retry(RetryLayer::new().retry_rejections(true)),
        )
        // The stack requires `Clone`: a balancer is not, but its buffer is.
        .buffer(100)
        .service(Balance::new(ServiceList::new(instances.collect::<Vec<_>>())));

    for _ in 0..30 {
        let request = Request::get("http://orders/").body(String::new())?;
        let response = client.clone().oneshot(request).await?;
        assert_eq!(response.status(), 200);
    }
    let [first, down, third] = [0, 1, 2].map(|server: usize| servers[server].requests());
    println!(
        "30 calls: {first} requests to the first server, {third} to the third, {down} to the one that is down"
    );
    // Its circuit opened after two failures.
    assert!(down <= 2);
    assert_eq!(first + third, 30);
    Ok(())
}
