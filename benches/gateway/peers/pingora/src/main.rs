//! A reverse proxy of pingora, with one worker thread.
//!
//! `pingora_peer LISTEN UPSTREAM [--log FILE] [--retry]`: proxies `/api` and all paths below it to
//! the authority UPSTREAM. `--log` writes a line per request. `--retry` sends a GET once more after
//! a 502.

mod access_log;
mod proxy;

use std::{env, sync::Arc};

use access_log::AccessLog;
use pingora_core::server::{Server, configuration::ServerConf};
use proxy::Proxy;

fn main() {
    let mut args = env::args().skip(1);
    let (Some(listen), Some(upstream)) = (args.next(), args.next()) else {
        panic!("usage: pingora_peer LISTEN UPSTREAM [--log FILE] [--retry]");
    };
    let mut proxy = Proxy { upstream, access_log: None, retry: false };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--log" => {
                let file = args.next().expect("a file after --log");
                proxy.access_log = Some(AccessLog::open(&file).expect("a file"));
            }
            "--retry" => proxy.retry = true,
            _ => panic!("expected --log or --retry, found {arg}"),
        }
    }
    let conf = ServerConf {
        threads: 1,
        // Two attempts: the first, and a retry.
        max_retries: 2,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = pingora_proxy::http_proxy_service(&Arc::clone(&server.configuration), proxy);
    service.add_tcp(&listen);
    server.add_service(service);
    server.run_forever();
}
