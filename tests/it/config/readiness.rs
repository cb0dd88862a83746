//! Readiness, gateways, and layers of other types.

use http_body_util::BodyExt;
use seawall::{
    config::Handle,
    keys::by_authority,
    test_util::{FlakyService, Step},
};
use tower::{ServiceBuilder, service_fn};

use super::*;

/// A client that must be polled ready before each call. A clone starts unready.
#[derive(Debug)]
struct Strict {
    ready: bool,
    /// The number of clones so far, shared by all instances.
    clones: Arc<AtomicUsize>,
    number: usize,
    /// The remaining number of readiness errors.
    failures: Arc<AtomicUsize>,
}

impl Strict {
    fn new(failures: usize) -> Self {
        let failures = Arc::new(AtomicUsize::new(failures));
        Self { ready: false, clones: Arc::default(), number: 0, failures }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        let (clones, failures) = (Arc::clone(&self.clones), Arc::clone(&self.failures));
        let number = clones.fetch_add(1, Ordering::SeqCst) + 1;
        Self { ready: false, clones, number, failures }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let decrement = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, decrement).is_ok() {
            let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return Poll::Ready(Err(error.into()));
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it is ready");
        std::future::ready(Ok(Response::new(Body::from(self.number.to_string()))))
    }
}

async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn readied_instance_serves_call_and_clone_starts_unready() {
    let strict = Strict::new(0);
    let mut client = configured("[default]").layer(strict);
    for _ in 0..3 {
        let ready = ServiceExt::<Request<Body>>::ready(&mut client).await.unwrap();
        let number = ready.client_number();
        let mut clone = client.clone();
        let response = client.call(get("http://a/")).await.unwrap();
        assert_eq!(text(response).await, number);
        let response = ServiceExt::<Request<Body>>::ready(&mut clone).await.unwrap();
        assert!(response.call(get("http://a/")).await.is_ok());
    }
}

/// The number of the client instance, read from its debug output.
trait ClientNumber {
    fn client_number(&self) -> String;
}

