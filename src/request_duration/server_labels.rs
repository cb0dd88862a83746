use std::fmt;

use http::Uri;
use metrics::SharedString;

use crate::{metrics as names, semconv::port_of_scheme};

/// The labels of the server that a client's request goes to.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerLabels {
    pub(super) address: Option<SharedString>,
    pub(super) port: Option<SharedString>,
}

/// The labels of the previous request. The next one nearly always goes to the same server.
#[derive(Clone, Default)]
pub(super) struct Last {
    authority: String,
    default_port: Option<u16>,
    server: ServerLabels,
}

impl Last {
    pub(super) fn labels(&mut self, uri: &Uri) -> ServerLabels {
        let Some(authority) = uri.authority() else { return ServerLabels::default() };
        let default_port = port_of_scheme(uri);
        if self.authority != authority.as_str() || self.default_port != default_port {
            self.server = find_labels(uri.host(), authority.port_u16().or(default_port));
            self.default_port = default_port;
            authority.as_str().clone_into(&mut self.authority);
        }
        self.server.clone()
    }
}

fn find_labels(host: Option<&str>, port: Option<u16>) -> ServerLabels {
    let Some(host) = host.map(str::to_ascii_lowercase) else { return ServerLabels::default() };
    // Host and port are bounded together, since the same peer chooses both.
    let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    if *names::bounded(&authority) == *"other" {
        return ServerLabels { address: Some("other".into()), port: None };
    }
    // Shared, so that a clone does not allocate.
    let shared = |text: String| SharedString::from(std::sync::Arc::<str>::from(text));
    ServerLabels { address: Some(shared(host)), port: port.map(|port| shared(port.to_string())) }
}

/// An authority may begin with a user's name and password.
impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Last").field(&self.server).finish()
    }
}
