use std::{fmt, sync::Arc};

use http::{Request, request::Parts};
use metrics::Label;

/// The settings of a [`RequestDurationLayer`](super::RequestDurationLayer).
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) role: Role,
    pub(super) route: Route,
    /// Labels with the same value for all requests.
    pub(super) labels: Arc<[Label]>,
}

/// The side of the connection that the layer measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

type RouteFn = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// The optional closure that returns the route of a request.
#[derive(Clone, Default)]
pub(super) struct Route(pub(super) Option<Arc<RouteFn>>);

impl Route {
    /// Returns the route of a request, and the request.
    pub(super) fn find<B>(&self, request: Request<B>) -> (Option<String>, Request<B>) {
        let Some(route) = &self.0 else { return (None, request) };
        let (head, body) = request.into_parts();
        (route(&head), Request::from_parts(head, body))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some" } else { "None" })
    }
}

impl Settings {
    pub(super) fn new(role: Role) -> Self {
        Self { role, route: Route::default(), labels: Arc::default() }
    }

    /// Returns the value of `url.scheme`, which the convention requires on a server only.
    ///
    /// HTTP/1.1 does not transmit the scheme, and a caller may send any text. Every scheme other
    /// than `https` is therefore `http`.
    pub(super) fn scheme(&self, scheme: Option<&str>) -> Option<&'static str> {
        (self.role == Role::Server).then(|| if scheme == Some("https") { "https" } else { "http" })
    }
}
