//! The connections to upstreams, and the framing of their responses.

#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod connect_timeout;
mod framing;
mod grpc;
mod http2;
mod idle_connections;
mod proxy_variables;
mod raw_origin;
mod silent_http2;
mod tls_origin;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Output, Stdio},
};

use support::{GatewayProcess, gateway};
use tempfile::NamedTempFile;

/// A gateway with a configuration file, which exists as long as the gateway.
struct ConfiguredGateway {
    process: GatewayProcess,
    _file: NamedTempFile,
}

impl ConfiguredGateway {
    fn start(config: &str) -> Self {
        Self::start_with_env(config, &[])
    }

    fn start_with_env(config: &str, variables: &[(&str, &str)]) -> Self {
        let file = config_file(config);
        let arguments = ["--config", file.path().to_str().unwrap()];
        let process = GatewayProcess::start_with_env(&arguments, variables);
        Self { process, _file: file }
    }

    /// Sends a request to the service `m`. Returns the status, and the cause or the body.
    async fn request(&self, method: &str) -> (u16, String) {
        let (status, _, body) = self.process.request(method, "/m/x").await;
        (status.as_u16(), cause(&body).unwrap_or(body))
    }
}

/// Returns the error with which a gateway ends at start.
fn start_error(config: &str, variables: &[(&str, &str)]) -> String {
    let file = config_file(config);
    let path = file.path().to_str().unwrap();
    let mut command = gateway(&["--listen", "127.0.0.1:0", "--config", path]);
    command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
        panic!("the gateway started with {config}");
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), message.lines().count()), (Some(2), 1), "{message}");
    message.trim().replace(path, "FILE")
}

fn config_file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// Returns a configuration with the service `m`, which has one upstream.
fn config(url: &str, settings: &str) -> String {
    format!("{settings}\n[[service]]\nname = \"m\"\nupstream = [{{ url = \"{url}\" }}]\n")
}

/// Returns the `cause` of an error response.
fn cause(body: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(problem.get("cause")?.as_str()?.to_owned())
}
