//! The built-in upstream: a gateway whose origin refuses connections.

use std::{io, time::Duration};

use axum::{Router, body::Body};
use http::{Request, Uri};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::{Origin, Script};
use seawall::{error_response::ErrorResponseLayer, timeout::TimeoutLayer};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

/// Starts the gateway and returns its URL. The gateway runs until the process exits.
pub(crate) async fn start() -> io::Result<String> {
    let origin = Origin::start(Script::Refuse).await?;
    let origin_uri: Uri = format!("http://{}/", origin.addr()).parse().map_err(io::Error::other)?;
    let gateway = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("built-in-gateway"))
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .map_request(move |mut request: Request<Body>| {
            *request.uri_mut() = origin_uri.clone();
            request
        })
        .service(Client::builder(TokioExecutor::new()).build_http());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, Router::new().fallback_service(gateway)).await });
    Ok(url)
}
