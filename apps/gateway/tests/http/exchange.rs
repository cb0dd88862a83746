//! A caller on a raw socket.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{origin::Origin, support::GatewayProcess};

/// Ends a test that would hang.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Starts a gateway with the service `a` in front of an origin.
pub(crate) fn gateway(origin: &Origin) -> GatewayProcess {
    gateway_with(origin, "", "")
}

/// Starts a gateway with more sections, and more keys of the service `a`.
pub(crate) fn gateway_with(origin: &Origin, sections: &str, keys: &str) -> GatewayProcess {
    let url = format!("{}/base", origin.url());
    gateway_of(&format!("{sections}\n[[service]]\nname = \"a\"\nurl = \"{url}\"\n{keys}\n"))
}

/// Starts a gateway whose service `a` balances over origins.
pub(crate) fn balanced(origins: &[&Origin]) -> GatewayProcess {
    balanced_with(origins, "")
}

/// Starts a gateway like [`balanced`], with more keys of the service.
pub(crate) fn balanced_with(origins: &[&Origin], keys: &str) -> GatewayProcess {
    let upstream =
        |origin: &&Origin| format!("[[service.upstream]]\nurl = \"{}/base\"\n", origin.url());
    let upstreams: String = origins.iter().map(upstream).collect();
    gateway_of(&format!("[[service]]\nname = \"a\"\n{keys}\n{upstreams}"))
}

fn gateway_of(config: &str) -> GatewayProcess {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), config).unwrap();
    GatewayProcess::start(&["--config", file.path().to_str().unwrap()])
}

pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) fn open(gateway: &GatewayProcess) -> Self {
        let stream = TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        Self(stream)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The gateway may have closed the connection.
        let _ = self.0.write_all(bytes.as_ref());
    }

    /// Reads a head, or to the end of the connection.
    pub(crate) fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && self.read_into(&mut head, 1) {}
        String::from_utf8_lossy(&head).into_owned()
    }

    pub(crate) fn read(&mut self, bytes: usize) -> String {
        let mut text = Vec::new();
        while text.len() < bytes {
            let missing = bytes - text.len();
            if !self.read_into(&mut text, missing) {
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn read_to_end(&mut self) -> String {
        let mut text = Vec::new();
        while self.read_into(&mut text, 4096) {}
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Returns whether there was more data. A reset is an end.
    fn read_into(&mut self, text: &mut Vec<u8>, bytes: usize) -> bool {
        let mut buffer = vec![0; bytes];
        match self.0.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                text.extend(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error} after {}", String::from_utf8_lossy(text)),
        }
    }
}

/// Sends a request, and returns the head of the response.
pub(crate) fn head(gateway: &GatewayProcess, request: impl AsRef<[u8]>) -> String {
    let mut connection = Connection::open(gateway);
    connection.send(request);
    connection.read_head()
}

/// Sends a request, and returns the status of the response. It is 0 if there is no response.
pub(crate) fn status(gateway: &GatewayProcess, request: impl AsRef<[u8]>) -> u16 {
    status_of(&head(gateway, request))
}

pub(crate) fn status_of(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Returns the values of a field, in the order of the lines.
pub(crate) fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}
