//! A client that survives a flaky upstream, from nothing: `cargo run --example hello`.

use http::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::{Origin, Script};
use seawall::StandardLayer;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // An upstream that answers every fourth request with 502.
    let upstream = Origin::start(Script::Flaky { every: 4 }).await?;
    let url = format!("http://{}/", upstream.addr());

    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(StandardLayer::new("hello")).service(client);
    for call in 1..=9 {
        let request = Request::get(&url).body(String::new())?;
        let response = client.clone().oneshot(request).await?;
        println!("call {call}: {}", response.status());
        assert_eq!(response.status(), 200);
    }

    println!("9 calls, {} requests", upstream.requests());
    assert_eq!(upstream.requests(), 11);
    Ok(())
}
