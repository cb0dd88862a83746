use std::fmt;

use http::Uri;
use metrics::SharedString;

use crate::{metrics::bounded_label, semconv::default_port};

/// The labels of the server to which a client sends a request.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerLabels {
    pub(super) address: Option<SharedString>,
    pub(super) port: Option<SharedString>,
}

/// The labels of the previous request. The next request usually goes to the same server.
#[derive(Clone, Default)]
pub(super) struct CachedLabels {
    authority: String,
    default_port: Option<u16>,
    labels: ServerLabels,
}

impl CachedLabels {
    pub(super) fn labels(&mut self, uri: &Uri) -> ServerLabels {
        let Some(authority) = uri.authority() else { return ServerLabels::default() };
        let default_port = default_port(uri);
        if self.authority != authority.as_str() || self.default_port != default_port {
            self.labels = new_labels(uri.host(), authority.port_u16().or(default_port));
            self.default_port = default_port;
            authority.as_str().clone_into(&mut self.authority);
        }
        self.labels.clone()
    }
}

fn new_labels(host: Option<&str>, port: Option<u16>) -> ServerLabels {
    let Some(host) = host.map(str::to_ascii_lowercase) else { return ServerLabels::default() };
    // Host and port are bounded together, because the caller chooses both.
    let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    if *bounded_label(&authority) == *"other" {
        return ServerLabels { address: Some("other".into()), port: None };
    }
    // Shared text is cloned without an allocation.
    let shared = |text: String| SharedString::from(std::sync::Arc::<str>::from(text));
    ServerLabels { address: Some(shared(host)), port: port.map(|port| shared(port.to_string())) }
}

/// Omits the authority, which may contain a user name and password.
impl fmt::Debug for CachedLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedLabels").field(&self.labels).finish()
    }
}
