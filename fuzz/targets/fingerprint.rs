//! Classifies a response with an arbitrary status, header and body.
//!
//! The header is one that fingerprints inspect. Its value and the body are arbitrary.
#![no_main]

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use seawall::bad_gateway::BadGatewayClassifierLayer;
use seawall_fuzz::{append_header, classify, run};

const NAMES: [&str; 8] = [
    "server",
    "x-squid-error",
    "cf-ray",
    "x-amzn-errortype",
    "via",
    "x-envoy-overloaded",
    "content-type",
    "x-vercel-error",
];

fuzz_target!(|input: (u16, u8, &[u8], &[u8])| {
    let (status, name, value, body) = input;
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body)));
    *response.status_mut() =
        StatusCode::from_u16(400 + status % 600).expect("the status is below 1000");
    append_header(response.headers_mut(), NAMES[usize::from(name) % NAMES.len()], value);
    run(classify(BadGatewayClassifierLayer::new(), response));
});
