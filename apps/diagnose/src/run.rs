//! The steps in turn.

use std::{net::SocketAddr, time::Duration};

use indicatif::ProgressBar;

use crate::{
    cli::Options,
    curl,
    report::{Found, Report, Stage},
    steps::{dns, http, tcp, tls},
    target::{REDACTED, Target},
};

pub(crate) async fn diagnose(target: &Target, options: &Options, embedded: bool) -> Report {
    let mut report = Report {
        method: options.method.clone(),
        url: target.shown.clone(),
        embedded,
        steps: Vec::new(),
        peer: None,
        answer: None,
        failure: None,
        curl: curl::command(target, options),
    };
    // Drawn on a terminal only.
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    steps(target, options, &mut report, &bar).await;
    bar.finish_and_clear();
    report
}

/// `None`: a step failed, and the report says so.
async fn steps(
    target: &Target,
    options: &Options,
    report: &mut Report,
    bar: &ProgressBar,
) -> Option<()> {
    let limit = options.timeout;
    bar.set_message("looking up the name");
    let addresses = if let Some(address) = options.connect_to {
        let found = Found::good(vec![address], "not asked: --connect-to");
        report.step(Stage::Dns, async { found }).await?
    } else {
        let ips =
            report.step(Stage::Dns, dns::resolve(&target.host, options.nameserver, limit)).await?;
        ips.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect()
    };
    bar.set_message("connecting");
    let (stream, peer) = report.step(Stage::Tcp, tcp::connect(addresses, limit)).await?;
    report.peer = Some(peer.to_string());
    let (stream, is_http2): (Box<dyn http::Stream>, _) = if target.is_tls() {
        bar.set_message("TLS handshake");
        let handshake = tls::handshake(stream, &target.host, options.insecure, limit);
        let stream = report.step(Stage::Tls, handshake).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        (Box::new(stream), is_http2)
    } else {
        (Box::new(stream), false)
    };
    bar.set_message("waiting for the response");
    let mut answer = None;
    let exchange = async {
        match http::request(target, &options.method, &options.headers, is_http2) {
            Ok(request) => http::exchange(stream, is_http2, request, limit, &mut answer).await,
            Err(error) => http::impossible(&error),
        }
    };
    let done = report.step(Stage::Http, exchange).await;
    if let Some(answer) = &mut answer {
        // Many a page of an error repeats the request.
        for secret in target.secrets(&options.headers) {
            answer.says = answer.says.replace(&secret, REDACTED);
        }
    }
    report.answer = answer;
    done
}
