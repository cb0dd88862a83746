//! The headers that identify the server that responded.

use http::{HeaderMap, header::LOCATION};
use url::Url;

use crate::{escape, secrets::Secrets, target};

const SERVER_HEADERS: [&str; 14] = [
    "proxy-status",
    "via",
    "server",
    "retry-after",
    "location",
    "x-cache",
    "x-served-by",
    "cf-ray",
    "x-amz-cf-id",
    "x-amzn-requestid",
    "x-amzn-errortype",
    "x-azure-ref",
    "x-envoy-upstream-service-time",
    "x-request-id",
];

const MAX_VALUE_CHARS: usize = 120;

/// Extracts the headers that identify the server, escaped and without secrets.
pub(crate) fn extract(headers: &HeaderMap, secrets: &Secrets) -> Vec<(&'static str, String)> {
    let present = SERVER_HEADERS.iter().filter_map(|&name| {
        let values = headers.get_all(name).iter().take(4);
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .map(|value| if name == LOCATION { redact_location(&value) } else { value.into() })
            .collect();
        let value = values.join(", ");
        (!value.is_empty())
            .then(|| (name, escape::single_line(&secrets.redact(&value), MAX_VALUE_CHARS)))
    });
    present.collect()
}

/// Redacts a `Location`, because a redirect to a login page often contains secrets.
fn redact_location(location: &str) -> String {
    match Url::parse(location) {
        Ok(url) => target::redact_url(&url),
        // A URL without a scheme may contain userinfo too.
        Err(_) if location.starts_with(['/', '\\']) && location[1..].starts_with(['/', '\\']) => {
            Url::parse(&format!("http:{location}"))
                .map_or_else(|_| target::REDACTED.into(), |url| target::redact_url(&url))
        }
        Err(_) => target::redact_path(location.split(['?', '#']).next().unwrap_or_default()),
    }
}
