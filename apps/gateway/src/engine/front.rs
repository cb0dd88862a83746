//! The layers between the caller and the stack of a service.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{BoxError, error_response::ErrorResponseLayer};
use tower::{Service, ServiceBuilder};

use super::drain::DrainLayer;
use crate::{
    access::{CorsLayer, ServiceAccess},
    dialect::{Dialect, format_error},
    forward::{self, ForwardLayer, ForwardingConfig},
};

/// The settings of the layers of one service.
pub(super) struct Front {
    pub(super) name: String,
    pub(super) dialect: Option<Dialect>,
    /// Whether any upstream has an API key of the gateway.
    pub(super) adds_api_keys: bool,
    /// The URLs at which locations are rewritten.
    pub(super) rewritten: Vec<Uri>,
}

impl Front {
    /// Adds the layers to a stack.
    pub(super) fn layer<S>(
        &self,
        access: &ServiceAccess,
        forwarding: &Arc<ForwardingConfig>,
        stack: S,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + use<S>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone,
        S: Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let (dialect, rewritten) = (self.dialect, self.rewritten.clone());
        ServiceBuilder::new()
            .layer(DrainLayer)
            .layer(CorsLayer::new(access, self.adds_api_keys))
            .map_response(move |response: Response<_>| {
                let response = response.map(Body::new);
                match dialect {
                    Some(dialect) => format_error(dialect, response),
                    None => response,
                }
            })
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .layer(ForwardLayer::new(&self.name, Arc::clone(forwarding), rewritten))
            .layer(access.auth_layer(&self.name, self.adds_api_keys))
            .service(stack)
    }
}
