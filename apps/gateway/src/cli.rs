//! What can be said on the command line.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum, error::ErrorKind};
use http::Uri;

/// A reverse proxy that keeps upstream failures from its callers.
///
/// Without --upstream it starts upstreams that fail on purpose, sends each of them traffic bare and through seawall,
/// prints what became of it, and keeps serving until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "seawall-gateway", version)]
pub(crate) struct Arguments {
    /// Proxy /NAME to the server at URL (http or https); may be given several times
    #[arg(long = "upstream", value_name = "NAME=URL", value_parser = upstream)]
    pub(crate) upstreams: Vec<Upstream>,

    /// Serve LLM APIs as FILE says; SIGHUP reads it again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["upstreams", "once", "timeout"])]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8502")]
    pub(crate) listen: SocketAddr,

    /// Exit after the table: 0 if the flaky upstream was mended and every conclusion is the true one, else 1
    #[arg(long, conflicts_with = "upstreams")]
    pub(crate) once: bool,

    /// How long an attempt may take up to the response's head [default: 0.25 for the embedded upstreams, else 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,

    /// How the log is written to standard error; the variable `RUST_LOG` says what
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log: Format,

    #[arg(skip)]
    pub(crate) attempt_timeout: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal
    Text,
    /// One JSON object a line
    Json,
}

/// A server to proxy to.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) url: Uri,
}

impl Arguments {
    /// Reads the command line; otherwise what to exit with, all being said.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        let mut arguments = match Self::try_parse() {
            Ok(arguments) => arguments,
            Err(asked)
                if matches!(asked.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
            {
                print!("{asked}");
                return Err(ExitCode::SUCCESS);
            }
            Err(error) => {
                // The first line says what is wrong, the others how to use the program.
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                eprintln!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line));
                return Err(ExitCode::from(2));
            }
        };
        for (at, upstream) in arguments.upstreams.iter().enumerate() {
            if arguments.upstreams[..at].iter().any(|other| other.name == upstream.name) {
                eprintln!("--upstream names {} twice; see --help", upstream.name);
                return Err(ExitCode::from(2));
            }
        }
        let default = if arguments.upstreams.is_empty() { 250 } else { 10_000 };
        arguments.attempt_timeout = arguments.timeout.unwrap_or(Duration::from_millis(default));
        Ok(arguments)
    }
}

fn upstream(text: &str) -> Result<Upstream, String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME=URL")?;
    check_name(name)?;
    Ok(Upstream { name: name.into(), url: self::url(url)? })
}

/// Whether something can stand at `/NAME`.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)) {
        return Err("a name has letters, digits and -_.~ only");
    }
    if name == "metrics" {
        return Err("/metrics is the gateway's own");
    }
    Ok(())
}

/// What can be proxied to.
pub(crate) fn url(text: &str) -> Result<Uri, String> {
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("expected a number of seconds above 0".into()),
    }
}
