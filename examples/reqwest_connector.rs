//! Layers around reqwest's connector, and the stack around its requests.
//!
//! `cargo run --all-features --example reqwest_connector`

use std::{num::NonZeroU32, time::Duration};

use http::Request;
use seawall::{
    BoxError, Cause,
    classify::classify_error,
    in_flight::InFlightLimitLayer,
    reqwest::Client,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
    timeout::TimeoutLayer,
};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let max_connections = NonZeroU32::new(10).ok_or("zero")?;
    // A request that is rejected or times out here was never sent, so even a POST is retried.
    let settings = reqwest::Client::builder()
        .no_proxy()
        .connector_layer(TimeoutLayer::new(Duration::from_secs(1)))
        .connector_layer(InFlightLimitLayer::new(max_connections).until_response());
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("reqwest_connector"))
        .service(Client::build(settings)?);

    let upstream =
        FlakyUpstream::start(Script::new().then(Step::status(502)).then_repeat(Step::ok("ok")))
            .await?;
    for call in 1..=3 {
        let response =
            client.clone().oneshot(Request::get(upstream.url("/")).body(String::new())?).await?;
        println!("call {call}: {}", response.status());
        assert_eq!(response.status(), 200);
    }

    let down = FlakyUpstream::refusing()?;
    let request = Request::post(down.url("/")).body(String::new())?;
    let error = client.oneshot(request).await.err().ok_or("no error")?;
    println!("{}", classify_error(&*error));
    assert_eq!(classify_error(&*error).cause(), Cause::ConnectionRefused);
    Ok(())
}
