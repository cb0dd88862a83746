//! `RequestDurationLayer`: request durations and their labels.

use std::{collections::BTreeMap, time::Duration};

use http::{Request, Response};
use http_body_util::BodyExt;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use seawall::request_duration::RequestDurationLayer;
use tower::{Layer, Service, ServiceExt};

use super::{Body, recorded};
use crate::support::{Action, Script, ScriptedBody, Step, get, respond_with};

#[derive(Clone)]
struct PanickingService;

impl<B> Service<Request<B>> for PanickingService {
    type Response = Response<Body>;
    type Error = seawall::BoxError;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        panic!("in the call")
    }
}

/// The layer calls no recorder during unwinding, because a second panic would abort the process.
#[test]
fn panic_in_future_is_recorded_but_panic_in_call_is_not() {
    let metrics = recorded(async || {
        let mut client = RequestDurationLayer::client().layer(PanickingService);
        let call = std::panic::AssertUnwindSafe(|| drop(client.call(get())));
        assert!(std::panic::catch_unwind(call).is_err());
    });
    assert!(metrics.is_empty(), "{metrics:?}");
    let metrics = recorded(async || {
        let panicking_service = tower::service_fn(async |_: Request<Body>| {
            panic!("in the future") as Result<Response<Body>, seawall::BoxError>
        });
        let call = RequestDurationLayer::client().layer(panicking_service).oneshot(get());
        let call = std::panic::AssertUnwindSafe(call);
        assert!(futures_util::FutureExt::catch_unwind(call).await.is_err());
    });
    let [name] = &metrics.keys().collect::<Vec<_>>()[..] else { panic!("{metrics:?}") };
    assert!(name.contains("error.type=panic"), "{name}");
}

struct PanickingRecorder;

impl Recorder for PanickingRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("the recorder panics")
    }
}

#[test]
fn panicking_recorder_does_not_abort_process() {
    let does_panic = |call: &dyn Fn()| {
        metrics::with_local_recorder(&PanickingRecorder, || {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err()
        })
    };
    // Three cases: the inner service panics too, the caller panics too, only the recorder panics.
    assert!(does_panic(&|| drop(client_layer().layer(PanickingService).call(get()))));
    assert!(does_panic(&|| {
        let _call = client_layer().layer(Script::new([Action::<Body>::Stall])).call(get());
        panic!("the caller panics");
    }));
    assert!(does_panic(&|| drop(
        client_layer().layer(Script::new([Action::<Body>::Stall])).call(get())
    )));
}

#[test]
fn duration_records_overlong_host_as_other() {
    let metrics = recorded(async || {
        for length in [1_000, 5_000] {
            let uri = format!("http://{}/", "h".repeat(length));
            let request = Request::get(uri).body(Body::default()).unwrap();
            client_layer().layer(respond_with(&[200])).oneshot(request).await.unwrap();
        }
    });
    let hosts: Vec<_> =
        metrics.keys().map(|it| it.split_once("server.address=").unwrap().1).collect();
    assert!(hosts.iter().any(|host| host.starts_with("other")), "{hosts:?}");
    assert!(hosts.iter().all(|host| host.len() < 1_100), "{hosts:?}");
}

#[test]
fn debug_output_hides_url_password() {
    recorded(async || {
        let succeed =
            async |_: Request<Body>| Ok::<_, seawall::BoxError>(Response::new(Body::default()));
        let mut client = RequestDurationLayer::client().layer(tower::service_fn(succeed));
        let mut request = get();
        *request.uri_mut() = http::Uri::from_static("http://user:SECRET@upstream/");
        client.call(request).await.unwrap();
        let debug = format!("{client:?}");
        assert!(debug.contains("CachedLabels(") && !debug.contains("SECRET"), "{debug}");
    });
}

fn client_layer() -> RequestDurationLayer {
    RequestDurationLayer::client()
}

/// OpenTelemetry advises these bucket boundaries, in the section "Metric:
/// `http.server.request.duration`" of
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
#[test]
fn duration_buckets_match_opentelemetry_advice() {
    let advised = "0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10";
    let buckets = seawall::metrics::DURATION_BUCKETS.iter().map(f64::to_string).collect::<Vec<_>>();
    assert_eq!(buckets.join(", "), advised);
}

const GET_DURATION: &str = "http.client.request.duration http.request.method=GET";

