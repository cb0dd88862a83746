//! The services of one configuration, by name.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::IntoResponse,
};
use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use http::{Method, Request, Response, StatusCode, header::CONTENT_LENGTH};
use tower::Service;

use crate::shared_service::SharedService;

/// A service with everything that belongs to one request.
pub(super) type ServedService = SharedService<Request<Body>, Response<Body>, Infallible>;

/// Routes `/NAME` and all paths below it to the service of that name.
///
/// # Clone
///
/// Clones share the services.
#[derive(Clone)]
pub(crate) struct Routes(Arc<Table>);

struct Table {
    services: BTreeMap<String, ServedService>,
    /// The text of a response to any other path.
    not_found: String,
}

impl Routes {
    pub(super) fn new(
        services: impl IntoIterator<Item = (String, ServedService)>,
        not_found: String,
    ) -> Self {
        Self(Arc::new(Table { services: services.into_iter().collect(), not_found }))
    }

    /// Returns whether the path belongs to a service.
    pub(super) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Returns the label of a path in the metrics, such as `/NAME/{*rest}`.
    pub(crate) fn route_of(&self, path: &str) -> Option<String> {
        let name = service_name(path)?;
        let (name, _) = self.0.services.get_key_value(name)?;
        let rest = match &path[name.len() + 1..] {
            rest @ ("" | "/") => rest,
            _ => "/{*rest}",
        };
        Some(["/", name, rest].concat())
    }

    fn find(&self, path: &str) -> Option<&ServedService> {
        self.0.services.get(service_name(path)?)
    }
}

/// Returns the first segment of a path.
fn service_name(path: &str) -> Option<&str> {
    path.strip_prefix('/')?.split('/').next()
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routes").field(&self.0.services.keys()).finish()
    }
}

impl Service<Request<Body>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_head = request.method() == Method::HEAD;
        let response = if let Some(service) = self.find(request.uri().path()) {
            service.call_shared(request)
        } else {
            let response = (StatusCode::NOT_FOUND, self.0.not_found.clone()).into_response();
            async { Ok(response) }.boxed()
        };
        if is_head { response.map_ok(without_content).boxed() } else { response }
    }
}

/// Removes the content of a response to `HEAD`, which keeps the length of it (RFC 9110 §9.3.2).
///
/// hyper does so over HTTP/1.1 only.
fn without_content(mut response: Response<Body>) -> Response<Body> {
    if response.body().is_end_stream() {
        return response;
    }
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    *response.body_mut() = Body::empty();
    response
}

#[cfg(test)]
mod tests {
    use tower::service_fn;

    use super::*;

    fn routes() -> Routes {
        let service = service_fn(async |_: Request<Body>| Ok(Response::new(Body::from("text"))));
        Routes::new([("a".to_owned(), SharedService::new(service))], String::new())
    }

    #[test]
    fn route_has_no_text_of_path() {
        for (path, route) in [
            ("/a", Some("/a")),
            ("/a/", Some("/a/")),
            ("/a//", Some("/a/{*rest}")),
            ("/a/b/c", Some("/a/{*rest}")),
            ("/ab", None),
            ("/%61", None),
            ("//a", None),
            ("/", None),
            ("*", None),
        ] {
            assert_eq!(routes().route_of(path).as_deref(), route, "{path}");
            assert_eq!(routes().has(path), route.is_some(), "{path}");
        }
    }

    #[tokio::test]
    async fn head_has_length_and_no_content() {
        let request = Request::head("/a").body(Body::empty()).unwrap();
        let Ok(response) = routes().call(request).await;
        assert_eq!(response.headers()[CONTENT_LENGTH], "4");
        assert!(response.body().is_end_stream());
    }
}
