//! What can be said on the command line.

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

use crate::{escape, target::Target};

/// Says why a URL fails: DNS, TCP, TLS and HTTP in turn, at which hop, and what to check next.
///
/// Without a URL it diagnoses an upstream of its own that is broken, for a look without a network.
///
/// Exit status: 0 healthy (any status below 400, and a whole body), 1 failing, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "seawall-diagnose", version)]
struct Arguments {
    /// What to ask for: http://… or https://…
    url: Option<String>,

    /// GET or HEAD
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    method: String,

    /// A header field of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// How long each step may take, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "5s")]
    timeout: String,

    /// Connect to this address, whatever DNS says
    #[arg(long, value_name = "IP[:PORT]")]
    connect_to: Option<String>,

    /// Ask this name server instead of the system's
    #[arg(long, value_name = "IP[:PORT]")]
    nameserver: Option<String>,

    /// Go on past a certificate that is not accepted; it is still reported
    #[arg(short = 'k', long)]
    insecure: bool,

    /// Ask so many times, 1 to 100, to see what fails only sometimes
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

/// Reads the command line; otherwise what to exit with, all being said. No URL: the embedded upstream.
pub(crate) fn read() -> Result<(Option<Target>, Options), ExitCode> {
    let arguments = Arguments::try_parse().map_err(|asked| {
        if matches!(asked.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // A reader that is gone has read enough.
            let _ = asked.print();
            return ExitCode::SUCCESS;
        }
        // What is no option may be half of a header or a URL with a password; what follows `=` is a value.
        let stray = asked.get(ContextKind::InvalidValue).is_some()
            || asked
                .get(ContextKind::InvalidArg)
                .is_some_and(|arg| !arg.to_string().starts_with('-'));
        if stray {
            return usage("an argument too many: are headers with a space quoted?");
        }
        // The first line says what is wrong, the others how to use the program.
        let text = asked.to_string();
        let line = text.lines().next().unwrap_or_default();
        usage(line.strip_prefix("error: ").unwrap_or(line))
    })?;
    checked(arguments).map_err(|line| usage(&line))
}

fn usage(line: &str) -> ExitCode {
    eprintln!("{}; see --help", escape::line(line, 200));
    ExitCode::from(2)
}

/// The values are checked here and not by clap, whose errors repeat them: they may be secret.
fn checked(arguments: Arguments) -> Result<(Option<Target>, Options), String> {
    let target = arguments.url.as_deref().map(Target::parse).transpose()?;
    let method = match arguments.method.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        _ => return Err("--method is GET or HEAD: a diagnosis must change nothing".into()),
    };
    let port = target.as_ref().map_or(0, |target| target.port);
    let options = Options {
        method,
        headers: headers(&arguments.headers)?,
        timeout: time(&arguments.timeout)?,
        connect_to: arguments
            .connect_to
            .map(|text| address("--connect-to", &text, port))
            .transpose()?,
        nameserver: arguments
            .nameserver
            .map(|text| address("--nameserver", &text, 53))
            .transpose()?,
        insecure: arguments.insecure,
        repeat: repeat(&arguments.repeat)?,
        json: arguments.json,
    };
    if target.is_none() && options.connect_to.is_some() {
        return Err("--connect-to needs a URL".into());
    }
    Ok((target, options))
}

fn headers(lines: &[String]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (at, line) in lines.iter().enumerate() {
        let parsed = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        });
        let (name, value) =
            parsed.ok_or_else(|| format!("header {} is not NAME: VALUE", at + 1))?;
        // They would change where the request ends.
        if name == "content-length" || name == "transfer-encoding" {
            return Err(format!("{name} cannot be set: the request has no body"));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|_| "--timeout is a time such as 5s")?;
    let valid = Duration::from_millis(1)..=Duration::from_secs(600);
    if valid.contains(&time) { Ok(time) } else { Err("--timeout is from 1ms to 10m".into()) }
}

fn address(option: &str, text: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse()
        .or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)))
        .map_err(|_| format!("{option} is an IP address, with or without a port"))
}

fn repeat(text: &str) -> Result<usize, String> {
    let times = text.parse().ok().filter(|times| (1..=100).contains(times));
    times.ok_or_else(|| "--repeat is a number from 1 to 100".into())
}
