//! reqwest's client in the stack: `cargo run --example reqwest_client`.

use http::Request;
use http_body_util::BodyExt;
use scripted_origin::{Origin, Script};
use seawall::{BoxError, StandardLayer, reqwest::Client};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let upstream = Origin::start(Script::Flaky { every: 4 }).await?;
    let url = format!("http://{}/", upstream.addr());

    // All of reqwest's settings hold, but for redirects and retries, which are left to layers.
    let settings = reqwest::Client::builder().user_agent("shop/1.0").no_proxy();
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("reqwest_client"))
        .service(Client::build(settings)?);

    for call in 1..=9 {
        let request = Request::put(&url).body(format!("order {call}"))?;
        let response = client.clone().oneshot(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("call {call}: {status} {}", String::from_utf8_lossy(&body));
        assert_eq!((status.as_u16(), &*body), (200, &b"ok"[..]));
    }

    let received = upstream.received();
    println!("9 calls, {} requests", received.len());
    assert_eq!(received.len(), 11);
    // Each attempt sent the same.
    assert_eq!((&received[3].body, &received[4].body), (&b"order 4".into(), &b"order 4".into()));
    assert!(received.iter().all(|request| request.head.contains("user-agent: shop/1.0\r\n")));
    Ok(())
}
