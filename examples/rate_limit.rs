//! A rate limit per client in front of a gateway, with `tower_governor`.
//!
//! `cargo run --all-features --example rate_limit`

use std::{future::ready, net::SocketAddr};

use axum::{Router, middleware::map_request};
use http::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError,
    gateway::UpstreamUri,
    logging::LoggingLayer,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};

fn gateway(upstream: UpstreamUri) -> Result<Router, BoxError> {
    // A burst of 5, and then one request per minute.
    let limits = GovernorConfigBuilder::default().per_second(60).burst_size(5).finish();
    let limits = GovernorLayer::new(limits.ok_or("the limit is zero")?);
    let rewrite = move |request: axum::extract::Request| {
        let request = upstream.rewrite(request);
        ready(request.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string())))
    };
    let upstream = ServiceBuilder::new()
        .layer(map_request(rewrite))
        .layer(StandardLayer::gateway("edge").without_access_log())
        .service(Client::builder(TokioExecutor::new()).build_http());
    // The log is outside the limit, so rejected requests are logged too.
    Ok(Router::new().fallback_service(upstream).layer((LoggingLayer::server(), limits)))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let upstream =
        FlakyUpstream::start(Script::new().then(Step::status(502)).then_repeat(Step::ok("ok")))
            .await?;
    let app = gateway(upstream.url("/").parse()?)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });

    let client = Client::builder(TokioExecutor::new()).build_http();
    for call in 1..=8 {
        let response = client.request(Request::get(&url).body(String::new())?).await?;
        let wait = response.headers().get("retry-after");
        println!("call {call}: {}, retry-after {wait:?}", response.status());
        let is_rejected = call > 5;
        assert_eq!(response.status(), if is_rejected { 429 } else { 200 });
        assert_eq!(wait.is_some(), is_rejected);
    }
    // Five calls and one retry: rejected requests never reach the upstream.
    println!("{} requests reached the upstream", upstream.requests());
    assert_eq!(upstream.requests(), 6);
    Ok(())
}