impl<T: std::fmt::Debug> ClientNumber for T {
    fn client_number(&self) -> String {
        let debug = format!("{self:?}");
        let number = debug.split("number: ").nth(1).unwrap();
        number.split(|c: char| !c.is_ascii_digit()).next().unwrap().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn service_returns_readiness_error_of_client() {
    let mut client = configured("[default]").layer(Strict::new(1));
    let ready = ServiceExt::<Request<Body>>::ready(&mut client).await;
    assert!(ready.unwrap_err().is::<std::io::Error>());
}

#[tokio::test(start_paused = true)]
async fn gateway_applies_policy_of_url_to_failures() {
    let layer = ConfiguredLayer::new(
        StandardLayer::gateway("edge"),
        config(
            "[default]\nretry = \"off\"\n[[route]]\nprefix = \"http://a\"\ntimeouts.attempt = \"1s\"",
        ),
    );
    let client = layer.layer(Upstream::new(None));
    let started = tokio::time::Instant::now();
    let response: Result<_, Infallible> = client.clone().oneshot(get("http://a/")).await;
    assert_eq!(response.unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(started.elapsed().as_millis(), 1_000);
    let response = client.oneshot(get("http://b/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(started.elapsed().as_millis(), 1_000 + 10_000);
}

#[tokio::test(start_paused = true)]
async fn gateway_returns_502_until_client_is_ready() {
    let layer = ConfiguredLayer::new(StandardLayer::gateway("edge"), config("[default]"));
    let mut client = layer.layer(Strict::new(1));
    let ready = ServiceExt::<Request<Body>>::ready(&mut client).await.unwrap();
    let response = ready.call(get("http://a/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    let proxy_status = response.headers()["proxy-status"].to_str().unwrap();
    assert_eq!(proxy_status, "edge;error=connection_refused");
    let ready = ServiceExt::<Request<Body>>::ready(&mut client).await.unwrap();
    assert_eq!(ready.call(get("http://a/")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn axum_router_accepts_gateway() {
    let layer = ConfiguredLayer::new(
        StandardLayer::gateway("edge").map_body(axum::body::Body::new),
        Config::default(),
    );
    let upstream = ServiceBuilder::new().layer(layer).service(Strict::new(0));
    let router: axum::Router = axum::Router::new().fallback_service(upstream);
    let request = Request::get("/").body(axum::body::Body::empty()).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn each_policy_keeps_program_settings() {
    let base = StandardLayer::new("test")
        .per_key(|uri| by_authority(uri).map(|key| format!("key of {key}").into()))
        .map_body(axum::body::Body::new);
    let layer =
        ConfiguredLayer::new(base, config("[[route]]\nprefix = \"http://a\"\nretry = \"off\""));
    let handle: Handle = layer.handle();
    let client = layer.layer(service_fn(async |_: Request<axum::body::Body>| {
        Ok::<_, BoxError>(Response::new(Body::default()))
    }));
    client.clone().oneshot(get("http://a/")).await.unwrap();
    handle.replace(&Config::default());
    client.oneshot(get("http://a/")).await.unwrap();
    let circuits = handle.circuits();
    assert!(circuits[0].1.get("key of a").is_some());
}

#[tokio::test(start_paused = true)]
async fn config_keeps_trusted_headers_when_total_changes() {
    let deadline = || {
        seawall::deadline::DeadlineLayer::new(Duration::from_secs(30))
            .trust_header(seawall::deadline::TimeoutHeader::Grpc)
            .include_body(true)
    };
    for (base, total, seconds) in
        [(Some(deadline()), "12s", 3), (Some(deadline()), "off", 10), (None, "12s", 10)]
    {
        let stack = StandardLayer::new("test").without_retry();
        let base = match base {
            Some(deadline) => stack.deadline(deadline),
            None => stack.without_deadline(),
        };
        let layer = ConfiguredLayer::new(
            base,
            config(&format!("[default.timeouts]\nattempt = \"10s\"\ntotal = \"{total}\"")),
        );
        let mut request = get("http://a/");
        request.headers_mut().insert("grpc-timeout", "3S".parse().unwrap());
        let started = tokio::time::Instant::now();
        layer.layer(Upstream::new(None)).oneshot(request).await.unwrap_err();
        assert_eq!(started.elapsed().as_secs(), seconds, "{total}");
    }
    let layer = ConfiguredLayer::new(
        StandardLayer::new("test").deadline(deadline()),
        config("[default.timeouts]\ntotal = \"12s\""),
    );
    let upstream = FlakyService::new(Step::ok("half").body_delay(Duration::MAX)).unwrap();
    let started = tokio::time::Instant::now();
    let response = layer.layer(upstream).oneshot(get("http://a/")).await.unwrap();
    response.into_body().collect().await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 12);
}

#[tokio::test(start_paused = true)]
async fn file_sets_trusted_headers_and_next_hop_header() {
    let headers = Arc::new(Mutex::new(Vec::new()));
    let upstream = {
        let headers = Arc::clone(&headers);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            let header = request.headers().get("x-envoy-expected-rq-timeout-ms").cloned();
            headers.lock().unwrap().push(header.map(|it| it.to_str().unwrap().to_owned()));
            std::future::pending::<Result<Response<Body>, BoxError>>()
        })
    };
    let layer = configured(
        "[default]\nretry = \"off\"\ntimeouts.trust = [\"grpc-timeout\"]\n\
         next_hop = { header = \"x-envoy-expected-rq-timeout-ms\", margin = \"20ms\" }\n\
         [[route]]\nprefix = \"http://b\"\ntimeouts.trust = []\n\
         [[route]]\nprefix = \"http://c\"\nnext_hop = \"off\"",
    );
    let client = layer.layer(upstream);
    for (url, passed, header) in [
        ("http://a/", 3_000, Some("2980")),
        ("http://b/", 10_000, Some("29980")),
        ("http://c/", 3_000, None),
    ] {
        let mut request = get(url);
        request.headers_mut().insert("grpc-timeout", "3S".parse().unwrap());
        let started = tokio::time::Instant::now();
        client.clone().oneshot(request).await.unwrap_err();
        assert_eq!(started.elapsed().as_millis(), passed, "{url}");
        assert_eq!(headers.lock().unwrap().pop().unwrap().as_deref(), header, "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn layer_clones_share_active_config() {
    let upstream = Upstream::new(503);
    let layer = configured("[default]\nretry = \"off\"");
    let other = layer.clone();
    layer.handle().replace(&config("[default]\nretry = { total = 1, backoff.kind = \"none\" }"));
    other.layer(upstream.clone()).oneshot(get("http://a/")).await.unwrap();
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn layers_services_and_handles_are_send_and_sync() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    let layer = configured("[default]");
    check(&layer.layer(Upstream::new(200)));
    check(&layer.handle());
    check(&layer.handle().config());
    check(&layer);
}
