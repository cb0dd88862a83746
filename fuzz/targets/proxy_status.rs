//! Parses arbitrary bytes as `Proxy-Status`, in one or more header lines.
#![no_main]

use http::Response;
use http_body_util::Empty;
use libfuzzer_sys::fuzz_target;
use seawall::bad_gateway::BadGatewayClassifierLayer;
use seawall_fuzz::{append_header, classify, run};

fuzz_target!(|field: &[u8]| {
    let mut response = Response::new(Empty::<bytes::Bytes>::new());
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    for line in field.split(|&byte| byte == b'\n') {
        append_header(response.headers_mut(), "proxy-status", line);
    }
    run(classify(BadGatewayClassifierLayer::new(), response));
});
