use std::fmt;

use http::Uri;
use metrics::SharedString;

use crate::{metrics as names, semconv::port_of_scheme};

/// The labels that say where a client's request goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) address: Option<SharedString>,
    pub(super) port: Option<SharedString>,
}

/// Those of the request before: nearly always the next one goes there too.
#[derive(Clone, Default)]
pub(super) struct Last {
    authority: String,
    by_scheme: Option<u16>,
    server: Server,
}

impl Last {
    pub(super) fn of(&mut self, uri: &Uri) -> Server {
        let Some(authority) = uri.authority() else { return Server::default() };
        let by_scheme = port_of_scheme(uri);
        if self.authority != authority.as_str() || self.by_scheme != by_scheme {
            self.server = find(uri.host(), authority.port_u16().or(by_scheme));
            self.by_scheme = by_scheme;
            authority.as_str().clone_into(&mut self.authority);
        }
        self.server.clone()
    }
}

fn find(host: Option<&str>, port: Option<u16>) -> Server {
    let Some(host) = host.map(str::to_ascii_lowercase) else { return Server::default() };
    // Both together are bounded: a peer that chooses one chooses the other.
    let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    if *names::bounded(&authority) == *"other" {
        return Server { address: Some("other".into()), port: None };
    }
    // Shared, so that a copy of them costs next to nothing.
    let shared = |text: String| SharedString::from(std::sync::Arc::<str>::from(text));
    Server { address: Some(shared(host)), port: port.map(|port| shared(port.to_string())) }
}

/// An authority may begin with a user's name and password.
impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Last").field(&self.server).finish()
    }
}