#[test]
fn duration_records_outcome() {
    let metrics = recorded(async || {
        let client = client_layer().layer(respond_with(&[200, 200, 404]));
        for _ in 0..3 {
            let response = client.clone().oneshot(get()).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
    });
    // The number of hosts is limited per process, and other tests may have reached the limit.
    let has_address_label = metrics.keys().any(|name| name.contains("=upstream"));
    let address = if has_address_label {
        "server.address=upstream,server.port=80"
    } else {
        "server.address=other"
    };
    let expected = [
        (format!("{GET_DURATION},http.response.status_code=200,{address}"), "2".to_owned()),
        (
            format!("{GET_DURATION},http.response.status_code=404,error.type=404,{address}"),
            "1".to_owned(),
        ),
    ];
    assert_eq!(metrics, expected.into());
}

#[test]
fn duration_records_server_address() {
    const TARGETS: [(&str, &str, &str); 6] = [
        ("http://one.example/", "one.example", "80"),
        ("https://one.example/", "one.example", "443"),
        ("http://one.example:8080/", "one.example", "8080"),
        ("http://two.example/", "two.example", "80"),
        ("http://ONE.example/", "one.example", "80"),
        ("http://user@one.example:8080/", "one.example", "8080"),
    ];
    let metrics = recorded(async || {
        let mut client = client_layer().layer(respond_with(&[200; 13]));
        for (url, ..) in TARGETS.iter().chain(&TARGETS) {
            let request = Request::get(*url).body(Body::default()).unwrap();
            let response = client.call(request).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
        // A request without an authority has no address, even after a request with one.
        let request = Request::get("/").body(Body::default()).unwrap();
        client.call(request).await.unwrap().into_body().collect().await.unwrap();
    });
    let prefix = format!("{GET_DURATION},http.response.status_code=200");
    let mut expected = BTreeMap::from([(prefix.clone(), 1)]);
    for (_, host, port) in TARGETS {
        // As above, the limit of hosts per process may be reached.
        let has_address_label =
            metrics.keys().any(|name| name.ends_with(&format!("={host},server.port={port}")));
        let address = if has_address_label {
            format!("server.address={host},server.port={port}")
        } else {
            "server.address=other".to_owned()
        };
        *expected.entry(format!("{prefix},{address}")).or_default() += 2;
    }
    let expected = expected.into_iter().map(|(name, count)| (name, count.to_string())).collect();
    assert_eq!(metrics, expected);
}

#[test]
fn server_404_has_route_but_no_error_type() {
    let metrics = recorded(async || {
        let layer = RequestDurationLayer::server().route_fn(|_| Some("/orders/{id}".into()));
        let server = layer.layer(respond_with(&[404, 503]));
        for _ in 0..2 {
            let mut request = get();
            *request.method_mut() = "BREW".parse().unwrap();
            drop(server.clone().oneshot(request).await.unwrap());
        }
    });
    let prefix = "http.server.request.duration http.request.method=_OTHER";
    let expected = [
        (
            format!(
                "{prefix},http.response.status_code=404,url.scheme=http,http.route=/orders/{{id}}"
            ),
            "1".to_owned(),
        ),
        (
            format!(
                "{prefix},http.response.status_code=503,error.type=503,url.scheme=http,http.route=/orders/{{id}}"
            ),
            "1".to_owned(),
        ),
    ];
    assert_eq!(metrics, expected.into());
}

#[test]
fn failure_has_error_type_and_cancellation_has_none() {
    let metrics = recorded(async || {
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let broken = Response::new(ScriptedBody::new([Step::Data("half".into()), Step::Error]));
        let endless = Response::new(ScriptedBody::new([Step::Stall]));
        let acts = [
            Action::Fail(refused().into()),
            Action::Respond(broken),
            Action::Respond(endless),
            Action::Stall,
        ];
        let client = client_layer().layer(Script::new(acts));
        let request_without_authority = || Request::get("/").body(Body::default()).unwrap();
        client.clone().oneshot(request_without_authority()).await.err().unwrap();
        let response = client.clone().oneshot(request_without_authority()).await.unwrap();
        response.into_body().collect().await.err().unwrap();
        drop(client.clone().oneshot(request_without_authority()).await.unwrap());
        tokio::time::timeout(Duration::from_secs(1), client.oneshot(request_without_authority()))
            .await
            .unwrap_err();
    });
    let expected = [
        (format!("{GET_DURATION},error.type=connection_refused"), "1".to_owned()),
        (
            format!(
                "{GET_DURATION},http.response.status_code=200,error.type=http_response_incomplete"
            ),
            "1".to_owned(),
        ),
        (format!("{GET_DURATION},http.response.status_code=200"), "1".to_owned()),
        (GET_DURATION.to_owned(), "1".to_owned()),
    ];
    assert_eq!(metrics, expected.into());
}

#[test]
fn server_has_names_and_client_has_fixed_labels() {
    let metrics = recorded(async || {
        let server = RequestDurationLayer::server().layer(respond_with(&[200]));
        let attributes = seawall::RequestAttributes::default();
        attributes.set_client("ann".into());
        attributes.set_service("billing".into());
        attributes.set_upstream("first".into(), None);
        let mut request = get();
        request.extensions_mut().insert(attributes);
        let client = RequestDurationLayer::client().label("upstream", "first").label("zone", "a");
        let client = client.layer(respond_with(&[200]));
        client.oneshot(request.clone()).await.unwrap();
        server.oneshot(request).await.unwrap();
    });
    let [client, server] = &metrics.keys().collect::<Vec<_>>()[..] else { panic!("{metrics:?}") };
    assert!(client.ends_with(",upstream=first,zone=a"), "{client}");
    assert!(!client.contains("client=ann"), "{client}");
    assert!(server.ends_with(",client=ann,service=billing"), "{server}");
}
