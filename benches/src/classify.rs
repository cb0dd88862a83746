//! The cost of the classifier outside a layer.
//!
//! A loop classifies one response repeatedly. The base is the same loop without a classifier. Both
//! loops hide the response and the failure from the optimizer, but permit inlining, as a layer
//! does.

use std::hint::black_box;

use http::{HeaderValue, Response, StatusCode, header};
use seawall::{
    Failure,
    classify::{Classify, HttpClassifier},
};

use crate::Runner;

struct ClassifierRunner<F> {
    response: Response<()>,
    calls: usize,
    classify: F,
}

pub(crate) fn none() -> Box<dyn Runner> {
    boxed(response(StatusCode::OK, None), |_| None)
}

pub(crate) fn http(status: StatusCode, retry_after: Option<&'static str>) -> Box<dyn Runner> {
    let classifier = HttpClassifier::new();
    boxed(response(status, retry_after), move |response| classifier.classify(Ok(response)))
}

/// Returns a typical response of nginx, with or without `Retry-After`.
pub(crate) fn response(status: StatusCode, retry_after: Option<&'static str>) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::SERVER, "nginx"),
        (header::DATE, "Fri, 31 Dec 1999 23:59:59 GMT"),
        (header::CONTENT_TYPE, "text/html"),
        (header::CONTENT_LENGTH, "150"),
        (header::CONNECTION, "keep-alive"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(value) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
    }
    response
}

fn boxed<F>(response: Response<()>, classify: F) -> Box<dyn Runner>
where
    F: Fn(&Response<()>) -> Option<Failure> + 'static,
{
    Box::new(ClassifierRunner { response, calls: 0, classify })
}

impl<F: Fn(&Response<()>) -> Option<Failure>> Runner for ClassifierRunner<F> {
    fn prepare(&mut self, calls: usize) {
        self.calls = calls;
    }

    fn run(&mut self) {
        bench_measured_classify(self.calls, &self.response, &self.classify);
    }

    fn future_size(&self) -> Option<usize> {
        None
    }
}

/// The measured region.
#[inline(never)]
fn bench_measured_classify<F>(calls: usize, response: &Response<()>, classify: &F)
where
    F: Fn(&Response<()>) -> Option<Failure>,
{
    for _ in 0..calls {
        black_box(classify(black_box(response)));
    }
}
