//! tower-http's layers outside and inside the stack.
//!
//! `cargo run --all-features --example tower_http`

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    response::{IntoResponse, Redirect},
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header::USER_AGENT};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{BoxError, standard::StandardLayer};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{
    compression::CompressionLayer,
    decompression::DecompressionLayer,
    follow_redirect::FollowRedirectLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetRequestHeaderLayer,
    trace::TraceLayer,
};

const TEXT: &str = "A text that is long enough to be worth compressing.";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let received = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let url = upstream(Arc::clone(&received)).await?;
    let client = ServiceBuilder::new()
        // Outside the stack: layers that apply to a call with all its attempts.
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(FollowRedirectLayer::new())
        .layer(StandardLayer::new("tower_http"))
        // Inside the stack, per attempt. The stack can classify a gateway's decompressed page.
        .layer(SetRequestHeaderLayer::if_not_present(
            USER_AGENT,
            HeaderValue::from_static("shop/1.0"),
        ))
        .layer(DecompressionLayer::new())
        .service(Client::builder(TokioExecutor::new()).build_http());

    let request = Request::get(url + "/old").body(String::new())?;
    let response = client.oneshot(request).await?;
    let id = response.headers().get("x-request-id").cloned();
    println!("{}, id {id:?}", response.status());
    assert_eq!(response.into_body().collect().await?.to_bytes(), TEXT);

    // The redirect, the failed attempt and its retry are one call with one ID.
    let received = received.lock().expect("not poisoned");
    assert_eq!(received.len(), 3);
    assert!(
        id.is_some() && received.iter().all(|headers| headers.get("x-request-id") == id.as_ref())
    );
    assert!(received.iter().all(|headers| headers[USER_AGENT] == "shop/1.0"));
    Ok(())
}

/// Starts an upstream that redirects, then fails, then succeeds.
async fn upstream(received: Arc<Mutex<Vec<HeaderMap>>>) -> Result<String, BoxError> {
    let respond = async move |headers: HeaderMap| {
        let mut received = received.lock().expect("not poisoned");
        received.push(headers);
        match received.len() {
            1 => Redirect::permanent("/new").into_response(),
            2 => StatusCode::BAD_GATEWAY.into_response(),
            _ => TEXT.into_response(),
        }
    };
    let app = Router::new().fallback(respond).layer(CompressionLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(url)
}
