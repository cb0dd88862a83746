//! Determines why a response failed, which server reported the failure, and whether the request may
//! have been processed.
//!
//! A gateway sends 502 Bad Gateway if it gets no valid response from its upstream. The status alone
//! does not show whether the upstream was down, or died in the middle of a payment. Most gateways
//! reveal more in headers and in the body, each in its own format. This layer turns these details
//! into one [`Failure`](crate::Failure) in the response's extensions, which every other layer
//! reads.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # type Body = Full<bytes::Bytes>;
//! use seawall::{
//!     bad_gateway::{BadGatewayClassifierLayer, Evidence},
//!     Cause,
//!     Failure,
//!     Processed,
//!     Product,
//!     Reporter,
//! };
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # let client = tower::service_fn(async |_: Request<Body>| {
//! #     let page = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
//! #     let response = Response::builder().status(503).header("content-type", "text/html");
//! #     Ok::<_, http::Error>(response.body(Body::from(page))?)
//! # });
//! let client = ServiceBuilder::new()
//!     .layer(BadGatewayClassifierLayer::new())
//!     .service(client);
//!
//! let response = client.oneshot(Request::new(Body::default())).await?;
//! assert_eq!(response.status(), 503);
//! let failure = response.extensions().get::<Failure>().ok_or("no failure")?;
//! assert_eq!(failure.cause(), Cause::DestinationUnavailable);
//! assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
//! assert_eq!(failure.processed(), Processed::Maybe);
//! let evidence = response.extensions().get::<Evidence>().ok_or("not recognized")?;
//! assert!(evidence.summary().starts_with("HAProxy could not reach a server"));
//! # Ok(())
//! # }
//! ```
//!
//! # Classification
//!
//! The layer checks these sources in order, and the first match decides:
//!
//! | source | result |
//! |---|---|
//! | a [`Failure`](crate::Failure) in the extensions | kept unchanged |
//! | `Proxy-Status` with an `error` (RFC 9209) | the cause in the member nearest the origin; [`Evidence::proxy_status`] keeps an unregistered type as text |
//! | headers that only one product sends | the entry of the fingerprint table |
//! | the first bytes of the body | the entry of the fingerprint table |
//! | a 500, 502 or 504 with a complete JSON body that does not mention a gateway | [`OriginError`](crate::Cause::OriginError): an application probably wrote it |
//! | another 500, or a status above 505 except 529 | [`Unknown`](crate::Cause::Unknown): some gateways send 500 for failures of their upstream, and the meaning of the other statuses depends on the vendor |
//! | anything else | the result of [`HttpClassifier`](crate::classify::HttpClassifier) for the head |
//!
//! The layer reads `Retry-After` and similar headers as
//! [`HttpClassifier`](crate::classify::HttpClassifier) does. It does not change errors:
//! [`classify_error`](crate::classify::classify_error) classifies them.
//!
//! The fingerprint table covers nginx, HAProxy, Apache, Caddy, Squid, Envoy, Varnish, lighttpd,
//! Traffic Server, h2o and others. These entries are tested against recordings of the real product.
//! The table also covers AWS, Cloudflare, Google, Azure, Fastly, Akamai, Heroku, Kong and others,
//! from published descriptions. [`Evidence::is_verified`] distinguishes the two.
//!
//! # Limitations
//!
//! The layer never infers:
//!
//! - [`Processed::No`](crate::Processed::No): the gateway may have relayed another server's page,
//!   or retried the request itself. The strongest result for a response is
//!   [`Unlikely`](crate::Processed::Unlikely).
//! - [`Unlikely`](crate::Processed::Unlikely), if the gateway is known to send the same response
//!   after a retry of its own. HAProxy with `retry-on`, Squid and others send one response for both
//!   cases: a request that was never sent, and a request that was sent once and then refused.
//! - [`Reporter::Origin`](crate::Reporter::Origin): more gateways exist than this crate knows.
//! - Anything from `Server` alone, except for AWS's load balancer: nginx and Envoy set their own
//!   value on relayed responses.
//! - Anything from a page that an application quotes in JSON.
//! - Anything about a status below 400. Some gateways send a 200 if the upstream's response is not
//!   HTTP. An incomplete body ends in an error, as it does without this layer.
//! - The gateway that relayed a page: a relayed page names the gateway that wrote it.
//!
//! # Body inspection
//!
//! The layer inspects the body of a 408, 429 or 5xx if it is not compressed and its content type is
//! text, HTML, JSON or missing. It also inspects the body of a 400 after which the server closes the
//! connection, because a TLS port responds so to a request without TLS. The layer forwards frames
//! and trailers unchanged. It forwards an error 100 ms after the frames before it, so that a server
//! has sent the head and these frames: hyper discards unsent data when the body fails.
//!
//! The inspection ends at the first of these events:
//!
//! - The body ends.
//! - [`max_peek_bytes`](BadGatewayClassifierLayer::max_peek_bytes) bytes are read.
//! - The body pauses, and no further byte can change the result.
//! - [`peek_timeout`](BadGatewayClassifierLayer::peek_timeout) has passed since the first pause.
//!
//! If the wait times out, the result is less specific, but never contradicts the full result.
//!
//! The response is returned after its inspection. If a
//! [`TimeoutLayer`](crate::timeout::TimeoutLayer) around this layer expires within `peek_timeout`
//! (50 ms by default), it discards a response that had already arrived.
//!
//! # Behavior
//!
//! | condition | behavior |
//! |---|---|
//! | the status is below 400 | the response passes; its body is not read |
//! | the head is sufficient | the response passes at once, with a [`Failure`](crate::Failure) and, if a product was recognized, [`Evidence`] |
//! | the body must be inspected and is ready | the same; no timer is created |
//! | the body pauses | the layer waits until [`peek_timeout`](BadGatewayClassifierLayer::peek_timeout) after the first pause |
//! | the body fails during the inspection | the reader of the body gets the error at the same position |
//! | the call fails | the error passes unchanged |
//!
//! # Panics
//!
//! Polling panics if the body of a failed response pauses and no tokio runtime with time enabled is
//! running. A body that is ready at once needs no runtime.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future, or the response under inspection. It holds nothing
//! else.
//!
//! # Order
//!
//! Place it innermost, around the client. Retry, circuit breaker, logging and error response then
//! see its result. Only a decompressing layer, such as tower-http's `DecompressionLayer`, belongs
//! between this layer and the client: compressed bodies are not inspected.
//!
//! # Differs from
//!
//! - `tower_http::classify`: this layer reports the cause and the reporter, not only success or
//!   failure. It reads the pages and headers of gateways, not only the status. Other layers do not
//!   call a classifier; they read this layer's result.

mod body;
mod future;
mod layer;
mod peek;
mod service;
mod settings;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::BadGatewayClassifierLayer,
    service::BadGatewayClassifier,
};
#[doc(inline)]
pub use seawall_core::fingerprint::{Evidence, ProxyStatus};
