//! Three hops, each with the complete stack.

use std::net::SocketAddr;

use axum::{Router, body::Body};
use http::{Request, Uri, header::HOST};
use scripted_origin::Script;
use seawall::{retry::ReplayBody, standard::StandardLayer};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};

use crate::support::sockets::{hyper_client, origin};

/// Starts a gateway that forwards each request to `upstream`. Returns the gateway's address.
async fn gateway(name: &str, upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = ServiceBuilder::new()
        .layer(StandardLayer::gateway(name))
        .map_request(move |mut request: Request<ReplayBody<Body>>| {
            *request.uri_mut() = Uri::try_from(format!("http://{upstream}/")).unwrap();
            request.headers_mut().remove(HOST);
            request
        })
        .service(hyper_client());
    let app: Router = Router::new().fallback_service(service);
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

#[tokio::test]
async fn three_hops_make_four_attempts_instead_of_sixty_four() {
    for script in [Script::Status(502), Script::ReadClose, Script::Refuse] {
        let origin = origin(script).await;
        let inner = gateway("inner", origin.addr()).await;
        let outer = gateway("outer", inner).await;
        let client = ServiceBuilder::new()
            .layer(StandardLayer::new("outer"))
            .service(hyper_client::<ReplayBody<Body>>());
        let request = Request::get(format!("http://{outer}/")).body(Body::empty()).unwrap();
        let response = client.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 502, "{script:?}");
        if script != Script::Refuse {
            assert_eq!(origin.requests(), 4, "{script:?}");
        }
    }
}
