//! An axum gateway in front of a flaky upstream and an upstream that is down.
//!
//! `cargo run --all-features --example axum_gateway`

use std::{future::ready, net::SocketAddr};

use axum::{Router, middleware::map_request};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError,
    gateway::UpstreamUri,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

/// Forwards all requests to `addr`. `apps/gateway` shows the other header changes of a proxy.
fn upstream(name: &str, addr: SocketAddr) -> Router {
    let upstream = UpstreamUri::from(addr);
    let rewrite = move |request: axum::extract::Request| {
        let request = upstream.rewrite(request);
        ready(request.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string())))
    };
    let service = ServiceBuilder::new()
        // Outside the stack, which picks the circuit by URL: a caller can send any host.
        .layer(map_request(rewrite))
        .layer(StandardLayer::gateway(name))
        .service(Client::builder(TokioExecutor::new()).build_http());
    Router::new().fallback_service(service)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let flaky =
        FlakyUpstream::start(Script::new().then(Step::status(502)).then_repeat(Step::ok("ok")))
            .await?;
    let down = FlakyUpstream::refusing()?;
    let app = Router::new()
        .nest_service("/billing", upstream("billing", down.addr()))
        .fallback_service(upstream("shop", flaky.addr()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let gateway = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, app).await });

    let client = Client::builder(TokioExecutor::new()).build_http();
    for (path, expected) in
        [("/cart", 200), ("/cart?item=1", 200), ("/billing/invoice", 502), ("/cart", 200)]
    {
        let request = Request::get(format!("http://{gateway}{path}")).body(String::new())?;
        let response = client.request(request).await?;
        assert_eq!(response.status(), expected);
        let body = response.into_body().collect().await?.to_bytes();
        println!("{path}: {expected} {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(flaky.requests(), 4);
    assert_eq!(flaky.received()[2].uri(), "/cart?item=1");
    Ok(())
}
