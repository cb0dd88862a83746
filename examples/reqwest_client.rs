//! A reqwest client inside the stack: `cargo run --all-features --example reqwest_client`.

use http::Request;
use http_body_util::BodyExt;
use seawall::{
    BoxError,
    reqwest::Client,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let ok = || Step::ok("ok");
    let script = Script::new().times(3, ok()).then(Step::status(502)).then_repeat(ok());
    let upstream = FlakyUpstream::start(script).await?;

    // All reqwest settings apply except redirects and retries, which are left to layers.
    let settings = reqwest::Client::builder().user_agent("shop/1.0").no_proxy();
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("reqwest_client"))
        .service(Client::build(settings)?);

    for call in 1..=5 {
        let request = Request::put(upstream.url("/")).body(format!("order {call}"))?;
        let response = client.clone().oneshot(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("call {call}: {status} {}", String::from_utf8_lossy(&body));
        assert_eq!((status.as_u16(), &*body), (200, &b"ok"[..]));
    }

    let received = upstream.received();
    println!("5 calls, {} requests", received.len());
    assert_eq!(received.len(), 6);
    // Both attempts sent the same body.
    assert_eq!([received[3].body(), received[4].body()], [b"order 4", b"order 4"]);
    assert!(received.iter().all(|request| request.header("user-agent") == Some("shop/1.0")));
    Ok(())
}
