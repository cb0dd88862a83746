//! Classification of recorded responses of real gateways.
//!
//! `tests/data/gateways/README.md` documents the format and how a classification is checked. The
//! folder `tests/data/gateways-more` holds more gateways. `SEAWALL_CAPTURES` replaces both folders
//! with another folder of the same format.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use http_body_util::{BodyExt, Collected};
use seawall::{
    Cause, Failure, Processed, Product, Reporter, bad_gateway::BadGatewayClassifierLayer,
};
use serde_json::Value;

use super::classify_with;
use crate::support::{ScriptedBody, Step};

/// One recorded response.
pub(super) struct Capture(Value);

impl Capture {
    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn texts(&self, pointer: &str) -> BTreeSet<&str> {
        let list = self.0.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect()
    }

    fn flag(&self, pointer: &str) -> bool {
        self.0.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    fn status(&self) -> u16 {
        self.0["status"].as_u64().unwrap_or_default().try_into().unwrap_or_default()
    }

    pub(super) fn body(&self) -> Bytes {
        BASE64_STANDARD.decode(self.text("/body_base64")).unwrap().into()
    }

    pub(super) fn name(&self) -> String {
        let [gateway, scenario, method] =
            ["/gateway", "/scenario", "/method"].map(|pointer| self.text(pointer));
        format!("{gateway} {scenario} {method}")
    }

    /// Returns the recorded head with a body of `steps`, or `None` if the recording is not HTTP.
    pub(super) fn response(&self, mut steps: Vec<Step>) -> Option<Response<ScriptedBody>> {
        if self.flag("/closed_early") {
            steps.push(Step::Error);
        }
        let mut response = Response::new(ScriptedBody::new(steps));
        *response.status_mut() = self.status().try_into().ok()?;
        for pair in self.0["headers"].as_array()? {
            let name = HeaderName::try_from(pair[0].as_str()?).ok()?;
            response.headers_mut().append(name, HeaderValue::try_from(pair[1].as_str()?).ok()?);
        }
        Some(response)
    }

    /// Lists the contradictions between `failure` and the recorded truth.
    fn contradictions(&self, failure: Option<Failure>) -> Vec<String> {
        let Some(failure) = failure else {
            return if self.status() < 400 {
                vec![]
            } else {
                vec!["expected a failure, found none".to_owned()]
            };
        };
        let mut contradictions = Vec::new();
        let mut check = |is_correct: bool, message: String| {
            if !is_correct {
                contradictions.push(message);
            }
        };
        check(self.status() >= 400, "expected no failure, found one".to_owned());
        let (cause, reporter) = (failure.cause(), failure.reporter());
        let causes = self.texts("/known/causes");
        check(
            self.is_correct_cause(cause),
            format!("expected one of the causes {causes:?}, found {cause}"),
        );
        let true_reporter = self.text("/truth/reporter");
        check(
            self.is_correct_reporter(reporter),
            format!("expected reporter {true_reporter}, found {reporter}"),
        );
        let processed = failure.processed();
        let true_processed = self.text("/truth/processed");
        let is_correct_processed = match processed {
            Processed::Unlikely => self.flag("/known/may_say_not_processed"),
            Processed::Maybe => true,
            Processed::Yes => true_processed == "yes",
            _ => false,
        };
        check(
            is_correct_processed,
            format!("expected processed {true_processed}, found {processed}"),
        );
        contradictions
    }

    fn is_correct_cause(&self, cause: Cause) -> bool {
        let known = self.texts("/known/causes");
        let broader = [
            Cause::BadGateway,
            Cause::DestinationUnavailable,
            Cause::Overloaded,
            Cause::Unknown,
            // A cause of seawall, for a 504 without further information.
            Cause::GatewayTimeout,
        ];
        known.contains(cause.as_str()) || (known.len() > 1 && broader.contains(&cause))
    }

    fn is_correct_reporter(&self, reporter: Reporter) -> bool {
        let unknown = reporter == Reporter::Unknown;
        match self.text("/truth/reporter") {
            "origin" => unknown || reporter == Reporter::Origin,
            _ if unknown && self.texts("/known/reporters").len() > 1 => true,
            "gateway" => reporters_of(self.text("/gateway")).contains(&reporter),
            _ => reporters_of(self.text("/scenario")).contains(&reporter),
        }
    }
}

/// Returns the correct reporters for the name of a gateway or of a nested scenario.
///
/// An unknown product may be reported as unknown or as another product.
fn reporters_of(name: &str) -> Vec<Reporter> {
    let products = [
        ("apache", Product::Apache),
        ("caddy", Product::Caddy),
        ("configurable-http-proxy", Product::ConfigurableHttpProxy),
        ("envoy", Product::Envoy),
        ("express-http-proxy", Product::ExpressHttpProxy),
        ("fastify", Product::Fastify),
        ("h2o", Product::H2o),
        ("hapi", Product::Hapi),
        ("haproxy", Product::HaProxy),
        ("http-proxy-middleware", Product::HttpProxyMiddleware),
        ("lighttpd", Product::Lighttpd),
        ("mitmproxy", Product::Mitmproxy),
        ("nghttpx", Product::Nghttpx),
        ("nginx", Product::Nginx),
        ("privoxy", Product::Privoxy),
        ("squid", Product::Squid),
        ("tinyproxy", Product::Tinyproxy),
        ("traefik", Product::Traefik),
        ("trafficserver", Product::TrafficServer),
        ("varnish", Product::Varnish),
    ];
    let name = name.trim_start_matches("nested_");
    match products.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        Some((_, product)) => vec![Reporter::Gateway(*product)],
        None => vec![Reporter::Unknown, Reporter::Gateway(Product::Other)],
    }
}

