//! The gateway as a child process.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use axum::body::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// The variables that would change the gateway's connections.
const CONNECTION_VARIABLES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

pub(crate) fn gateway(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seawall-gateway"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    for variable in CONNECTION_VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Sends a request without a body.
pub(crate) async fn send(method: &str, url: &str, fields: &[(&str, &str)]) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    client.request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap()
}

/// Sends a GET, and reads the response.
pub(crate) async fn get(url: &str, fields: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let (head, body) = send("GET", url, fields).await.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

/// A running gateway, killed on drop.
pub(crate) struct GatewayProcess {
    child: Child,
    pub(crate) url: String,
}

impl GatewayProcess {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with_env(arguments, &[])
    }

    /// Starts a gateway with additional environment variables.
    pub(crate) fn start_with_env(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_on("127.0.0.1:0", arguments, variables)
    }

    /// Starts a gateway that listens on an address.
    pub(crate) fn start_on(listen: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = gateway(&[&["--listen", listen], arguments].concat());
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a command that runs [`gateway`], such as a shell with limits.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .expect("expected the line with the address")
            .to_owned();
        let mut gateway = Self { child, url };
        // The last line of the log about the start.
        while !gateway.read_stderr_line().contains("dashboard at ") {}
        gateway
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        let body = Full::<Bytes>::from("hi");
        let response = client.request(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Sends a signal. Returns the next line on standard error that is not a log event.
    pub(crate) fn signal_and_read_line(&mut self, signal: &str) -> String {
        self.signal(signal);
        loop {
            let line = self.read_stderr_line();
            if !line.starts_with(' ') && !line.starts_with("20") {
                return line;
            }
        }
    }

    /// Returns the next line on standard error.
    pub(crate) fn read_stderr_line(&mut self) -> String {
        let stderr = self.child.stderr.as_mut().unwrap();
        // Unbuffered: a buffered reader would drop the bytes after the line.
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap();
            match byte {
                [b'\n'] => return String::from_utf8(line).unwrap(),
                [byte] => line.push(byte),
            }
        }
    }

    /// Sends a signal and waits for the exit. Returns the exit code and standard error.
    pub(crate) fn stop(self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        self.wait()
    }

    /// Waits for the exit. Returns the exit code and standard error.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut stderr = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
