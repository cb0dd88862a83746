//! Upstreams with scripted failures, to test your own service.
//!
//! A script may respond with 502 twice and then with 200, delay a response, truncate a body, or
//! reset one connection in ten. The upstream records the requests that it receives. Two types of
//! upstream use the same [`Script`]:
//!
//! | | [`FlakyService`] | [`FlakyUpstream`] |
//! |---|---|---|
//! | replaces | the client | the server, on a port of 127.0.0.1 |
//! | fails with | the errors of a client | the faults that make a real client fail |
//! | waits | on tokio's clock, which a test can pause, so that an hour takes no time | in real time |
//! | tests | the decisions of your layers | the whole stack, with any client |
//!
//! They are made for tests: they are not fast, and have no HTTP/2 or TLS. Enable the feature
//! `test-util` in `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! seawall = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! # In process, on a paused clock
//!
//! Replace the client of your stack with a [`FlakyService`]. A paused clock advances immediately
//! when all tasks wait. Backoff, timeouts and open circuits then take milliseconds, and every run
//! has the same result.
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
//! // In your own test: #[tokio::test(start_paused = true)]
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
//! // A payment is not sent again after its connection was reset.
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
//! Use a [`FlakyUpstream`] to test the client too, or if you can configure only the address of the
//! upstream:
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
//! // In your own test: #[tokio::test]
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
//! [`Script::random`] fails a random fraction of the requests, for example to measure the success
//! rate of a thousand calls while 20 % of the requests fail. With the same seed, the same requests
//! fail.
//!
//! # The effect of each step
//!
//! | step | on a socket | in process | classified as |
//! |---|---|---|---|
//! | [`Step::status`], [`Step::ok`] | a response | the same | its status |
//! | [`Step::close`] | the connection is closed | `io::ErrorKind::ConnectionAborted` | `connection_terminated` |
//! | [`Step::reset`] | the connection is reset | `io::ErrorKind::ConnectionReset` | `connection_terminated` |
//! | [`Step::garbage`] | bytes that are not HTTP | an error with a [`Failure`](seawall_core::Failure) | `http_protocol_error` |
//! | [`Step::silent`] | no response | no response | the error of your timeout |
//! | [`Step::truncated`] | a truncated body | `io::ErrorKind::UnexpectedEof`, in the body | `http_response_incomplete` |
//! | [`Step::refuse`]; [`FlakyUpstream::refuse`] | the connection is refused | `io::ErrorKind::ConnectionRefused` | `connection_refused` |
//! | [`Step::error`] | not available | your error | as your classifier decides |
//!
//! # Edge cases
//!
//! | case | result |
//! |---|---|
//! | a script has no step, or an invalid one | the upstream returns [`InvalidScript`] when it gets the script |
//! | there are more requests than steps | 501, with a body that explains it |
//! | requests are concurrent | each gets its step when its head arrives |
//! | the client disconnects or drops the call | the step is used; the received part of the request is stored |
//! | a request body is large | it is read to its end; the first 64 KiB are stored |
//! | there are more than 1,000 requests | all are counted; the first 1,000 are stored |
//! | the bytes on a socket are not HTTP/1, or its head is larger than 64 KiB or has more than 100 headers | 400; the connection is closed, and no step is used |
//! | the clock is paused with a [`FlakyUpstream`] | it advances while bytes are in flight, so that timeouts fire; do not pause it |
//! | the upstream is dropped | the socket and its connections are closed when the runtime next polls them |
//!
//! # Alternatives
//!
//! - `tower_test::mock` needs a task that sends the responses. This crate has scripts, HTTP, and
//!   failures that the classifier recognizes.
//! - `wiremock` and similar crates match requests and send responses. This crate also breaks
//!   connections.
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
