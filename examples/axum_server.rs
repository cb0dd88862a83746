//! An axum server that calls an upstream, with layers around all routes, one router and some
//! routes.
//!
//! `cargo run --all-features --example axum_server`

use std::time::Duration;

use axum::{Router, routing::get};
use http::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError,
    deadline::DeadlineLayer,
    error_response::ErrorResponseLayer,
    logging::LoggingLayer,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
    timeout::TimeoutLayer,
};
use tokio::{net::TcpListener, time::sleep};
use tower::{ServiceBuilder, ServiceExt};

fn app(upstream: String) -> Router {
    // In a handler, the gateway stack turns errors that remain after retries into responses.
    let client = ServiceBuilder::new()
        .layer(StandardLayer::gateway("orders").without_access_log())
        .service(Client::builder(TokioExecutor::new()).build_http());
    let order = async move || {
        let request = Request::get(upstream).body(String::new()).expect("a URL");
        client.oneshot(request).await
    };
    let reports = Router::new()
        .route("/all", get(async || sleep(Duration::from_secs(60)).await))
        .route_layer((
            ErrorResponseLayer::new("shop"),
            TimeoutLayer::new(Duration::from_millis(50)),
        ))
        .fallback(async || "which report?");
    let stock = Router::new()
        .route("/", get(async || sleep(Duration::from_secs(60)).await))
        .layer((ErrorResponseLayer::new("shop"), DeadlineLayer::new(Duration::from_millis(50))));
    Router::new()
        .route("/order", get(order))
        .nest("/reports", reports)
        .nest("/stock", stock)
        .layer(LoggingLayer::server())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let flaky =
        FlakyUpstream::start(Script::new().then(Step::status(502)).then_repeat(Step::ok("ok")))
            .await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    let app = app(flaky.url("/"));
    tokio::spawn(async { axum::serve(listener, app).await });

    let client = Client::builder(TokioExecutor::new()).build_http();
    for (path, expected) in [
        ("/order", 200),
        ("/order", 200),
        ("/reports/all", 504),
        ("/reports/other", 200),
        ("/stock", 504),
        ("/nothing", 404),
    ] {
        let request = Request::get(format!("http://{server}{path}")).body(String::new())?;
        let response = client.request(request).await?;
        println!("{path}: {}, {:?}", response.status(), response.headers().get("proxy-status"));
        assert_eq!(response.status(), expected);
    }
    assert_eq!(flaky.requests(), 3);
    Ok(())
}
