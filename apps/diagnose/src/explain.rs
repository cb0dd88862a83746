//! Explanations of a failure in words.

use seawall::{
    Failure, Processed, Product, Reporter,
    bad_gateway::{Evidence, ProxyStatus},
};
use url::Url;

use crate::{
    advice, curl, escape,
    report::{Report, Stage},
};

/// Describes the hop that failed.
pub(crate) fn hop(report: &Report, failure: &Failure) -> String {
    let peer = report.address.as_deref().unwrap_or("the server");
    match (failure.reporter(), report.last_stage()) {
        (Reporter::Gateway(product), _) => match gateway_name(report, product) {
            Some(name) => format!("a gateway: {name} responded, not the upstream behind it"),
            None => "a gateway responded, not the upstream behind it".into(),
        },
        (Reporter::Origin, _) => "the origin: it received the request, and failed".into(),
        (Reporter::Local, Some(Stage::Dns)) => {
            "the client: the name lookup failed, so no server was reached".into()
        }
        (Reporter::Local, Some(Stage::Tcp)) => {
            "before the first hop: no connection was made".into()
        }
        (Reporter::Local, Some(Stage::Tls)) => {
            format!("the first hop, {peer}: it accepts connections, but TLS fails")
        }
        (Reporter::Local, _) => {
            format!("the first hop, {peer}: it accepts connections, but sends no valid response")
        }
        _ => format!("unknown: {peer} or a hop behind it failed"),
    }
}

/// Returns the name of the gateway that reported the failure, if it is known.
fn gateway_name(report: &Report, product: Product) -> Option<String> {
    if product != Product::Other {
        return Some(product.to_string());
    }
    let name = report.evidence().and_then(Evidence::proxy_status).map(ProxyStatus::proxy);
    name.map(|name| escape::single_line(&report.secrets.redact(name), 60))
}

/// Names the location of the failure: `client`, `first_hop`, `gateway`, `origin` or `unknown`.
pub(crate) fn location(report: &Report, failure: &Failure) -> &'static str {
    match (failure.reporter(), report.last_stage()) {
        (Reporter::Gateway(_), _) => "gateway",
        (Reporter::Origin, _) => "origin",
        (Reporter::Local, Some(Stage::Dns)) => "client",
        (Reporter::Local, _) => "first_hop",
        _ => "unknown",
    }
}

/// Describes whether the request was processed, and whether a retry is safe.
pub(crate) fn processed(report: &Report, failure: &Failure) -> &'static str {
    match failure.processed() {
        Processed::No if report.last_stage() == Some(Stage::Http) => {
            "was not processed, so a retry is safe"
        }
        Processed::No => "was not sent, so a retry is safe",
        Processed::Unlikely => {
            "was probably not processed, but a retry may still repeat its effect, such as a payment"
        }
        Processed::Yes => "was processed, so a retry repeats its effect",
        _ => "may have been processed, so retry it only if it is idempotent",
    }
}

/// Returns the next step, and the further steps with the real values in their commands.
pub(crate) fn next_steps(report: &Report, failure: &Failure) -> (String, Vec<String>) {
    let (advice, checks) = advice::of(failure, report.peer, report.last_stage());
    let gateway = match failure.reporter() {
        Reporter::Gateway(product) => gateway_name(report, product),
        _ => None,
    };
    let advice = match gateway {
        Some(name) => advice.replace("the gateway that responded", &name),
        None => advice,
    };
    let checks = checks.iter().map(|check| fill_placeholders(check, &report.url));
    (fill_placeholders(&advice, &report.url), checks.collect())
}

/// Replaces the placeholders in the commands of a step, which are between backticks.
fn fill_placeholders(check: &str, url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("HOST");
    let port = url.as_ref().and_then(Url::port_or_known_default);
    let port = port.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
    let fill_word = |word: &str| match word {
        "HOST" => curl::shell_quote(&[host.trim_matches(['[', ']']).to_owned()]),
        "PORT" => port.clone(),
        "http://HOST:PORT/" => curl::shell_quote(&[format!("http://{host}:{port}/")]),
        "HOST:PORT" => curl::shell_quote(&[format!("{host}:{port}")]),
        "URL" => url
            .as_ref()
            .map_or_else(|| word.to_owned(), |url| curl::shell_quote(&[url.as_str().to_owned()])),
        _ => word.to_owned(),
    };
    let segments = check.split('`').enumerate().map(|(index, segment)| {
        let is_command = index % 2 == 1;
        if is_command {
            segment.split(' ').map(fill_word).collect::<Vec<_>>().join(" ")
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::fill_placeholders;

    #[test]
    fn fill_placeholders_quotes_values_for_shell() {
        let check = "See the URL: `x HOST PORT HOST:PORT URL | y`.";
        assert_eq!(
            fill_placeholders(check, "https://a.example/?q=$(id)&b"),
            "See the URL: `x a.example 443 a.example:443 'https://a.example/?q=$(id)&b' | y`."
        );
        assert_eq!(
            fill_placeholders("`nc HOST PORT`, `s HOST:PORT`", "http://[::1]:9/"),
            "`nc ::1 9`, `s '[::1]:9'`"
        );
    }
}
