//! Upstreams that fail as they are told, to test your own service with.
//!
//! What a stack does when its upstream fails is seldom seen before it happens. Here is an upstream that answers 502 twice
//! and then well, that is slow, that breaks off half way, that resets one connection in ten; and that says afterwards
//! what it received, and how often. There are two, which follow the same [`Script`]:
//!
//! | | [`FlakyService`] | [`FlakyUpstream`] |
//! |---|---|---|
//! | stands | in the place of the client | on a port of 127.0.0.1 |
//! | fails with | the errors that a client would make | what makes a real client fail |
//! | waits | on tokio's clock, which a test can pause: an hour takes no time | in real time |
//! | for | what your layers decide | whether it all works together, whatever the client |
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
//! Give your stack a [`FlakyService`] instead of its client. With the clock paused, time passes only while everybody
//! waits, and all at once: backoff, timeouts and open circuits are gone through in milliseconds, and the same each time.
//!
//! ```
//! # #[cfg(feature = "full")] {
//! use std::time::Duration;
//! use http::{Method, Request};
//! use http_body_util::{BodyExt, Full};
//! use seawall::{
//!     RetryLayer, TimeoutLayer,
//!     test_util::{FlakyService, Script, Step},
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
//! // A payment whose connection breaks is sent once, and nobody knows if it was made.
//! upstream.set_script(Step::reset())?;
//! let pay = Request::post("http://billing/pay").body(Full::<bytes::Bytes>::from("5 €"))?;
//! assert!(client.oneshot(pay).await.is_err());
//! let sent = upstream.received();
//! let payments: Vec<_> = sent.iter().filter(|sent| sent.method() == Method::POST).collect();
//! assert_eq!(payments.len(), 1);
//! assert_eq!((payments[0].path(), payments[0].body()), ("/pay", "5 €".as_bytes()));
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # On a socket
//!
//! Where the client itself is of interest, or the upstream's address is all that can be set:
//!
//! ```
//! # #[cfg(all(feature = "full", feature = "hyper-util"))] {
//! use http::Request;
//! use http_body_util::{BodyExt, Empty};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::{Cause, RetryLayer, classify::classify_error, test_util::{FlakyUpstream, Step}};
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
//! // The first two connections were of no further use.
//! assert_eq!((upstream.requests(), upstream.connections()), (3, 3));
//!
//! // It crashes: the connection that is kept is closed, and no other is taken.
//! let get = get()?;
//! upstream.refuse().await;
//! let error = client.oneshot(get).await.unwrap_err();
//! assert_eq!(classify_error(&*error).cause(), Cause::ConnectionRefused);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # By chance
//!
//! [`Script::random`] is for many calls and for numbers: how many of a thousand calls succeed when a fifth of all
//! requests fail? With the same seed it is the same requests that do.
//!
//! # What a step becomes
//!
//! | step | on a socket | in process | is taken for |
//! |---|---|---|---|
//! | [`Step::status`], [`Step::ok`] | a response | the same | what its status says |
//! | [`Step::close`] | the connection is closed | `io::ErrorKind::ConnectionAborted` | `connection_terminated` |
//! | [`Step::reset`] | the connection is reset | `io::ErrorKind::ConnectionReset` | `connection_terminated` |
//! | [`Step::garbage`] | bytes that are not HTTP | an error with a [`Failure`](crate::Failure) | `http_protocol_error` |
//! | [`Step::silent`] | nothing | nothing | what your timeout says |
//! | [`Step::truncated`] | a body that breaks off | `io::ErrorKind::UnexpectedEof`, in the body | `http_response_incomplete` |
//! | [`Step::refuse`]; [`FlakyUpstream::refuse`] | the connection is refused | `io::ErrorKind::ConnectionRefused` | `connection_refused` |
//! | [`Step::error`] | not there | the error that you make | what your classifier says |
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | a script has no step, or a wrong one | [`InvalidScript`], when an upstream is given it |
//! | more requests come than the script has steps | 501, with a body that says so |
//! | requests come at the same time | each takes its step as its head arrives |
//! | the client goes, or drops the call | the step is spent; what had come of the request is kept |
//! | the body of a request is large | it is read to its end; the first 64 KiB are kept |
//! | more than a thousand requests come | all are counted; the first thousand are kept |
//! | what comes on a socket is not HTTP/1, or its head is larger than 64 KiB or has more than 100 headers | 400; the connection is closed, and no step taken |
//! | the clock is paused around a [`FlakyUpstream`] | it jumps while bytes are under way, and timeouts fire: leave it running |
//! | the upstream is dropped | the socket and all its connections are closed, as soon as the runtime comes to it |
//!
//! # Differs from
//!
//! - `tower_test::mock`: no task that answers beside the call; a script, HTTP, and failures that the classifier knows.
//! - `wiremock` and its like: they match requests and answer them well; here connections break too.

mod action;
mod body;
mod connection;
mod future;
mod head;
mod invalid_script;
mod reader;
mod received;
mod response;
mod script;
mod service;
mod shared;
mod step;
mod upstream;

pub use self::{
    body::FlakyBody, future::ResponseFuture, invalid_script::InvalidScript,
    received::ReceivedRequest, script::Script, service::FlakyService, step::Step,
    upstream::FlakyUpstream,
};
