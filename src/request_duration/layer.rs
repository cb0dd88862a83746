use std::sync::Arc;

use http::request::Parts;
use metrics::Label;
use tower_layer::Layer;

use super::{
    RequestDuration,
    server_labels::CachedLabels,
    settings::{Role, Route, Settings},
};

/// A layer that measures the duration of requests with [`RequestDuration`].
///
/// See the [module docs](super) for the metrics, their labels and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RequestDurationLayer {
    settings: Settings,
}

impl RequestDurationLayer {
    /// Creates a layer for a client. Records `http.client.request.duration`.
    pub fn client() -> Self {
        Self { settings: Settings::new(Role::Client) }
    }

    /// Creates a layer for a server. Records `http.server.request.duration`.
    pub fn server() -> Self {
        Self { settings: Settings::new(Role::Server) }
    }

    /// Sets a closure that returns the route of a request, such as `/orders/{id}`, for the label
    /// `http.route`. Default: no such label.
    ///
    /// The number of different routes must be small, so a path is not a route. With axum:
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
        route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.settings.route = Route(Some(Arc::new(route)));
        self
    }

    /// Adds a label with the same value for all requests, such as the name of the upstream.
    /// Default: no such label.
    pub fn label(mut self, name: &'static str, value: impl Into<Arc<str>>) -> Self {
        // Shared text is cloned for each request without an allocation.
        let label = Label::new(name, value.into());
        self.settings.labels = self.settings.labels.iter().cloned().chain([label]).collect();
        self
    }
}

impl<S> Layer<S> for RequestDurationLayer {
    type Service = RequestDuration<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestDuration {
            inner,
            settings: self.settings.clone(),
            cached_labels: CachedLabels::default(),
        }
    }
}
