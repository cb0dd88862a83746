//! Fields of the log line that are set only in certain cases.

use super::*;

#[tokio::test(start_paused = true)]
async fn log_contains_advice_only_for_failures() {
    let line = log(LoggingLayer::client(), answer(502)).await;
    assert_eq!(line.get("seawall.advice"), Some(Cause::BadGateway.advice()));
    for status in [200, 404] {
        let line = log(LoggingLayer::client(), answer(status)).await;
        assert_eq!(line.get("seawall.advice"), None, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn log_contains_time_to_headers_when_body_takes_time() {
    for (body_millis, time_to_headers, duration) in
        [(250, Some("40.0"), "290.0"), (0, None, "40.0")]
    {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
            tokio::time::advance(Duration::from_millis(40)).await;
            Ok::<_, Infallible>(Response::new(Body::from("text")))
        }));
        let response = service.oneshot(get(URL)).await.unwrap();
        tokio::time::advance(Duration::from_millis(body_millis)).await;
        response.into_body().collect().await.unwrap();
        let line = recorder.line();
        assert_eq!(line.get("seawall.time_to_headers_ms"), time_to_headers);
        assert_eq!(line.get("seawall.duration_ms"), Some(duration));
    }
}

/// The protocol version of a request need not be the version that the connection used.
#[tokio::test(start_paused = true)]
async fn client_log_contains_version_only_with_response() {
    const FIELD: &str = "network.protocol.version";
    let refused = || Action::Fail(io::Error::from(io::ErrorKind::ConnectionRefused).into());
    assert_eq!(log(LoggingLayer::client(), refused()).await.get(FIELD), None);
    assert_eq!(log(LoggingLayer::server(), refused()).await.get(FIELD), Some("1.1"));
    let mut response = response::<ScriptedBody>(502);
    *response.version_mut() = http::Version::HTTP_2;
    let line = log(LoggingLayer::client(), Action::Respond(response)).await;
    assert_eq!(line.get(FIELD), Some("2"));
}