pub(super) fn captures() -> Vec<Capture> {
    let own_folders = ["gateways", "gateways-more"];
    let own_folders =
        own_folders.map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name));
    let other_folder = env::var_os("SEAWALL_CAPTURES").map(|folder| vec![folder.into()]);
    let mut files = Vec::new();
    for folder in other_folder.unwrap_or(own_folders.into()) {
        let entries = fs::read_dir(&folder);
        let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    let lines = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().map(|line| Capture(serde_json::from_str(line).unwrap())).collect::<Vec<_>>()
    });
    let captures: Vec<_> = lines.collect();
    assert!(!captures.is_empty(), "expected captures, found none");
    captures
}

#[tokio::test(start_paused = true)]
async fn layer_classifies_captures_without_contradiction() {
    let mut tally = BTreeMap::<String, (usize, Vec<String>)>::new();
    for capture in captures() {
        let body = capture.body();
        let steps = (!body.is_empty()).then(|| Step::Data(body.clone()));
        let Some(response) = capture.response(steps.into_iter().collect()) else { continue };
        let response = classify_with(BadGatewayClassifierLayer::new(), response).await;
        let mut contradictions =
            capture.contradictions(response.extensions().get::<Failure>().copied());
        match response.into_body().collect().await.map(Collected::to_bytes) {
            Ok(read) if capture.flag("/closed_early") => {
                contradictions.push(format!(
                    "expected a truncated body, found {} bytes and the end",
                    read.len()
                ));
            }
            Ok(read) if read != body => {
                contradictions.push("expected the recorded body, found another".to_owned());
            }
            Ok(_) => {}
            Err(error) if capture.flag("/closed_early") => drop(error),
            Err(error) => contradictions.push(error.to_string()),
        }
        let (correct, incorrect) = tally.entry(capture.text("/gateway").to_owned()).or_default();
        if contradictions.is_empty() {
            *correct += 1;
        } else {
            incorrect.push(format!(
                "{} {}: {}",
                capture.name(),
                capture.status(),
                contradictions.join("; ")
            ));
        }
    }
    for (gateway, (correct, incorrect)) in &tally {
        println!("{gateway}: {correct} correct, {} incorrect", incorrect.len());
        for line in incorrect {
            println!("  {line}");
        }
    }
    assert!(
        tally.values().all(|(_, incorrect)| incorrect.is_empty()),
        "the output above lists captures that are classified incorrectly"
    );
}
