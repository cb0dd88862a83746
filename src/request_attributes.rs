use std::sync::Arc;

use crate::sync::{Mutex, lock};

/// Names that a gateway knows of a request, for the log and the metrics around it.
///
/// A request extension. A layer outside of the log inserts it, and services inside set the names
/// when they know them. `LoggingLayer` logs all of them. `RequestDurationLayer::server` has the
/// client and the service as labels, so the number of different names must be small.
///
/// ```
/// use http::Request;
/// use seawall::RequestAttributes;
///
/// let mut request = Request::new(());
/// let attributes = RequestAttributes::default();
/// attributes.set_service("billing".into());
/// request.extensions_mut().insert(attributes);
/// ```
///
/// # Clone
///
/// Clones share the names.
#[derive(Clone, Debug, Default)]
pub struct RequestAttributes(Arc<Mutex<Names>>);

/// A copy of the names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) client: Option<Arc<str>>,
    pub(crate) service: Option<Arc<str>>,
    pub(crate) upstream: Option<Arc<str>>,
    pub(crate) upstream_key: Option<Arc<str>>,
}

impl RequestAttributes {
    /// Sets the name of the client that sent the request.
    pub fn set_client(&self, client: Arc<str>) {
        lock(&self.0).client = Some(client);
    }

    /// Sets the name of the service that the request is for.
    pub fn set_service(&self, service: Arc<str>) {
        lock(&self.0).service = Some(service);
    }

    /// Sets the name of the upstream to which the last attempt was sent, and the name of its API
    /// key. A name is not a secret, such as that of an environment variable.
    pub fn set_upstream(&self, upstream: Arc<str>, key: Option<Arc<str>>) {
        let mut names = lock(&self.0);
        names.upstream = Some(upstream);
        names.upstream_key = key;
    }

    pub(crate) fn names(&self) -> Names {
        lock(&self.0).clone()
    }
}
