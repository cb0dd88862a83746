//! A plain reverse proxy of axum and hyper: no retries, no timeouts, no logs, no metrics.
//!
//! `plain_proxy LISTEN UPSTREAM`: proxies `/api` and all paths below it to the authority UPSTREAM.

use std::env;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::any,
    serve::ListenerExt,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Upstream {
    client: Client<HttpConnector, Body>,
    authority: String,
}

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let (Some(listen), Some(authority)) = (args.next(), args.next()) else {
        panic!("usage: plain_proxy LISTEN UPSTREAM");
    };
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let app = Router::new()
        .route("/api/{*path}", any(forward))
        .with_state(Upstream { client, authority });
    let listener = TcpListener::bind(listen).await.expect("a free address");
    axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), app)
        .await
        .expect("a server");
}

async fn forward(State(upstream): State<Upstream>, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = path.strip_prefix("/api").unwrap_or(path);
    let uri = Uri::builder().scheme("http").authority(upstream.authority).path_and_query(path);
    let Ok(uri) = uri.build() else { return StatusCode::BAD_REQUEST.into_response() };
    *request.uri_mut() = uri;
    match upstream.client.request(request).await {
        Ok(response) => response.into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
