//! tower-http's layers around the stack and inside of it: `cargo run --example tower_http`.

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
    let seen = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let url = upstream(Arc::clone(&seen)).await?;
    let client = ServiceBuilder::new()
        // Around the stack: what concerns a call, however many attempts it takes.
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(FollowRedirectLayer::new())
        .layer(StandardLayer::new("tower_http"))
        // Inside: what concerns an attempt. Decompressed here, pages of gateways can be read by the stack.
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

    // The redirect, the attempt that failed, and the one after it: one call, one id.
    let seen = seen.lock().expect("not poisoned");
    assert_eq!(seen.len(), 3);
    assert!(id.is_some() && seen.iter().all(|headers| headers.get("x-request-id") == id.as_ref()));
    assert!(seen.iter().all(|headers| headers[USER_AGENT] == "shop/1.0"));
    Ok(())
}

/// Redirects, fails, answers.
async fn upstream(seen: Arc<Mutex<Vec<HeaderMap>>>) -> Result<String, BoxError> {
    let answer = async move |headers: HeaderMap| {
        let mut seen = seen.lock().expect("not poisoned");
        seen.push(headers);
        match seen.len() {
            1 => Redirect::permanent("/new").into_response(),
            2 => StatusCode::BAD_GATEWAY.into_response(),
            _ => TEXT.into_response(),
        }
    };
    let app = Router::new().fallback(answer).layer(CompressionLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(url)
}
