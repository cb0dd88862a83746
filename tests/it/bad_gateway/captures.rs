//! What real gateways answered, and what is concluded of it.
//!
//! `tests/data/gateways/README.md` tells what was recorded, and how a conclusion is judged; `gateways-more` beside it holds
//! other gateways. `SEAWALL_CAPTURES` names one more folder of the same format, in place of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use http_body_util::{BodyExt, Collected};
use seawall::{BadGatewayClassifierLayer, Cause, Failure, Processed, Product, Reporter};
use serde_json::Value;

use super::through;
use crate::support::{Step, Steps};

/// One recorded response.
pub(super) struct Capture(Value);

impl Capture {
    fn text(&self, at: &str) -> &str {
        self.0.pointer(at).and_then(Value::as_str).unwrap_or_default()
    }

    fn texts(&self, at: &str) -> BTreeSet<&str> {
        let list = self.0.pointer(at).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect()
    }

    fn is(&self, at: &str) -> bool {
        self.0.pointer(at).and_then(Value::as_bool).unwrap_or_default()
    }

    fn status(&self) -> u16 {
        self.0["status"].as_u64().unwrap_or_default().try_into().unwrap_or_default()
    }

    pub(super) fn body(&self) -> Bytes {
        BASE64_STANDARD.decode(self.text("/body_base64")).unwrap().into()
    }

    pub(super) fn name(&self) -> String {
        let [gateway, scenario, method] =
            ["/gateway", "/scenario", "/method"].map(|at| self.text(at));
        format!("{gateway} {scenario} {method}")
    }

    /// Its head, and a body of these steps. `None`: what came was no HTTP.
    pub(super) fn response(&self, mut steps: Vec<Step>) -> Option<Response<Steps>> {
        if self.is("/closed_early") {
            steps.push(Step::Error);
        }
        let mut response = Response::new(Steps::new(steps));
        *response.status_mut() = self.status().try_into().ok()?;
        for pair in self.0["headers"].as_array()? {
            let name = HeaderName::try_from(pair[0].as_str()?).ok()?;
            response.headers_mut().append(name, HeaderValue::try_from(pair[1].as_str()?).ok()?);
        }
        Some(response)
    }

    fn wrong(&self, failure: Option<Failure>) -> Vec<String> {
        let Some(failure) = failure else {
            return if self.status() < 400 { vec![] } else { vec!["no failure".to_owned()] };
        };
        let mut wrong = Vec::new();
        let mut unless = |right: bool, what: String| {
            if !right {
                wrong.push(what);
            }
        };
        unless(self.status() >= 400, "a failure".to_owned());
        let (cause, reporter) = (failure.cause(), failure.reporter());
        unless(self.is_right_cause(cause), format!("{cause}: {:?}", self.texts("/known/causes")));
        unless(
            self.is_right_reporter(reporter),
            format!("by {reporter}: {}", self.text("/truth/reporter")),
        );
        let processed = failure.processed();
        let may_say = match processed {
            Processed::Unlikely => self.is("/known/may_say_not_processed"),
            Processed::Maybe => true,
            Processed::Yes => self.text("/truth/processed") == "yes",
            _ => false,
        };
        unless(may_say, format!("processed: {processed}, not {}", self.text("/truth/processed")));
        wrong
    }

    fn is_right_cause(&self, cause: Cause) -> bool {
        let known = self.texts("/known/causes");
        let broader = [
            Cause::BadGateway,
            Cause::DestinationUnavailable,
            Cause::Overloaded,
            Cause::Unknown,
            // Ours, of a 504 that tells nothing more.
            Cause::GatewayTimeout,
        ];
        known.contains(cause.as_str()) || (known.len() > 1 && broader.contains(&cause))
    }

    fn is_right_reporter(&self, reporter: Reporter) -> bool {
        let unknown = reporter == Reporter::Unknown;
        match self.text("/truth/reporter") {
            "origin" => unknown || reporter == Reporter::Origin,
            _ if unknown && self.texts("/known/reporters").len() > 1 => true,
            "gateway" => reporter_of(self.text("/gateway")).contains(&reporter),
            _ => reporter_of(self.text("/scenario")).contains(&reporter),
        }
    }
}

/// The product of a gateway's or a nested scenario's name; none, or any other, if it is none of those we know.
fn reporter_of(name: &str) -> Vec<Reporter> {
    let known = [
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
    match known.iter().find(|(known, _)| name.trim_start_matches("nested_").starts_with(known)) {
        Some((_, product)) => vec![Reporter::Gateway(*product)],
        None => vec![Reporter::Unknown, Reporter::Gateway(Product::Other)],
    }
}

pub(super) fn captures() -> Vec<Capture> {
    let ours = ["gateways", "gateways-more"];
    let ours = ours.map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name));
    let other = env::var_os("SEAWALL_CAPTURES").map(|folder| vec![folder.into()]);
    let mut files = Vec::new();
    for folder in other.unwrap_or(ours.into()) {
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
    assert!(!captures.is_empty(), "there are no captures");
    captures
}

#[tokio::test(start_paused = true)]
async fn of_each_recorded_answer_the_reporter_is_right_and_the_cause_right_or_broader() {
    let mut tally = BTreeMap::<String, (usize, Vec<String>)>::new();
    for capture in captures() {
        let body = capture.body();
        let steps = (!body.is_empty()).then(|| Step::Data(body.clone()));
        let Some(response) = capture.response(steps.into_iter().collect()) else { continue };
        let answer = through(BadGatewayClassifierLayer::new(), response).await;
        let mut wrong = capture.wrong(answer.extensions().get::<Failure>().copied());
        match answer.into_body().collect().await.map(Collected::to_bytes) {
            Ok(read) if capture.is("/closed_early") => {
                wrong.push(format!("{} bytes of a body that broke off", read.len()));
            }
            Ok(read) if read != body => wrong.push("another body".to_owned()),
            Ok(_) => {}
            Err(error) if capture.is("/closed_early") => drop(error),
            Err(error) => wrong.push(error.to_string()),
        }
        let (agreed, disagreed) = tally.entry(capture.text("/gateway").to_owned()).or_default();
        if wrong.is_empty() {
            *agreed += 1;
        } else {
            disagreed.push(format!(
                "{} {}: {}",
                capture.name(),
                capture.status(),
                wrong.join("; ")
            ));
        }
    }
    for (gateway, (agreed, disagreed)) in &tally {
        println!("{gateway}: {agreed} agree, {} do not", disagreed.len());
        for line in disagreed {
            println!("  {line}");
        }
    }
    assert!(tally.values().all(|(_, disagreed)| disagreed.is_empty()), "see above");
}
