//! HTTP/2 in front of an HTTP/1.1 upstream.

use axum::body::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt, Empty, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::{
    exchange::{gateway, values},
    origin::{Origin, write},
    support::GatewayProcess,
};

type Body = BoxBody<Bytes, std::convert::Infallible>;

async fn send(gateway: &GatewayProcess, request: Request<Body>) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert!(gateway.pid() > 0);
    response
}

fn request(gateway: &GatewayProcess, path: &str) -> Request<Body> {
    Request::get(format!("{}{path}", gateway.url)).body(Empty::new().boxed()).unwrap()
}

fn frames<const N: usize>(frames: [Frame<Bytes>; N]) -> Body {
    StreamBody::new(futures_util::stream::iter(frames.map(Ok))).boxed()
}

#[tokio::test]
async fn request_becomes_http_1_1_request() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let mut get = request(&gateway, "/a/x?y");
    for cookie in ["a=1", "b=2", "c=3"] {
        get.headers_mut().append("cookie", HeaderValue::from_static(cookie));
    }
    get.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    assert_eq!(send(&gateway, get).await.status(), 200);
    let head = origin.only_request().head;
    assert!(head.starts_with("GET /base/x?y HTTP/1.1\r\n"), "{head}");
    assert!(head.lines().all(|line| !line.starts_with(':')), "{head}");
    assert_eq!(values(&head, "cookie"), ["a=1; b=2; c=3"]);
    assert_eq!(values(&head, "te"), ["trailers"]);
    assert_eq!(values(&head, "connection"), ["te"]);
    assert_eq!(values(&head, "host"), [origin.authority()]);
    assert_eq!(values(&head, "x-forwarded-host"), [gateway.url.strip_prefix("http://").unwrap()]);
    assert_eq!(values(&head, "via"), ["2.0 seawall-gateway"]);
    assert_eq!(values(&head, "content-length"), [""; 0]);
    assert_eq!(values(&head, "transfer-encoding"), [""; 0]);
}

#[tokio::test]
async fn body_and_trailers_pass_in_both_directions() {
    let origin = Origin::answer(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n";
        write(stream, &format!("{head}2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n"));
    });
    let gateway = gateway(&origin);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-md5", HeaderValue::from_static("9"));
    let body = frames([Frame::data(Bytes::from_static(b"hi")), Frame::trailers(trailers)]);
    let post = Request::post(format!("{}/a/x", gateway.url)).header("trailer", "x-md5");
    let response = send(&gateway, post.body(body).unwrap()).await;
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "7");
    assert_eq!(body.to_bytes(), "ok");
    let request = origin.only_request();
    assert_eq!((request.body.as_str(), request.trailers.as_str()), ("hi", "x-md5: 9\r\n"));
    assert_eq!(values(&request.head, "transfer-encoding"), ["chunked"]);
}

#[tokio::test]
async fn host_that_differs_from_authority_gets_400() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let own = gateway.url.strip_prefix("http://").unwrap().to_owned();
    for (host, expected) in [(own.as_str(), 200), ("other.example", 400), ("a b", 400)] {
        let mut get = request(&gateway, "/a/x");
        get.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(send(&gateway, get).await.status(), expected, "{host}");
    }
    assert_eq!(origin.received().len(), 1);
}

#[tokio::test]
async fn extended_connect_is_not_offered_and_connect_gets_501() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let address = gateway.url.strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let connect = Request::connect("other.example:443").body(()).unwrap();
    let (response, _) = sender.send_request(connect, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 501);
    // The settings of the server precede its first response.
    assert!(!sender.is_extended_connect_protocol_enabled());
    assert!(origin.received().is_empty());
}
