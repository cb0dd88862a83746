//! Upstreams that fail by a script, to test your own service with.
//!
//! The script of an upstream may respond 502 twice and then 200, be slow, truncate a body, or reset one connection in ten. Afterwards
//! the upstream returns the requests that it received. Two upstreams follow the same [`Script`]:
//!
//! | | [`FlakyService`] | [`FlakyUpstream`] |
//! |---|---|---|
//! | replaces | the client | the server, on a port of 127.0.0.1 |
//! | fails with | the errors of a client | the faults that make a real client fail |
//! | waits | on tokio's clock, which a test can pause: an hour takes no time | in real time |
//! | tests | the decisions of your layers | all parts together, with any client |
//!
//! They are for tests: speed, HTTP/2 and TLS are not covered. The feature `test-util` belongs into `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! seawall = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! # In process, on a paused clock
//!
//! Give your stack a [`FlakyService`] instead of its client. A paused clock advances only while all tasks wait, and then at once:
//! backoff, timeouts and open circuits take milliseconds, and every run is the same.
//!
//! ```
//! use std::time::Duration;
//! use http::{Method, Request};
//! use http_body_util::{BodyExt, Full};
//! use seawall::{
//!     retry::RetryLayer,
//!     test_util::{FlakyService, Script, Step},
//!     timeout::TimeoutLayer,
//! };
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! // In a test of yours: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let script = Script::new()
//!     .then(Step::status(502))
//!     .then(Step::ok("too late").delay(Duration::from_secs(3600)))
//!     .then_repeat(Step::ok("hello"));
//! let upstream = FlakyService::new(script)?;
//! // Your own stack: here, a retry around a timeout.
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .layer(TimeoutLayer::new(Duration::from_secs(10)))
//!     .service(upstream.clone());
//!
//! let get = Request::get("http://billing/invoice").body(Full::<bytes::Bytes>::default())?;
//! let response = client.clone().oneshot(get).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
//! assert_eq!(upstream.requests(), 3);
//!
//! // A payment whose connection breaks is sent once.
//! upstream.set_script(Step::reset())?;
//! let pay = Request::post("http://billing/pay").body(Full::<bytes::Bytes>::from("5 €"))?;
//! assert!(client.oneshot(pay).await.is_err());
//! let sent = upstream.received();
//! let payments: Vec<_> = sent.iter().filter(|sent| sent.method() == Method::POST).collect();
//! assert_eq!(payments.len(), 1);
//! assert_eq!((payments[0].path(), payments[0].body()), ("/pay", "5 €".as_bytes()));
//! # Ok(())
//! # }
//! ```
//!
//! # On a socket
//!
//! To test the client too, or if only the address of the upstream can be configured:
//!
//! ```
//! use http::Request;
//! use http_body_util::{BodyExt, Empty};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::{
//!     classify::classify_error,
//!     retry::RetryLayer,
//!     test_util::{FlakyUpstream, Step},
//!     Cause,
//! };
//! use tower::{Layer, ServiceExt};
//!
//! // In a test of yours: #[tokio::test]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let mut upstream =
//!     FlakyUpstream::start([Step::reset(), Step::garbage(), Step::ok("hello")]).await?;
//! let client = RetryLayer::new().layer(Client::builder(TokioExecutor::new()).build_http());
//!
//! let get = || Request::get(upstream.url("/invoice")).body(Empty::<bytes::Bytes>::new());
//! let response = client.clone().oneshot(get()?).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
//! // The first two connections were not reused.
//! assert_eq!((upstream.requests(), upstream.connections()), (3, 3));
//!
//! // The upstream crashes: the pooled connection is closed, and new ones are refused.
//! let get = get()?;
//! upstream.refuse().await;
//! let error = client.oneshot(get).await.unwrap_err();
//! assert_eq!(classify_error(&*error).cause(), Cause::ConnectionRefused);
//! # Ok(())
//! # }
//! ```
//!
//! # Random failures
//!
//! [`Script::random`] is for statistics, such as how many of a thousand calls succeed while a fifth of all requests fail. With the same
//! seed the same requests fail.
//!
//! # The effect of each step
//!
//! | step | on a socket | in process | classified as |
//! |---|---|---|---|
//! | [`Step::status`], [`Step::ok`] | a response | the same | its status |
//! | [`Step::close`] | the connection is closed | `io::ErrorKind::ConnectionAborted` | `connection_terminated` |
//! | [`Step::reset`] | the connection is reset | `io::ErrorKind::ConnectionReset` | `connection_terminated` |
//! | [`Step::garbage`] | bytes that are not HTTP | an error with a [`Failure`](seawall_core::Failure) | `http_protocol_error` |
//! | [`Step::silent`] | nothing | nothing | the error of your timeout |
//! | [`Step::truncated`] | a truncated body | `io::ErrorKind::UnexpectedEof`, in the body | `http_response_incomplete` |
//! | [`Step::refuse`]; [`FlakyUpstream::refuse`] | the connection is refused | `io::ErrorKind::ConnectionRefused` | `connection_refused` |
//! | [`Step::error`] | not available | your error | as your classifier decides |
//!
//! # Edge cases
//!
//! | case | result |
//! |---|---|
//! | a script has no step, or an invalid one | [`InvalidScript`], when an upstream receives it |
//! | more requests come than the script has steps | 501, with a body that explains it |
//! | requests are concurrent | each takes its step when its head arrives |
//! | the client disconnects, or drops the call | the step is spent; the received part of the request is stored |
//! | the body of a request is large | it is read to its end; the first 64 KiB are stored |
//! | more than a thousand requests come | all are counted; the first thousand are stored |
//! | the bytes on a socket are not HTTP/1, or its head is larger than 64 KiB or has more than 100 headers | 400; the connection is closed, and no step is taken |
//! | the clock is paused around a [`FlakyUpstream`] | it jumps while bytes are in flight, and timeouts fire: leave it running |
//! | the upstream is dropped | the socket and all its connections are closed, as soon as the runtime polls them |
//!
//! # Differs from
//!
//! - `tower_test::mock`: no task beside the call; a script, HTTP, and failures that the classifier recognizes.
//! - `wiremock` and similar crates: they match requests and respond well; here connections break too.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

mod action;
mod body;
mod future;
mod http1;
mod invalid_script;
mod received;
mod response;
mod script;
mod service;
mod state;
mod step;
mod upstream;

pub use self::{
    body::FlakyBody, future::ResponseFuture, invalid_script::InvalidScript,
    received::ReceivedRequest, script::Script, service::FlakyService, step::Step,
    upstream::FlakyUpstream,
};
