//! Tests of `BadGatewayClassifierLayer`.

mod captures;
mod headers;
mod misleading_responses;
mod peek;
mod tls_ports;

use bytes::Bytes;
use http::{Request, Response};
use seawall::{
    Failure,
    bad_gateway::{BadGatewayClassifierLayer, ResponseBody},
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{ScriptedBody, Step};

type ClassifiedResponse = Response<ResponseBody<ScriptedBody>>;

/// Returns `response` as `layer` passes it on.
async fn classify_with(
    layer: BadGatewayClassifierLayer,
    response: Response<ScriptedBody>,
) -> ClassifiedResponse {
    let mut response = Some(response);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let response = response.take().unwrap();
        async { Ok::<_, std::convert::Infallible>(response) }
    }));
    service.oneshot(Request::default()).await.unwrap()
}

/// Returns a response whose body arrives in one frame.
fn upstream_response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<ScriptedBody> {
    let body = (!body.is_empty()).then(|| Step::Data(Bytes::copy_from_slice(body.as_bytes())));
    let mut response = Response::new(ScriptedBody::new(body));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

fn failure(response: &ClassifiedResponse) -> Failure {
    *response.extensions().get::<Failure>().expect("the response has a `Failure` extension")
}

/// Returns the failure that a layer with the default settings attaches.
async fn classify(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    failure(
        &classify_with(BadGatewayClassifierLayer::new(), upstream_response(status, headers, body))
            .await,
    )
}
