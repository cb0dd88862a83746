//! The command line.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum, error::ErrorKind};
use http::Uri;

/// A reverse proxy that keeps upstream failures from its callers.
///
/// Without --upstream or --config it starts upstreams that fail on purpose, runs a load test against each of them directly
/// and through seawall, prints the results, and keeps serving until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "seawall-gateway", version)]
pub(crate) struct Arguments {
    /// Proxy /NAME to the server at URL (http or https); repeatable
    #[arg(long = "upstream", value_name = "NAME=URL", value_parser = parse_upstream)]
    pub(crate) upstreams: Vec<UpstreamArgument>,

    /// Serve the LLM APIs and other servers of FILE; SIGHUP reloads it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["upstreams", "once", "timeout"])]
    pub(crate) config: Option<PathBuf>,

    /// Listen on ADDR; port 0 chooses a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8502")]
    pub(crate) listen: SocketAddr,

    /// Exit after the load test: 0 if seawall hid the flaky upstream's failures and diagnosed every fault, else 1
    #[arg(long, conflicts_with = "upstreams")]
    pub(crate) once: bool,

    /// Limit each attempt, up to the head of the response [default: 0.25 in the demo, else 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Format of the log on standard error; `RUST_LOG` sets the level
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log: LogFormat,

    #[arg(skip)]
    pub(crate) attempt_timeout: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line per event, for a terminal
    Text,
    /// One JSON object per line
    Json,
}

/// The value of `--upstream`.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamArgument {
    pub(crate) name: String,
    pub(crate) url: Uri,
}

impl Arguments {
    /// Parses the command line. On failure, prints the reason and returns the exit code.
    pub(crate) fn parse_or_exit_code() -> Result<Self, ExitCode> {
        let mut arguments = match Self::try_parse() {
            Ok(arguments) => arguments,
            Err(help)
                if matches!(help.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
            {
                print!("{help}");
                return Err(ExitCode::SUCCESS);
            }
            Err(error) => {
                // The first line contains the error, the others the usage.
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                eprintln!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line));
                return Err(ExitCode::from(2));
            }
        };
        for (index, upstream) in arguments.upstreams.iter().enumerate() {
            if arguments.upstreams[..index].iter().any(|other| other.name == upstream.name) {
                eprintln!("--upstream names {} twice; see --help", upstream.name);
                return Err(ExitCode::from(2));
            }
        }
        let default_millis = if arguments.upstreams.is_empty() { 250 } else { 10_000 };
        arguments.attempt_timeout =
            arguments.timeout.unwrap_or(Duration::from_millis(default_millis));
        Ok(arguments)
    }
}

fn parse_upstream(text: &str) -> Result<UpstreamArgument, String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME=URL")?;
    validate_name(name)?;
    Ok(UpstreamArgument { name: name.into(), url: parse_url(url)? })
}

/// Checks that a service can be served at `/NAME`.
pub(crate) fn validate_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)) {
        return Err("a name has letters, digits and -_.~ only");
    }
    if name == "metrics" {
        return Err("/metrics is the gateway's own");
    }
    Ok(())
}

/// Parses the URL of an upstream.
pub(crate) fn parse_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("a URL begins with http:// or https://".into()),
    }
    let authority = url.authority().map(http::uri::Authority::as_str);
    if authority.is_none_or(|authority| authority.contains('@')) || url.query().is_some() {
        return Err("a URL has a host, and neither a user nor a query".into());
    }
    Ok(url)
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds above 0".into()),
    }
}
