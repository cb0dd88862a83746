use std::{fmt, sync::Arc};

use http::request::Parts;

/// The settings of a [`RequestDurationLayer`](super::RequestDurationLayer).
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) role: Role,
    pub(super) route: Route,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

type By = dyn Fn(&Parts) -> Option<String> + Send + Sync;

#[derive(Clone, Default)]
pub(super) struct Route(pub(super) Option<Arc<By>>);

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some" } else { "None" })
    }
}

impl Settings {
    pub(super) fn new(role: Role) -> Self {
        Self { role, route: Route::default() }
    }

    /// Returns `url.scheme`, which is required on a server. HTTP/1.1 does not transmit it, and a caller may send anything.
    pub(super) fn scheme(&self, scheme: Option<&str>) -> Option<&'static str> {
        (self.role == Role::Server).then(|| if scheme == Some("https") { "https" } else { "http" })
    }
}
