//! The command line.

use std::{env, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum, error::ErrorKind};
use http::Uri;
use seawall::gateway::UpstreamUri;

use crate::{exit_error::ExitError, forward::is_host_and_port};

/// A reverse proxy that hides upstream failures from its callers.
///
/// Without --upstream or --config, it runs a demo. It starts upstreams that fail on purpose,
/// load-tests each directly and through seawall, and prints the results. Then it serves until
/// Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "seawall-gateway", version)]
pub(crate) struct Arguments {
    /// Proxy /NAME to the http or https server at URL (repeatable)
    #[arg(long = "upstream", value_name = "NAME=URL", value_parser = parse_upstream)]
    pub(crate) upstreams: Vec<UpstreamArgument>,

    /// Proxy the LLM APIs and other upstreams that FILE defines; SIGHUP reloads it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["upstreams", "once", "timeout"])]
    pub(crate) config: Option<PathBuf>,

    /// Address to listen on; port 0 chooses a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8502")]
    pub(crate) listen: SocketAddr,

    /// Exit after the load test, with status 0 if seawall hid the failures of flaky, limited the
    /// load of retries and diagnosed every fault, else 1
    #[arg(long, conflicts_with = "upstreams")]
    pub(crate) once: bool,

    /// Timeout of each attempt, until its response headers arrive [default: 0.25 in the demo, else
    /// 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = parse_seconds)]
    timeout: Option<Duration>,

    /// Format of the log on standard error; `RUST_LOG` sets the level
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log: LogFormat,

    /// The value of --timeout, or its default.
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

impl LogFormat {
    /// Returns the format of the log if the other arguments may be invalid.
    pub(crate) fn of_command_line() -> Self {
        let mut arguments = env::args_os().skip(1);
        let mut format = Self::Text;
        while let Some(argument) = arguments.next() {
            let value = match argument.to_str() {
                Some("--log") => arguments.next(),
                Some(argument) => argument.strip_prefix("--log=").map(Into::into),
                None => None,
            };
            if value.is_some_and(|value| value == "json") {
                format = Self::Json;
            }
        }
        format
    }
}

/// The reason why the command line starts no gateway.
pub(crate) enum NotStarted {
    /// The text that was asked for.
    Help(String),
    Error(ExitError),
}

impl NotStarted {
    fn usage(message: &str) -> Self {
        Self::Error(ExitError::Usage(format!("{message}; see --help")))
    }
}

/// The value of `--upstream`.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamArgument {
    pub(crate) name: String,
    pub(crate) url: Uri,
}

impl Arguments {
    /// Parses the command line.
    ///
    /// # Errors
    /// Returns the requested help, or the error.
    pub(crate) fn from_command_line() -> Result<Self, NotStarted> {
        let mut arguments = Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                NotStarted::Help(error.to_string())
            }
            _ => {
                // The first line is the error. The others explain the usage.
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                NotStarted::usage(line.strip_prefix("error: ").unwrap_or(line))
            }
        })?;
        for (index, upstream) in arguments.upstreams.iter().enumerate() {
            if arguments.upstreams[..index].iter().any(|other| other.name == upstream.name) {
                let message = format!("--upstream defines {} twice", upstream.name);
                return Err(NotStarted::usage(&message));
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

/// Checks that a name can be served at `/NAME`.
pub(crate) fn validate_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)) {
        return Err("expected a name of letters, digits and -_.~");
    }
    if matches!(name, "." | "..") {
        return Err("expected a name that is no dot segment");
    }
    match name {
        "metrics" => Err("the name `metrics` is reserved"),
        "status" => Err("the name `status` is reserved"),
        _ => Ok(()),
    }
}

/// Parses the URL of an upstream.
pub(crate) fn parse_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("invalid URL: {error}"))?;
    match url.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("expected a URL with http:// or https://".into()),
    }
    if !url.authority().is_some_and(is_host_and_port) || url.query().is_some() {
        return Err("expected a URL with a host and a valid port, and no user or query".into());
    }
    UpstreamUri::from_str(text).map_err(|error| error.to_string())?;
    Ok(url)
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds above 0".into()),
    }
}
