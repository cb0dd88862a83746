//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use clap::{
    Parser,
    error::{ContextKind, ErrorKind},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{escape, output, target::Target};

/// Explains why a request to a URL fails. Tests DNS, TCP, TLS and HTTP in turn, and reports the hop
/// that failed and the next checks.
///
/// Without a URL, it diagnoses a built-in, broken upstream. No network is needed.
///
/// Exit status: 0 if the URL is healthy (a status below 400 and a complete body), 1 if it fails, 2
/// for a usage error.
#[derive(Debug, Parser)]
#[command(name = "seawall-diagnose", version)]
struct Args {
    /// URL to request, with http:// or https://
    url: Option<String>,

    /// Request method: GET or HEAD
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    method: String,

    /// Request header (repeatable)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// Timeout of each step, such as 500ms or 5s
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    timeout: String,

    /// Connect to this address instead of resolving the name
    #[arg(long, value_name = "IP[:PORT]")]
    connect_to: Option<String>,

    /// Query this name server instead of the system's
    #[arg(long, value_name = "IP[:PORT]")]
    nameserver: Option<String>,

    /// Accept an invalid certificate, but report it
    #[arg(short = 'k', long)]
    insecure: bool,

    /// Number of diagnoses, 1 to 100, to find intermittent failures
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) connect_to: Option<SocketAddr>,
    pub(crate) nameserver: Option<SocketAddr>,
    pub(crate) insecure: bool,
    pub(crate) repeat: usize,
    pub(crate) json: bool,
}

/// Parses the command line. Without a target, the built-in upstream is diagnosed.
///
/// # Errors
/// Prints the help or the error, and returns the exit code.
pub(crate) fn parse() -> Result<(Option<Target>, Options), ExitCode> {
    let args = Args::try_parse().map_err(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // Ignores a closed pipe.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // An unexpected argument may be part of a header or a URL with a password. An invalid value
        // may be a secret.
        let may_be_secret = error.get(ContextKind::InvalidValue).is_some()
            || error
                .get(ContextKind::InvalidArg)
                .is_some_and(|arg| !arg.to_string().starts_with('-'));
        if may_be_secret {
            return usage_error("unexpected argument or value; quote headers that contain spaces");
        }
        // The first line is the error. The others explain the usage.
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        usage_error(line.strip_prefix("error: ").unwrap_or(line))
    })?;
    validate(args).map_err(|message| usage_error(&message))
}

fn usage_error(message: &str) -> ExitCode {
    output::print_error(&format!("{}; see --help", escape::single_line(message, 200)));
    ExitCode::from(2)
}

/// Validates the values. clap does not, because its errors quote the values, which may be secret.
fn validate(args: Args) -> Result<(Option<Target>, Options), String> {
    let target = args.url.as_deref().map(Target::parse).transpose()?;
    let method = match args.method.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        _ => {
            return Err(
                "invalid --method: expected GET or HEAD, which change nothing on the server".into(),
            );
        }
    };
    let default_port = target.as_ref().map_or(0, |target| target.port);
    let options = Options {
        method,
        headers: parse_headers(&args.headers)?,
        timeout: parse_timeout(&args.timeout)?,
        connect_to: args
            .connect_to
            .map(|text| parse_address("--connect-to", &text, default_port))
            .transpose()?,
        nameserver: args
            .nameserver
            .map(|text| parse_address("--nameserver", &text, 53))
            .transpose()?,
        insecure: args.insecure,
        repeat: parse_repeat(&args.repeat)?,
        json: args.json,
    };
    if target.is_none() && options.connect_to.is_some() {
        return Err("--connect-to requires a URL".into());
    }
    Ok((target, options))
}

fn parse_headers(lines: &[String]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (index, line) in lines.iter().enumerate() {
        let parsed = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        });
        let (name, value) =
            parsed.ok_or_else(|| format!("invalid header {}: expected NAME: VALUE", index + 1))?;
        // These would change the framing of the request.
        if name == "content-length" || name == "transfer-encoding" {
            return Err(format!("{name} cannot be set: the request has no body"));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = humantime::parse_duration(text)
        .map_err(|_| "invalid --timeout: expected a duration such as 5s")?;
    let valid = Duration::from_millis(1)..=Duration::from_secs(600);
    if valid.contains(&timeout) {
        Ok(timeout)
    } else {
        Err("invalid --timeout: expected 1ms to 10m".into())
    }
}

fn parse_address(option: &str, text: &str, default_port: u16) -> Result<SocketAddr, String> {
    let without_brackets = text.trim_start_matches('[').trim_end_matches(']');
    text.parse()
        .or_else(|_| without_brackets.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, default_port)))
        .map_err(|_| format!("invalid {option}: expected an IP address with an optional port"))
}

fn parse_repeat(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=100).contains(count));
    count.ok_or_else(|| "invalid --repeat: expected a number from 1 to 100".into())
}
