use std::{fmt, sync::Arc};

use http::request::Parts;
use tower_layer::Layer;

use super::{RequestDuration, server::Last};

/// Applies [`RequestDuration`]. See the [module docs](super) for what is measured, and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RequestDurationLayer {
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

impl RequestDurationLayer {
    /// Around a client: `http.client.request.duration`.
    pub fn client() -> Self {
        Self { role: Role::Client, route: Route::default() }
    }

    /// On a server: `http.server.request.duration`.
    pub fn server() -> Self {
        Self { role: Role::Server, route: Route::default() }
    }

    /// Names the route of a request, such as `/orders/{id}`, for the label `http.route`. Default: no such label.
    ///
    /// There must be few of them: a path is none. With axum:
    ///
    /// ```
    /// use axum::extract::MatchedPath;
    /// use seawall::RequestDurationLayer;
    ///
    /// let layer = RequestDurationLayer::server().route_by(|head: &http::request::Parts| {
    ///     Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn route_by(
        mut self,
        by: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.route = Route(Some(Arc::new(by)));
        self
    }
}

impl<S> Layer<S> for RequestDurationLayer {
    type Service = RequestDuration<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestDuration { inner, layer: self.clone(), last: Last::default() }
    }
}

impl RequestDurationLayer {
    /// Returns `url.scheme`, which is required on a server. HTTP/1.1 does not transmit it, and a caller may send anything.
    pub(super) fn scheme(&self, scheme: Option<&str>) -> Option<&'static str> {
        (self.role == Role::Server).then(|| if scheme == Some("https") { "https" } else { "http" })
    }
}
