use std::sync::Arc;

use http::request::Parts;
use tower_layer::Layer;

use super::{
    RequestDuration,
    server_labels::Last,
    settings::{Role, Route, Settings},
};

/// Applies [`RequestDuration`]. See the [module docs](super) for what is measured, and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RequestDurationLayer {
    settings: Settings,
}

impl RequestDurationLayer {
    /// Around a client: `http.client.request.duration`.
    pub fn client() -> Self {
        Self { settings: Settings::new(Role::Client) }
    }

    /// On a server: `http.server.request.duration`.
    pub fn server() -> Self {
        Self { settings: Settings::new(Role::Server) }
    }

    /// Names the route of a request, such as `/orders/{id}`, for the label `http.route`. Default: no such label.
    ///
    /// There must be few of them: a path is none. With axum:
    ///
    /// ```
    /// use axum::extract::MatchedPath;
    /// use seawall::request_duration::RequestDurationLayer;
    ///
    /// let layer = RequestDurationLayer::server().route_fn(|head: &http::request::Parts| {
    ///     Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn route_fn(
        mut self,
        by: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.settings.route = Route(Some(Arc::new(by)));
        self
    }
}

impl<S> Layer<S> for RequestDurationLayer {
    type Service = RequestDuration<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestDuration { inner, settings: self.settings.clone(), last: Last::default() }
    }
}
