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

use http::Uri;
use indicatif::{ProgressBar, ProgressStyle};
use metrics_exporter_prometheus::PrometheusHandle;
use scripted_origin::{Origin, Script};
use seawall::Cause;
use tokio::{net::TcpListener, sync::watch};

use self::{
    load_test::REQUESTS,
    report::Row,
    upstreams::{COMMON_FAULTS, UPSTREAMS},
};
use crate::{
    app::App,
    config::{Config, Policy},
    dashboard::{Dashboard, DemoControls, DemoUpstream, Fault},
    engine::ReloadableRouter,
    exit_error::ExitError,
    log::{self, LogHandle},
    server, startup, terminal,
    upstream::Upstream,
};

/// The timeout of requests to the gateway, which has shorter timeouts itself.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Demo {
    pub(crate) policy: Policy,
    pub(crate) log: LogHandle,
}

/// A failing upstream, started twice so that both load tests get the same sequence of responses.
struct TestedOrigin {
    name: &'static str,
    direct: Origin,
    proxied: Origin,
    expected_cause: Option<Cause>,
}

impl TestedOrigin {
    async fn start(
        name: &'static str,
        script: Script,
        expected_cause: Option<Cause>,
    ) -> io::Result<Self> {
        let (direct, proxied) = (Origin::start(script).await?, Origin::start(script).await?);
        Ok(Self { name, direct, proxied, expected_cause })
    }

    /// Returns the service of the gateway's configuration.
    fn service(&self) -> io::Result<(String, Uri)> {
        let url = format!("http://{}", self.proxied.addr()).parse().map_err(io::Error::other)?;
        Ok((self.name.into(), url))
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
            let started = TestedOrigin::start(name, initial, cause).await;
            tested.push(started.map_err(start_error)?);
            let fault = Fault { id: "own", script, description };
            let injected = cause.map(|_| fault).into();
            controlled.push(DemoUpstream { name, fault, injected });
        }
        let gateway = listener.local_addr().map_err(start_error)?;
        let services: Result<Vec<_>, _> = tested.iter().map(TestedOrigin::service).collect();
        let config = Config::with_services(services.map_err(start_error)?, self.policy);
        let (controls, commands) = DemoControls::new(controlled, &COMMON_FAULTS);
        let controls = Arc::new(controls);
        let (shutdown, on_shutdown) = watch::channel(false);
        let dashboard = Dashboard::new(Some(Arc::clone(&controls)), on_shutdown);
        let services = ReloadableRouter::start(&config, dashboard.clone())
            .map_err(|error| ExitError::Failure(error.to_string()))?;
        let (upstreams, settings) = (services.upstreams(), services.server_settings());
        let status = server::ServerStatus::default();
        let app = App::new(services, dashboard.clone(), prometheus, status.clone());
        startup::log_dashboard(settings.scheme().as_str(), gateway);
        let serving = server::serve_until_shutdown(listener, app, shutdown, settings, status);
        let server = tokio::spawn(serving);
        let attempt_timeout = self.policy.attempt;
        let rows = run_load_tests(&tested, &upstreams, gateway, attempt_timeout).await;
        log::print_line(&format_args!(
            "\n{}",
            report::table(&rows, attempt_timeout, terminal::width())
        ));
        if once {
            return report::verify(&rows);
        }
        self.log.enable();
        // The load test's counts would hide the later, smaller ones in the dashboard's chart.
        for upstream in &upstreams {
            upstream.stats.clear_counts();
        }
        let origins = tested.into_iter().map(|tested| tested.proxied).collect();
        tokio::spawn(commands.run(Arc::clone(&controls), origins));
        tokio::spawn(background_load::run(gateway, dashboard, Arc::clone(&controls)));
        controls.finish_load_test();
        let text = format!(
            "Open http://{gateway}/ in a browser, or request /flaky, /dead, …. Stop with Ctrl-C."
        );
        log::print_line(&terminal::fit(text));
        match server.await {
            Ok(result) => result.map_err(start_error),
            Err(error) => Err(start_error(io::Error::other(error))),
        }
    }
}

async fn run_load_tests(
    tested: &[TestedOrigin],
    upstreams: &[Upstream],
    gateway: SocketAddr,
    attempt_timeout: Duration,
) -> Vec<Row> {
    // indicatif draws it on a terminal only.
    let progress = ProgressBar::new(2 * (REQUESTS * tested.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed}") {
        progress.set_style(style);
    }
    let mut rows = Vec::new();
    for (TestedOrigin { name, direct, proxied, expected_cause }, upstream) in
        tested.iter().zip(upstreams)
    {
        progress.set_message(*name);
        let url = format!("http://{}/", direct.addr());
        let direct = load_test::run(&url, attempt_timeout, &progress).await;
        let url = format!("http://{gateway}/{name}");
        let through_gateway = load_test::run(&url, GATEWAY_TIMEOUT, &progress).await;
        // Neither count is complete: the gateway does not count requests that hyper's client
        // resends, and an origin that refuses connections counts none.
        let requests_sent = upstream.requests_sent.load(Ordering::Relaxed).max(proxied.requests());
        rows.push(Row {
            name: (*name).to_owned(),
            expected_cause: *expected_cause,
            direct,
            through_gateway,
            requests_sent,
        });
    }
    progress.finish_and_clear();
    rows
}
