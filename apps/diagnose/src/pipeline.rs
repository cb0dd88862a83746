//! The steps in order: DNS, TCP, TLS, HTTP.

use std::{net::SocketAddr, time::Duration};

use indicatif::ProgressBar;

use crate::{
    cli::Options,
    curl,
    report::{Peer, Report, Stage, StepResult},
    secrets::Secrets,
    steps::{Connection, dns, http, tcp, tls},
    target::Target,
};

/// Runs one diagnosis.
pub(crate) async fn diagnose(target: &Target, options: &Options, embedded: bool) -> Report {
    let mut report = Report {
        method: options.method.clone(),
        url: target.redacted_url.clone(),
        embedded,
        steps: Vec::new(),
        address: None,
        peer: Peer::default(),
        response: None,
        failure: None,
        curl: curl::command(target, options),
        secrets: Secrets::new(&target.url, &options.headers),
    };
    // indicatif draws it on a terminal only.
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(120));
    run_steps(target, options, &mut report, &spinner).await;
    spinner.finish_and_clear();
    report
}

/// Runs the steps until one fails, and records its failure in the report.
async fn run_steps(
    target: &Target,
    options: &Options,
    report: &mut Report,
    spinner: &ProgressBar,
) -> Option<()> {
    let timeout = options.timeout;
    spinner.set_message("resolving the name");
    let addresses = if let Some(address) = options.connect_to {
        let skipped = StepResult::ok(vec![address], "skipped: --connect-to sets the address");
        report.run_step(Stage::Dns, async { skipped }).await?
    } else {
        let lookup = dns::resolve(&target.host, options.nameserver, timeout);
        let ips = report.run_step(Stage::Dns, lookup).await?;
        ips.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect()
    };
    spinner.set_message("connecting");
    let (stream, peer) = report.run_step(Stage::Tcp, tcp::connect(addresses, timeout)).await?;
    report.address = Some(peer.to_string());
    let secrets = report.secrets.clone();
    let connection = Connection { peer, target, limit: timeout, secrets: &secrets };
    let (io, is_http2): (Box<dyn http::Io>, bool) = if target.is_tls() {
        spinner.set_message("negotiating TLS");
        let handshake = tls::handshake(stream, connection, options.insecure);
        let stream = report.run_step(Stage::Tls, handshake).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        (Box::new(stream), is_http2)
    } else {
        (Box::new(stream), false)
    };
    spinner.set_message("waiting for the response");
    let mut response = None;
    let exchange = async {
        match http::build_request(target, &options.method, &options.headers, is_http2) {
            Ok(request) => http::exchange(io, is_http2, request, connection, &mut response).await,
            Err(error) => http::invalid_request(&error),
        }
    };
    let completed = report.run_step(Stage::Http, exchange).await;
    report.response = response;
    completed
}
