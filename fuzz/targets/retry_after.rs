//! Parses arbitrary bytes as `Retry-After`, `retry-after-ms` and `x-should-retry`.
#![no_main]

use std::time::Duration;

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use seawall::classify::{retry_after, should_retry};
use seawall_fuzz::append_header;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fuzz_target!(|lines: &[u8]| {
    let mut headers = HeaderMap::new();
    let names = ["retry-after", "retry-after-ms", "x-should-retry"].into_iter().cycle();
    for (name, line) in names.zip(lines.split(|&byte| byte == b'\n').take(9)) {
        append_header(&mut headers, name, line);
    }
    assert!(retry_after(&headers).is_none_or(|wait| wait <= YEAR));
    let _ = should_retry(&headers);
});
