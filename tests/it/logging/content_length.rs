//! Responses whose head determines that the body is complete.

use http::{Method, StatusCode, Version, header};
use hyper_util::rt::TokioIo;
use seawall::classify::GrpcClassifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test(start_paused = true)]
async fn response_without_content_is_complete_at_any_content_length() {
    for (method, status) in [(Method::GET, 204), (Method::GET, 304), (Method::HEAD, 200)] {
        for layer in [LoggingLayer::client(), LoggingLayer::server()] {
            let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
            let mut response = Response::new(ScriptedBody::new([Step::Stall]));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().insert(header::CONTENT_LENGTH, 500.into());
            let mut request = get(URL);
            *request.method_mut() = method.clone();
            // A server does not poll such a body.
            drop(layer.layer(Script::new([Action::Respond(response)])).oneshot(request).await);
            assert_eq!(
                recorder.line().get("seawall.outcome"),
                Some("complete"),
                "{method} {status}"
            );
        }
    }
}

/// A status in the trailers arrives after the response is classified.
#[tokio::test(start_paused = true)]
async fn log_level_follows_grpc_status_in_headers_only() {
    let mut status = http::HeaderMap::new();
    status.insert("grpc-status", "14".parse().unwrap());
    for (in_head, level) in [(true, tracing::Level::WARN), (false, tracing::Level::DEBUG)] {
        let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
        let steps = [Step::Data("message".into()), Step::Trailers(status.clone())];
        let mut response = Response::new(ScriptedBody::new(steps));
        if in_head {
            *response.headers_mut() = status.clone();
        }
        let layer = LoggingLayer::client().classifier(GrpcClassifier::new());
        let service = layer.layer(Script::new([Action::Respond(response)]));
        drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
        assert_eq!(recorder.line().level, level);
    }
}

#[tokio::test]
async fn client_upgrade_is_complete_and_caller_owns_connection() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let (io, mut server) = tokio::io::duplex(1_024);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(io)).await.unwrap();
    let connection = tokio::spawn(connection.with_upgrades());
    let echoes = tokio::spawn(async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(server.read_u8().await.unwrap());
        }
        let switch =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        server.write_all(switch).await.unwrap();
        let byte = server.read_u8().await.unwrap();
        server.write_u8(byte).await.unwrap();
    });
    let client = LoggingLayer::client()
        .layer(service_fn(move |request: Request<Body>| sender.send_request(request)));
    let mut request = get("/chat");
    for (name, value) in [("host", "h"), ("connection", "upgrade"), ("upgrade", "echo")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let mut response = client.oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::SWITCHING_PROTOCOLS, Version::HTTP_11)
    );
    let mut upgraded = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    upgraded.write_u8(7).await.unwrap();
    assert_eq!(upgraded.read_u8().await.unwrap(), 7);
    echoes.await.unwrap();
    connection.await.unwrap().unwrap();
    let line = recorder.line();
    assert_eq!(line.get("seawall.outcome"), Some("complete"));
    assert_eq!(line.get("http.response.status_code"), Some("101"));
    assert_eq!(line.level, tracing::Level::DEBUG);
}
