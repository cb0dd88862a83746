//! Works out what a failed response means: why it failed, who says so, and whether the request may have been processed.
//!
//! "502 Bad Gateway" comes from a gateway that could not get a valid response from the server behind it, and on its way
//! back it looks the same whether nothing listened there or the server died in the middle of a payment. Most gateways
//! tell more than the status, each in its own way. What they tell becomes one [`Failure`](crate::Failure) in the
//! response's extensions, which every other layer reads.
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
//!     BadGatewayClassifierLayer, Cause, Failure, Processed, Product, Reporter,
//!     bad_gateway::Evidence,
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
//! let failure = response.extensions().get::<Failure>().ok_or("it failed")?;
//! assert_eq!(failure.cause(), Cause::DestinationUnavailable);
//! assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
//! assert_eq!(failure.processed(), Processed::Maybe);
//! let evidence = response.extensions().get::<Evidence>().ok_or("it was recognised")?;
//! assert!(evidence.summary().starts_with("HAProxy reached no server"));
//! # Ok(())
//! # }
//! ```
//!
//! # What is looked at
//!
//! In this order, until something is recognised:
//!
//! | what | concluded |
//! |---|---|
//! | a [`Failure`](crate::Failure) already in the extensions | left as it is |
//! | `Proxy-Status` with an `error` (RFC 9209) | the cause that it names, from the member nearest the origin; a type that is not registered stays text, in [`Evidence::proxy_status`] |
//! | headers that only one product writes | by the table of products |
//! | the first bytes of the body | by the same table |
//! | JSON in a 500, 502 or 504 that speaks of no gateway, if it was read to its end | [`OriginError`](crate::Cause::OriginError): an application wrote it, it seems |
//! | another 500, and a status above 505 that is not 529 | [`Unknown`](crate::Cause::Unknown): some gateways answer 500 to failures of their upstream, and the others mean what each vendor likes |
//! | none of these | what [`HttpClassifier`](crate::HttpClassifier) says of the head |
//!
//! `Retry-After` and its like are read as by [`HttpClassifier`](crate::HttpClassifier). Errors pass untouched:
//! [`classify_error`](crate::classify::classify_error) knows them.
//!
//! The table holds nginx, HAProxy, Apache, Caddy, Squid, Envoy, Varnish, lighttpd, Traffic Server, h2o and others, their rows
//! tested against recordings of the real product; and AWS, Cloudflare, Google, Azure, Fastly, Akamai, Heroku, Kong and others by what is written about them:
//! [`Evidence::is_verified`] tells which.
//!
//! # What is not concluded
//!
//! - [`Processed::No`](crate::Processed::No), ever: pages are relayed byte for byte, and gateways send requests again by
//!   themselves. The most that a response can say is [`Unlikely`](crate::Processed::Unlikely).
//! - [`Unlikely`](crate::Processed::Unlikely) of an answer in which a further try of the gateway's own can end, if it is known
//!   to: HAProxy with `retry-on`, Squid and others answer to what was sent once, and then refused, as to what never was.
//! - [`Reporter::Origin`](crate::Reporter::Origin): there are more gateways than are known here.
//! - Anything from `Server` alone, but for AWS's load balancer: nginx and Envoy put theirs on what they relay.
//! - Anything from a page that an application quotes in JSON.
//! - Anything about a status below 400. A failure can arrive as a 200: some gateways make one of bytes that are no HTTP.
//!   A body that breaks off ends in an error, as ever.
//! - Whether a page is first-hand: one that another gateway relayed names the one that wrote it.
//!
//! # The look at the body
//!
//! Only of 429 and 5xx, if it is text, HTML, JSON or of no type, and not compressed. Nothing is lost: frames, trailers
//! and errors are handed on as they came. It ends with the body, at
//! [`max_peek_bytes`](BadGatewayClassifierLayer::max_peek_bytes) bytes, at a pause if the page is recognised by then and no more of it could
//! change that, and at the latest after [`peek_timeout`](BadGatewayClassifierLayer::peek_timeout). By a wait that is over, less
//! is concluded, never something else.
//!
//! A response that waits to be looked at has not been answered yet: a [`TimeoutLayer`](crate::TimeoutLayer) around this one
//! that ends within those 50 ms gives up an answer that is there.
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | the status is below 400 | the response passes; its body is not touched |
//! | the head tells enough | the response passes at once, with a [`Failure`](crate::Failure) and, if a product was recognised, [`Evidence`] |
//! | the body is to be looked at, and is there | the same, and no timer is made |
//! | the body pauses | it is waited for, no longer than [`peek_timeout`](BadGatewayClassifierLayer::peek_timeout) in all |
//! | the body breaks off while it is looked at | the error comes where it would have come, when the body is read |
//! | the call fails | the error passes as it is |
//!
//! # Panics
//!
//! Without a tokio runtime with time enabled, if the body of a failed response pauses. One that is there at once needs none.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future, or the response that is being looked at; nothing else is held.
//!
//! # Order
//!
//! Innermost, around the client, so that retry, circuit breaker, logging and error response see its word. Only what decompresses
//! goes between, such as tower-http's `DecompressionLayer`: what is compressed is not looked into.
//!
//! # Differs from
//!
//! - `tower_http::classify`: says why and who, not only whether; reads what gateways write, not only the status. It is no trait for
//!   other layers, but a layer that speaks once, for all of them.

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
