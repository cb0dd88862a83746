//! Header fields of a response that tell who answered.

use http::{HeaderMap, header::LOCATION};
use url::Url;

use crate::{escape, target};

const TELLING: [&str; 14] = [
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

/// The longest value that is shown.
const LONGEST: usize = 120;

pub(crate) fn of(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let telling = TELLING.iter().filter_map(|&name| {
        let values = headers.get_all(name).iter().take(4);
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .map(|value| if name == LOCATION { without_secrets(&value) } else { value.into() })
            .collect();
        let value = values.join(", ");
        (!value.is_empty()).then(|| (name, escape::line(&value, LONGEST)))
    });
    telling.collect()
}

/// Where a login leads, its query has the secrets.
fn without_secrets(location: &str) -> String {
    match Url::parse(location) {
        Ok(url) => target::shown(&url),
        // One without a scheme may have a user too.
        Err(_) if location.starts_with(['/', '\\']) && location[1..].starts_with(['/', '\\']) => {
            Url::parse(&format!("http:{location}"))
                .map_or_else(|_| target::REDACTED.into(), |url| target::shown(&url))
        }
        Err(_) => location.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}
