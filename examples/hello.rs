//! A client that survives a flaky upstream: `cargo run --all-features --example hello`.

use http::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // The upstream resets the first connection and responds to the next request with 502.
    let script =
        Script::new().then(Step::reset()).then(Step::status(502)).then_repeat(Step::ok("hi"));
    let upstream = FlakyUpstream::start(script).await?;

    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(StandardLayer::new("hello")).service(client);
    for call in 1..=3 {
        let request = Request::get(upstream.url("/")).body(String::new())?;
        let response = client.clone().oneshot(request).await?;
        println!("call {call}: {}", response.status());
        assert_eq!(response.status(), 200);
    }

    println!("3 calls, {} requests", upstream.requests());
    assert_eq!(upstream.requests(), 5);
    Ok(())
}
