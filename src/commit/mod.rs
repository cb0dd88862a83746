//! Holds a response back until it has content, so that a failure inside a success can be retried.
//!
//! LLM APIs report failures in responses with the status 200: an event stream that begins with an
//! error, a stream that stalls or breaks off before its first byte, a JSON error object. Without
//! this layer, the head passes all other layers as a success, and the caller gets the failure. With
//! it, such a response becomes an error with a [`Failure`](crate::Failure), which retry, circuit
//! breaker, log and metrics treat like any other.
//!
//! The *commit point* is the moment at which the caller gets the response. Before it, everything
//! that has arrived is held, and the call can be repeated. After it, nothing is sent again.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # use http_body_util::{BodyExt, Full};
//! # type Body = Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use std::sync::atomic::{AtomicU32, Ordering};
//! # static SENT: AtomicU32 = AtomicU32::new(0);
//! # let client = tower::service_fn(async |_: Request<_>| {
//! #     let stream = match SENT.fetch_add(1, Ordering::Relaxed) {
//! #         0 => "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
//! #         _ => "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n",
//! #     };
//! #     let response = Response::builder().header("content-type", "text/event-stream");
//! #     Ok::<_, http::Error>(response.body(Body::from(stream))?)
//! # });
//! # let request = Request::post("http://llm/v1/messages").body(Body::default())?;
//! use seawall::{commit::{CommitLayer, Dialect}, retry::RetryLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new().retry_all_methods())
//!     .layer(CommitLayer::new(Dialect::Anthropic))
//!     .service(client);
//!
//! // The stream of the first attempt begins with `overloaded_error`.
//! let response = client.oneshot(request).await?;
//! let stream = response.into_body().collect().await?.to_bytes();
//! assert!(stream.starts_with(b"event: content_block_delta"));
//! # assert_eq!(SENT.load(Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Behavior
//!
//! Only a response with the status 200 to a method other than HEAD is judged, and only if the
//! [`Judge`] reads its content type. Any other response passes at once.
//!
//! | event, while the response is held | result |
//! |---|---|
//! | the judge commits | the caller gets the response: the same head, bytes, frames and trailers |
//! | the judge fails the response | the error [`FailedBeforeCommit`]; the body is dropped |
//! | an event stream ends, all events of which the judge held | the judge decides; [`Dialect`] fails it: `http_response_incomplete` |
//! | the body fails | the error [`FailedBeforeCommit`], with the [error of the body](FailedBeforeCommit::body_error) |
//! | no byte arrives within [`first_byte`](CommitLayer::first_byte) | the error [`Elapsed`](crate::Elapsed): `connection_read_timeout` |
//! | the stream is slower than [`min_rate`](CommitLayer::min_rate) | the error [`FailedBeforeCommit`]: `http_response_timeout` |
//! | [`max_hold`](CommitLayer::max_hold) passes | the response is committed |
//! | more than [`max_events`](CommitLayer::max_events) events, more than [`max_bytes`](CommitLayer::max_bytes), 256 frames | the response is committed |
//! | an event is larger than the limit of bytes | the response is committed |
//! | an event stream is compressed (`Content-Encoding`) | the response is committed at once |
//!
//! A response that is not read costs a look at its content type. JSON that is ready with its head is
//! judged without an allocation.
//!
//! Comments, `retry` fields and invalid UTF-8 in comments do not end the hold. A held response costs
//! memory for the held bytes, and as much again while an event is decoded.
//!
//! # Dialects
//!
//! [`Dialect`] has judges for three protocols:
//!
//! | | held | a failure | content |
//! |---|---|---|---|
//! | [`OpenAi`](Dialect::OpenAi), chat completions | chunks without choices, with a role alone, or with empty values | a member `error`, of a choice too | text, a call of a tool, a reason for the end, `[DONE]` |
//! | [`OpenAi`](Dialect::OpenAi), responses | `response.created`, `in_progress`, `queued`; an empty message or part that is added | `error`, `response.failed` | all other events |
//! | [`Anthropic`](Dialect::Anthropic) | `message_start`, `content_block_start`, `ping` | `error` | all other events |
//! | [`Gemini`](Dialect::Gemini) | chunks with metadata or empty parts alone | a member `error` | a part, a reason for the end, a blocked prompt |
//!
//! In each, `event: ping` is held, an event named `error` is a failure, and any event that is unknown
//! or not JSON is content. A JSON body is an error if its first member is `error`, or is `type` or
//! `object` with the value `error`. Any other JSON passes with its first bytes.
//!
//! The failure of a reported error is that of a response with the same meaning: by the number in the
//! error, or by its type, code or status in words. So [`Failure::status`](crate::Failure::status) is
//! the status that the upstream documents for it, although its response had 200. For
//! `overloaded_error` it is 503, which is retried by default, instead of 529. An unknown error counts
//! as 500. An error that is the caller's fault fails too: a gateway can send
//! [its text](FailedBeforeCommit::reported_error) with the right status.
//!
//! # After the commit
//!
//! An event stream that breaks off after a complete event ends with an error event of the dialect,
//! and then with the error of the body. A server then aborts the transfer, so that no client takes
//! the stream for complete. If the stream breaks off inside an event, or has a `Content-Length`, the
//! transfer is only aborted. The error follows 100 ms after the data, in which a server can write it.
//!
//! | | error event | raised by |
//! |---|---|---|
//! | `OpenAi` | `data: {"error": …}` | the SDKs of OpenAI, both APIs, and of Groq and Mistral |
//! | `Anthropic` | `event: error` | the SDKs of Anthropic, which ignore other forms |
//! | `Gemini` | `data: {"error": …}` | google-genai, which accepts no `event` field |
//!
//! # Panics
//!
//! Polling panics if a held body pauses, or a committed stream breaks off, and no tokio runtime with
//! time enabled is running.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future, or the held response. It holds nothing else.
//!
//! # Order
//!
//! Inside [`RetryLayer`](crate::retry::RetryLayer) and
//! [`CircuitBreakerLayer`](crate::circuit_breaker::CircuitBreakerLayer), so that both see the
//! failure. A breaker [until the end of the body](crate::circuit_breaker::CircuitBreakerLayer::until_body_end)
//! also counts streams that break off after the commit.
//!
//! Inside [`TimeoutLayer`](crate::timeout::TimeoutLayer), whose limit then includes the hold: a
//! stream without content in this time fails. Outside
//! [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer), so that a stall before the content is
//! retried.
//!
//! # Differs from
//!
//! - Gateways that judge the first chunk only: OpenAI's responses begin with events before the
//!   error.
//! - Gateways that resume a stream on another provider: the layer sends nothing again after the
//!   commit.

mod body;
mod dialect;
mod ending;
mod error;
mod events;
mod first_byte;
mod future;
mod grpc;
mod held;
mod hold;
mod judge;
mod layer;
mod reader;
mod reading;
mod service;
mod settings;

pub use self::{
    body::CommitBody,
    dialect::Dialect,
    error::FailedBeforeCommit,
    first_byte::FirstByte,
    future::ResponseFuture,
    grpc::PeekTrailers,
    judge::{Event, Judge, Reading, Verdict},
    layer::CommitLayer,
    service::Commit,
};
