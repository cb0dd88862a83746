//! Calls inside `tokio::spawn`, where the compiler checks that the future is `Send` without the
//! lifetimes of its types.
//!
//! `type_errors::tasks` has the errors without `boxed`.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use scripted_origin::Script;
use seawall::BoxError;
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};

use super::stack;
use crate::support::sockets::{Body, HyperClient, empty, hyper_client, origin, request, url};

/// Sends a request in a task, for a caller that knows only the bounds of the service.
async fn status_in_task<S, B>(service: S, uri: String) -> Result<StatusCode, BoxError>
where
    S: Service<Request<Body>, Response = http::Response<B>> + Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
    B: Send + 'static,
{
    let call = async move {
        let response = service.oneshot(request("GET", &uri, empty())).boxed().await;
        response.map(|response| response.status()).map_err(Into::into)
    };
    tokio::spawn(call).await?
}

#[tokio::test]
async fn boxed_call_is_accepted_by_task_for_any_body_and_error() {
    let origin = origin(Script::Healthy).await;
    let uri = url(&origin);

    let client = stack().layer(hyper_client());
    let target = uri.clone();
    let call = async move {
        client.oneshot(request("GET", &target, empty())).boxed().await.map(|it| it.status())
    };
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap(), StatusCode::OK);

    let hyper: HyperClient<UnsyncBoxBody<Bytes, BoxError>> = hyper_client();
    let client = stack().map_body(UnsyncBoxBody::new).layer(hyper);
    let target = uri.clone();
    let call = async move {
        client.oneshot(request("GET", &target, empty())).boxed().await.map(|it| it.status())
    };
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap(), StatusCode::OK);

    // The error of the inner service is `BoxError`.
    let inner = BoxCloneSyncService::new(hyper_client().map_err(BoxError::from));
    let client = stack().layer(inner);
    let target = uri.clone();
    let call = async move {
        client.oneshot(request("GET", &target, empty())).boxed().await.map(|it| it.status())
    };
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap(), StatusCode::OK);

    let client = stack().layer(hyper_client());
    assert_eq!(status_in_task(client, uri).await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn stack_future_is_accepted_by_task() {
    let origin = origin(Script::Healthy).await;
    let client = stack().layer(hyper_client());
    let call = client.oneshot(request("GET", &url(&origin), empty()));
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap().status(), StatusCode::OK);
}
