use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::{Uri, uri::Authority};
use metrics::SharedString;

use crate::{metrics::bounded_label, semconv::default_port};

/// The labels of the server to which a client sends a request.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerLabels {
    pub(super) address: Option<SharedString>,
    pub(super) port: Option<SharedString>,
}

/// The labels of the servers of earlier requests.
///
/// Clones share those of the first server, because many services are cloned for each request.
#[derive(Clone, Default)]
pub(super) struct CachedLabels {
    first: Arc<OnceLock<Server>>,
    /// The server of the previous request to another server.
    previous: Option<Server>,
}

#[derive(Clone)]
struct Server {
    authority: Box<str>,
    default_port: Option<u16>,
    labels: ServerLabels,
}

impl Server {
    fn new(authority: &Authority, default_port: Option<u16>) -> Self {
        let labels = new_labels(authority.host(), authority.port_u16().or(default_port));
        Self { authority: authority.as_str().into(), default_port, labels }
    }

    fn is(&self, authority: &Authority, default_port: Option<u16>) -> bool {
        *self.authority == *authority.as_str() && self.default_port == default_port
    }
}

impl CachedLabels {
    pub(super) fn labels(&mut self, uri: &Uri) -> ServerLabels {
        let Some(authority) = uri.authority() else { return ServerLabels::default() };
        let default_port = default_port(uri);
        let first = self.first.get_or_init(|| Server::new(authority, default_port));
        if first.is(authority, default_port) {
            return first.labels.clone();
        }
        let previous = self.previous.take().filter(|it| it.is(authority, default_port));
        let server = previous.unwrap_or_else(|| Server::new(authority, default_port));
        self.previous.insert(server).labels.clone()
    }
}

fn new_labels(host: &str, port: Option<u16>) -> ServerLabels {
    let host = host.to_ascii_lowercase();
    // Host and port are bounded together, because the caller chooses both.
    let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    if *bounded_label(&authority) == *"other" {
        return ServerLabels { address: Some("other".into()), port: None };
    }
    // Shared text is cloned without an allocation.
    let shared = |text: String| SharedString::from(Arc::<str>::from(text));
    ServerLabels { address: Some(shared(host)), port: port.map(|port| shared(port.to_string())) }
}

/// Omits the authority, which may contain a user name and password.
impl fmt::Debug for CachedLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.get().map(|server| &server.labels);
        let previous = self.previous.as_ref().map(|server| &server.labels);
        f.debug_tuple("CachedLabels").field(&first).field(&previous).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(cached: &mut CachedLabels, uri: &str) -> Option<String> {
        cached.labels(&uri.parse().unwrap()).port.map(|port| port.to_string())
    }

    #[test]
    fn clones_share_labels_of_first_server() {
        let mut one = CachedLabels::default();
        let other = one.clone();
        assert_eq!(port(&mut one, "http://h.example/a").as_deref(), Some("80"));
        assert!(other.first.get().is_some_and(|server| &*server.authority == "h.example"));
    }

    #[test]
    fn labels_are_those_of_each_server() {
        let mut cached = CachedLabels::default();
        for _ in 0..2 {
            for (uri, expected) in [
                ("http://h.example/", "80"),
                ("https://h.example/", "443"),
                ("http://h.example:8/", "8"),
            ] {
                assert_eq!(port(&mut cached, uri).as_deref(), Some(expected), "{uri}");
            }
        }
        assert_eq!(port(&mut cached, "/a"), None);
    }
}
