//! Recipes for servers that forward requests.
//!
//! # Return accurate errors from axum
//!
//! If a handler returns its client's error, the stack turns it into a 502, 503 or 504. The response
//! has `Proxy-Status` (RFC 9209), `Retry-After` if known, and a body in a format that the caller
//! accepts. A whole route can also be forwarded to the upstream:
//!
//! ```
//! # type ClientBody = seawall::retry::ReplayBody<axum::body::Body>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::future::ready;
//! use axum::{Router, body::Body, middleware::map_request, routing::get};
//! use http::{Request, StatusCode};
//! use seawall::{gateway::UpstreamUri, standard::StandardLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # use std::io::{Error, ErrorKind::ConnectionRefused};
//! # let client = tower::service_fn(async |_: Request<ClientBody>| {
//! #     Err::<http::Response<Body>, _>(Error::from(ConnectionRefused))
//! # });
//! // Parsed parts: a URL built from text can be one of another host.
//! let upstream: UpstreamUri = "http://billing:8080".parse()?;
//! let rewrite = move |request: Request<_>| {
//!     let request = upstream.rewrite(request);
//!     ready(request.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string())))
//! };
//! let billing = ServiceBuilder::new()
//!     // Set the URL outside the stack, which uses it as a key: a caller can send any host.
//!     .layer(map_request(rewrite))
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(client);
//! let app: Router =
//!     Router::new().route("/", get(async || "hi")).nest_service("/billing", billing);
//!
//! // No server is listening there.
//! let response = app.oneshot(Request::get("/billing/17").body(Body::empty())?).await?;
//! assert_eq!(response.status(), 502);
//! assert_eq!(response.headers()["proxy-status"], "edge;error=connection_refused");
//! # Ok(())
//! # }
//! ```
//!
//! # Call an upstream from a handler
//!
//! If a handler makes its own request, wrap the client in
//! [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer). The handler then always has a
//! response to return: the upstream's response, or an accurate 502, 503 or 504.
//!
//! ```
//! # type ClientBody = seawall::retry::ReplayBody<axum::body::Body>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use axum::{
//!     Router,
//!     body::Body,
//!     extract::{Path, State},
//!     response::{IntoResponse, Response},
//!     routing::get,
//! };
//! use http::{Request, StatusCode};
//! use seawall::{error_response::ErrorResponseLayer, standard::StandardLayer};
//! use tower::{Layer, ServiceBuilder, ServiceExt};
//!
//! # #[derive(Clone)]
//! # struct Billing;
//! # impl tower::Service<Request<ClientBody>> for Billing {
//! #     type Response = Response;
//! #     type Error = seawall::BoxError;
//! #     type Future = std::future::Ready<Result<Response, seawall::BoxError>>;
//! #     fn poll_ready(
//! #         &mut self,
//! #         _: &mut std::task::Context<'_>,
//! #     ) -> std::task::Poll<Result<(), seawall::BoxError>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, request: Request<ClientBody>) -> Self::Future {
//! #         std::future::ready(match request.uri().path() {
//! #             "/invoices/17" => Ok(Response::new(Body::from("50 Euro"))),
//! #             _ => Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
//! #         })
//! #     }
//! # }
//! // In a real program: `Standard<Client<HttpConnector, ReplayBody<Body>>>`.
//! type Client = seawall::standard::Standard<Billing>;
//!
//! async fn invoice(State(client): State<Client>, Path(number): Path<u32>) -> Response {
//!     let url = format!("http://billing:8080/invoices/{number}");
//!     let Ok(request) = Request::get(url).body(Body::empty()) else {
//!         return StatusCode::BAD_REQUEST.into_response();
//!     };
//!     let client = ErrorResponseLayer::new("edge").layer(client);
//!     // The error type is `Infallible`: a failure becomes a response.
//!     let Ok(response) = client.oneshot(request).await;
//!     response.map(Body::new)
//! }
//!
//! let client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(Billing);
//! let app = Router::new().route("/invoices/{number}", get(invoice)).with_state(client);
//!
//! let send = async |path| {
//!     let request = Request::get(path).body(Body::empty())?;
//!     app.clone().oneshot(request).await.map_err(seawall::BoxError::from)
//! };
//! let response = send("/invoices/17").await?;
//! assert_eq!(response.status(), 200);
//! let response = send("/invoices/18").await?;
//! assert_eq!(response.status(), 502);
//! assert_eq!(response.headers()["proxy-status"], "edge;error=connection_refused");
//! # Ok(())
//! # }
//! ```
//!
//! # Find out which hop failed
//!
//! A 502 means that a gateway got no valid response from its upstream. The details are in a
//! [`Failure`](crate::Failure): in the extensions of the response, or from `classify_error` for an
//! error.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let client = tower::service_fn(async |_: Request<Body>| {
//! #     let page = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n\
//! #         <body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n\
//! #         <hr><center>nginx/1.26.0</center>\r\n</body>\r\n</html>\r\n";
//! #     let response = Response::builder().status(504).header("content-type", "text/html");
//! #     let response = response.header("server", "nginx/1.26.0");
//! #     Ok::<_, seawall::BoxError>(response.body(Body::from(page))?)
//! # });
//! use seawall::{bad_gateway::BadGatewayClassifierLayer, Failure, Product, Reporter};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new().layer(BadGatewayClassifierLayer::new()).service(client);
//! let response = client.oneshot(Request::new(Body::default())).await?;
//! let failure = response.extensions().get::<Failure>().ok_or("no failure")?;
//! assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
//! println!("{failure}. {}", failure.advice());
//! for check in failure.cause().checks() {
//!     println!("- {check}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! In a checkout of the repository, `cargo run -p seawall-diagnose -- https://host/path` does the
//! same from the command line, hop by hop.
//!
//! # Distinguish a stale connection from a crash
//!
//! "Connection closed before message completed" most often means that the server closed an idle
//! pooled connection just as the client used it. Wrap the connector in `TrackReuse` (feature
//! `hyper-util`): the failure and the log then show it, with the idle time. After less than a second
//! the cause is a crash, or a server that closes without notice. To fix a stale connection, configure
//! the server to keep idle connections longer than the client, whose default is 90 s.
//!
//! ```
//! # #[cfg(feature = "hyper-util")] {
//! use std::time::Duration;
//! use bytes::Bytes;
//! use http_body_util::Full;
//! use hyper_util::{
//!     client::legacy::{Client, connect::HttpConnector},
//!     rt::{TokioExecutor, TokioTimer},
//! };
//! use seawall::{hyper_util::TrackReuse, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! let hyper = Client::builder(TokioExecutor::new())
//!     .pool_timer(TokioTimer::new())
//!     .pool_idle_timeout(Duration::from_secs(30))
//!     .build(TrackReuse::new(HttpConnector::new()));
//! let client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(hyper);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Full<Bytes>>>(client);
//! # }
//! ```
//!
//! # Forward WebSocket connections
//!
//! An upgrade passes the stack as a request whose response has the status 101. Neither is retried
//! once the response has started, and the timeouts end with the head of the response. A handler
//! takes both upgrades and copies bytes between them. Send the request without a body, and keep
//! `Connection` and `Upgrade`, which a proxy otherwise removes.
//!
//! ```
//! # #[cfg(feature = "hyper-util")] {
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Empty;
//! use hyper_util::{
//!     client::legacy::{Client, connect::HttpConnector},
//!     rt::{TokioExecutor, TokioIo},
//! };
//! use seawall::{
//!     retry::ReplayBody,
//!     standard::{ResponseBody, Standard, StandardLayer},
//!     BoxError,
//! };
//! use tower::{Layer, ServiceExt};
//!
//! type Upstream = Standard<Client<HttpConnector, ReplayBody<Empty<Bytes>>>>;
//!
//! /// Forwards an upgrade request whose URI is that of the upstream.
//! async fn upgrade<B>(
//!     upstream: Upstream,
//!     mut request: Request<B>,
//! ) -> Result<Response<ResponseBody<hyper::body::Incoming>>, BoxError>
//! where
//!     B: Send + 'static,
//! {
//!     // Taken before the request is sent. It completes after the caller has received the 101.
//!     let caller = hyper::upgrade::on(&mut request);
//!     let mut response = upstream.oneshot(request.map(|_| Empty::new())).await?;
//!     if response.status() == StatusCode::SWITCHING_PROTOCOLS {
//!         let server = hyper::upgrade::on(&mut response);
//!         tokio::spawn(async move {
//!             if let (Ok(caller), Ok(server)) = (caller.await, server.await) {
//!                 let (mut caller, mut server) = (TokioIo::new(caller), TokioIo::new(server));
//!                 let _ = tokio::io::copy_bidirectional(&mut caller, &mut server).await;
//!             }
//!         });
//!     }
//!     Ok(response)
//! }
//!
//! let client = Client::builder(TokioExecutor::new()).build_http();
//! let upstream: Upstream = StandardLayer::new("chat").layer(client);
//! # let _ = async |request: Request<()>| upgrade(upstream, request).await;
//! # }
//! ```
