//! The settings of a `RetryLayer` that apply to HTTP requests only.

use std::time::Duration;

use http::HeaderName;

use super::{HttpCallAdapter, MappedBody, ReplayBody, RetryLayer};

impl<C, F> RetryLayer<C, HttpCallAdapter<F>> {
    /// Sets the maximum number of bytes of a request body that are buffered for retries. A longer
    /// body, or one of more than 1,024 frames, is sent again only if it is unread. Default: 64 KiB.
    pub fn max_replay_bytes(self, bytes: usize) -> Self {
        self.set(|policy| policy.max_replay_bytes = bytes)
    }

    /// Sets the maximum time to read the body of a response that is retried, so that its HTTP/1.1
    /// connection can be reused. Default: 50 ms.
    ///
    /// Reading ends with the delay at the latest. A retry without a delay waits for the end of the
    /// body, at most for this time or 50 ms. A body of more than 16 KiB or 64 frames is dropped.
    pub fn drain_timeout(self, time: Duration) -> Self {
        self.set(|policy| policy.drain_timeout = time)
    }

    /// Sets the name of a header with the attempt number, sent from the second attempt (`2`) on.
    /// Default: no header.
    pub fn attempt_header(self, name: HeaderName) -> Self {
        self.set(|policy| policy.attempt_header = Some(name))
    }

    /// Converts the body of each attempt, for a client that requires a certain body type.
    ///
    /// ```
    /// # use seawall::retry::RetryLayer;
    /// # fn example(channel: tonic::transport::Channel) {
    /// let client = tower::ServiceBuilder::new()
    ///     .layer(RetryLayer::new().map_body(tonic::body::Body::new))
    ///     .service(channel);
    /// # fn check(_: impl tower::Service<http::Request<tonic::body::Body>>) {}
    /// # check(client);
    /// # }
    /// ```
    pub fn map_body<B, B2, G>(self, convert: G) -> RetryLayer<C, HttpCallAdapter<MappedBody<G>>>
    where
        G: Fn(ReplayBody<B>) -> B2,
    {
        RetryLayer {
            classifier: self.classifier,
            adapter: HttpCallAdapter { convert: MappedBody(convert) },
            settings: self.settings,
        }
    }
}
