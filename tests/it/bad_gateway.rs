//! `BadGatewayClassifierLayer`.

mod captures;
mod headers;
mod misleading_responses;
mod peek;

use bytes::Bytes;
use http::{Request, Response};
use seawall::{BadGatewayClassifierLayer, Failure, bad_gateway::ResponseBody};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Step, Steps};

type Answer = Response<ResponseBody<Steps>>;

/// What the layer makes of a response.
async fn through(layer: BadGatewayClassifierLayer, response: Response<Steps>) -> Answer {
    let mut response = Some(response);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let response = response.take().unwrap();
        async { Ok::<_, std::convert::Infallible>(response) }
    }));
    service.oneshot(Request::default()).await.unwrap()
}

/// A response of these headers, whose body comes whole.
fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Steps> {
    let body = (!body.is_empty()).then(|| Step::Data(Bytes::copy_from_slice(body.as_bytes())));
    let mut response = Response::new(Steps::new(body));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

fn failure(answer: &Answer) -> Failure {
    *answer.extensions().get::<Failure>().expect("it failed")
}

/// What the layer concludes of it, with its defaults.
async fn concluded(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    failure(&through(BadGatewayClassifierLayer::new(), answer(status, headers, body)).await)
}
