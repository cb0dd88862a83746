//! The main job: embedded upstreams, each sent the same traffic bare and through the gateway.

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

use crate::{
    Failed, drive,
    live::{self, Demo, Fault, Live},
    log::Log,
    policies::Policies,
    proxy::{self, Upstream},
    serve,
    table::{self, Row},
    traffic::{self, REQUESTS},
    upstreams::UPSTREAMS,
};

/// What retries may add to an upstream's load: a fifth, and the three that are always allowed.
const LOAD_MAX: f64 = 1.25;

/// What an upstream that answers nothing at all may be sent: the circuit is to keep the rest from it.
const LOAD_MAX_DEAD: f64 = 0.5;

struct Embedded {
    /// Asked without seawall.
    bare: Origin,
    /// Asked through it: another one, so that both begin at their first request.
    through: Origin,
    upstream: Upstream,
    truth: Option<Cause>,
}

impl Embedded {
    async fn start(
        name: &str,
        script: Script,
        truth: Option<Cause>,
        policies: &Policies,
    ) -> io::Result<Self> {
        let (bare, through) = (Origin::start(script).await?, Origin::start(script).await?);
        let url = format!("http://{}", through.addr()).parse().map_err(io::Error::other)?;
        Ok(Self { bare, through, upstream: policies.upstream(name.into(), url), truth })
    }
}

pub(crate) async fn run(
    listener: TcpListener,
    policies: &Policies,
    attempt: Duration,
    once: bool,
    log: &Log,
    counted: PrometheusHandle,
) -> Result<(), Failed> {
    let broken = |error: io::Error| Failed::Verdict(format!("cannot run the upstreams: {error}"));
    let mut all = Vec::new();
    let mut controlled = Vec::new();
    for (name, script, words, truth) in UPSTREAMS {
        let at_first = if truth.is_some() { script } else { Script::Healthy };
        all.push(Embedded::start(name, at_first, truth, policies).await.map_err(broken)?);
        let is_broken = truth.is_some().into();
        controlled.push(live::Embedded { name, fault: Fault { script, words }, broken: is_broken });
    }
    let gateway = listener.local_addr().map_err(broken)?;
    let upstreams: Vec<_> = all.iter().map(|embedded| embedded.upstream.clone()).collect();
    let (demo, orders) = Demo::new(controlled);
    let demo = Arc::new(demo);
    let (tell, told) = watch::channel(false);
    let live = Live::new(&upstreams, Some(Arc::clone(&demo)), told);
    let router = proxy::router(upstreams, policies, live.clone(), counted);
    let serving = tokio::spawn(serve::until_told(listener, router, tell));
    let rows = measure(&all, gateway, attempt).await;
    println!("\n{}", table::of(&rows, attempt));
    if once {
        return verdict(&rows);
    }
    log.speak();
    let mut origins = Vec::new();
    for Embedded { through, upstream, .. } in all {
        // A burst that nobody saw would dwarf what comes.
        upstream.stats.forget_counts();
        origins.push(through);
    }
    tokio::spawn(orders.follow(Arc::clone(&demo), origins));
    tokio::spawn(drive::steadily(gateway, live, Arc::clone(&demo)));
    demo.measured();
    println!("Look at http://{gateway}/, ask for /flaky, /dead, … or Ctrl-C to end.");
    match serving.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(broken(error)),
        Err(error) => Err(broken(io::Error::other(error))),
    }
}

async fn measure(all: &[Embedded], gateway: SocketAddr, attempt: Duration) -> Vec<Row> {
    // Drawn on a terminal only.
    let bar = ProgressBar::new(2 * (REQUESTS * all.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    let mut rows = Vec::new();
    for Embedded { bare, through: origin, upstream, truth } in all {
        bar.set_message(upstream.name.clone());
        let direct = format!("http://{}/", bare.addr());
        let bare = traffic::drive(&direct, attempt, &bar).await;
        // The gateway has its own limits; this one only keeps a mistake from hanging.
        let through = format!("http://{gateway}/{}", upstream.name);
        let through = traffic::drive(&through, Duration::from_secs(30), &bar).await;
        // As counted beneath the layers, or by the origin itself: a client may repeat a request on its own, and an origin
        // that refuses counts none.
        let sent = upstream.sent.load(Ordering::Relaxed).max(origin.requests());
        rows.push(Row { name: upstream.name.clone(), truth: *truth, bare, through, sent });
    }
    bar.finish_and_clear();
    rows
}

fn verdict(rows: &[Row]) -> Result<(), Failed> {
    let wrong: Vec<_> = rows
        .iter()
        .filter(|row| row.concluded() != row.truth)
        .map(|row| format!("the conclusion about {} is wrong", row.name))
        .chain(
            rows.iter()
                .filter(|row| row.load() > if row.is_dead() { LOAD_MAX_DEAD } else { LOAD_MAX })
                .map(|row| format!("{} was sent {:.2} requests a request", row.name, row.load())),
        )
        .chain(
            rows.iter()
                .filter(|row| !row.is_dead() && row.through.refused() > 0.0)
                .map(|row| format!("requests to {} were refused, which is not dead", row.name)),
        )
        .chain(rows.iter().filter(|row| row.name == "flaky" && row.through.success() < 0.999).map(
            |row| {
                format!(
                    "only {:.1} % of the requests to flaky succeeded",
                    row.through.success() * 100.0
                )
            },
        ))
        .collect();
    if wrong.is_empty() {
        println!("Every conclusion is the true one.");
        Ok(())
    } else {
        Err(Failed::Verdict(wrong.join("; ")))
    }
}
