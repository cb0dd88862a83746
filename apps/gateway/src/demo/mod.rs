//! The demo: upstreams that fail on purpose, each load-tested directly and through the gateway.

mod background_load;
mod load_test;
mod report;
mod upstreams;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use metrics_exporter_prometheus::PrometheusHandle;
use scripted_origin::{Origin, Script};
use seawall::Cause;
use tokio::{net::TcpListener, sync::watch};

use self::{load_test::REQUESTS, report::Row, upstreams::UPSTREAMS};
use crate::{
    app,
    dashboard::{Dashboard, DemoControls, DemoUpstream, Fault},
    exit_error::ExitError,
    log::LogHandle,
    policies::Policies,
    server,
    upstream::Upstream,
};

/// The timeout of requests to the gateway, which has shorter timeouts itself.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Demo {
    pub(crate) policies: Policies,
    pub(crate) attempt_timeout: Duration,
    pub(crate) log: LogHandle,
}

/// A failing upstream, started twice so that both load tests get the same sequence of responses.
struct TestedUpstream {
    direct: Origin,
    proxied: Origin,
    upstream: Upstream,
    expected_cause: Option<Cause>,
}

impl TestedUpstream {
    async fn start(
        name: &str,
        script: Script,
        expected_cause: Option<Cause>,
        policies: &Policies,
    ) -> io::Result<Self> {
        let (direct, proxied) = (Origin::start(script).await?, Origin::start(script).await?);
        let url = format!("http://{}", proxied.addr()).parse().map_err(io::Error::other)?;
        let upstream = policies.upstream(name.into(), url);
        Ok(Self { direct, proxied, upstream, expected_cause })
    }
}

impl Demo {
    /// Runs the load test and prints the report. Unless `once` is set, serves until a shutdown
    /// signal.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        once: bool,
        prometheus: PrometheusHandle,
    ) -> Result<(), ExitError> {
        let start_error =
            |error: io::Error| ExitError::Failure(format!("cannot run the upstreams: {error}"));
        let mut tested = Vec::new();
        let mut controlled = Vec::new();
        for (name, script, description, cause) in UPSTREAMS {
            let initial = if cause.is_some() { script } else { Script::Healthy };
            let started = TestedUpstream::start(name, initial, cause, &self.policies).await;
            tested.push(started.map_err(start_error)?);
            let fault = Fault { script, description };
            controlled.push(DemoUpstream { name, fault, fault_injected: cause.is_some().into() });
        }
        let gateway = listener.local_addr().map_err(start_error)?;
        let upstreams: Vec<_> = tested.iter().map(|tested| tested.upstream.clone()).collect();
        let (controls, commands) = DemoControls::new(controlled);
        let controls = Arc::new(controls);
        let (shutdown, on_shutdown) = watch::channel(false);
        let dashboard = Dashboard::new(&upstreams, Some(Arc::clone(&controls)), on_shutdown);
        let app = app::upstreams_router(upstreams, &self.policies, dashboard.clone(), prometheus)?;
        let server = tokio::spawn(server::serve_until_shutdown(listener, app, shutdown));
        let rows = run_load_tests(&tested, gateway, self.attempt_timeout).await;
        println!("\n{}", report::table(&rows, self.attempt_timeout));
        if once {
            return report::verify(&rows);
        }
        self.log.enable();
        let mut origins = Vec::new();
        for TestedUpstream { proxied, upstream, .. } in tested {
            // The load test's counts would hide the later, smaller ones in the dashboard's chart.
            upstream.stats.clear_counts();
            origins.push(proxied);
        }
        tokio::spawn(commands.run(Arc::clone(&controls), origins));
        tokio::spawn(background_load::run(gateway, dashboard, Arc::clone(&controls)));
        controls.finish_load_test();
        println!(
            "Open http://{gateway}/ in a browser, or request /flaky, /dead, …. Stop with Ctrl-C."
        );
        match server.await {
            Ok(result) => result.map_err(start_error),
            Err(error) => Err(start_error(io::Error::other(error))),
        }
    }
}

async fn run_load_tests(
    tested: &[TestedUpstream],
    gateway: SocketAddr,
    attempt_timeout: Duration,
) -> Vec<Row> {
    // indicatif draws it on a terminal only.
    let progress = ProgressBar::new(2 * (REQUESTS * tested.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed}") {
        progress.set_style(style);
    }
    let mut rows = Vec::new();
    for TestedUpstream { direct, proxied, upstream, expected_cause } in tested {
        progress.set_message(upstream.name.clone());
        let url = format!("http://{}/", direct.addr());
        let direct = load_test::run(&url, attempt_timeout, &progress).await;
        let url = format!("http://{gateway}/{}", upstream.name);
        let through_gateway = load_test::run(&url, GATEWAY_TIMEOUT, &progress).await;
        // Neither count is complete: the gateway does not count requests that hyper's client
        // resends, and an origin that refuses connections counts none.
        let requests_sent = upstream.requests_sent.load(Ordering::Relaxed).max(proxied.requests());
        rows.push(Row {
            name: upstream.name.clone(),
            expected_cause: *expected_cause,
            direct,
            through_gateway,
            requests_sent,
        });
    }
    progress.finish_and_clear();
    rows
}
