//! The limits of HTTP/1.1 and HTTP/2.

use std::time::Duration;

use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};

/// The maximum size of an HTTP/1.1 request head, in bytes. Larger ones get a 431.
///
/// Also the maximum size of each of the two buffers of a connection.
const MAX_HTTP1_HEAD_BYTES: usize = 64 << 10;

/// The maximum number of HTTP/1.1 header fields, which is hyper's default. More get a 431.
const MAX_HTTP1_FIELDS: usize = 100;

/// The maximum size of a decoded HTTP/2 header list, in bytes. Larger ones get a 431.
const MAX_HTTP2_HEAD_BYTES: u32 = 64 << 10;

/// The maximum number of concurrent HTTP/2 requests on a connection.
const MAX_HTTP2_STREAMS: u32 = 200;

/// The maximum number of streams that a client resets before the gateway accepts them, and of those
/// that the gateway resets for a client's errors. The connection ends at more.
///
/// Bounds "Rapid Reset" floods (CVE-2023-44487). The values are h2's defaults.
const MAX_HTTP2_REMOTE_RESETS: usize = 20;
const MAX_HTTP2_LOCAL_RESETS: usize = 1024;

/// The time between HTTP/2 pings, and for their answers. A connection without an answer ends.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Returns a server for both protocols.
pub(super) fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // hyper's timer also runs between requests, so it would end an idle connection as a slow
        // head. `time_limits` has a limit for each.
        .header_read_timeout(None)
        .max_buf_size(MAX_HTTP1_HEAD_BYTES)
        .max_headers(MAX_HTTP1_FIELDS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_PING_INTERVAL)
        .keep_alive_timeout(HTTP2_PING_TIMEOUT)
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_header_list_size(MAX_HTTP2_HEAD_BYTES)
        .max_pending_accept_reset_streams(MAX_HTTP2_REMOTE_RESETS)
        .max_local_error_reset_streams(MAX_HTTP2_LOCAL_RESETS);
    builder
}
