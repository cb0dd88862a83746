//! Calls of gRPC through the gateway, by HTTP/2 without TLS on both sides.

use std::convert::Infallible;

use axum::body::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use crate::ConfiguredGateway;

/// Starts an HTTP/2 server that echoes each body and ends with trailers.
async fn start_grpc_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(connection), service_fn(respond)));
        }
    });
    url
}

async fn respond(
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    assert_eq!(request.version(), Version::HTTP_2);
    let content_type = request.headers()["content-type"].clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let trailers = [("grpc-status", "0"), ("grpc-message", "fine")];
    let trailers: HeaderMap = trailers
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let body = Full::new(body).with_trailers(async move { Some(Ok(trailers)) });
    Ok(Response::builder().header("content-type", content_type).body(body).unwrap())
}

#[tokio::test]
async fn grpc_caller_receives_trailers() {
    let url = start_grpc_server().await;
    for service in [
        format!("url = \"{url}\"\nhttp2 = true"),
        format!("upstream = [{{ url = \"{url}\", http2 = true }}]"),
    ] {
        let gateway = ConfiguredGateway::start(&format!("[[service]]\nname = \"m\"\n{service}\n"));
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        for te in [None, Some("trailers")] {
            let mut request = Request::post(format!("{}/m/p.S/M", gateway.process.url))
                .header("content-type", "application/grpc");
            if let Some(te) = te {
                request = request.header("te", te);
            }
            let message = Bytes::from_static(b"\0\0\0\0\x02hi");
            let request = request.body(Full::new(message.clone())).unwrap();
            let response = client.request(request).await.unwrap();
            assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
            assert_eq!(response.headers()["content-type"], "application/grpc");
            let collected = response.into_body().collect().await.unwrap();
            let trailers = collected.trailers().cloned().unwrap();
            assert_eq!(
                (&trailers["grpc-status"], &trailers["grpc-message"]),
                (&"0".parse().unwrap(), &"fine".parse().unwrap())
            );
            assert_eq!(collected.to_bytes(), message);
        }
    }
}
