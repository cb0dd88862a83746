//! The waits of clients after failures.
//!
//! SDKs repeat failed requests on their own, and some ignore both `Retry-After` and
//! `x-should-retry`. Each repetition would get the gateway's retries again, so one call could send
//! 15 requests to an upstream that is already overloaded. Two rules limit them:
//!
//! - If the upstream responds with `Retry-After`, the next requests of the same client to the same
//!   path are rejected until then, at most for 60 s.
//! - If a request fails after retries that its method alone does not allow, the same request is
//!   rejected for 1 s. Then it gets a single attempt. Each further failure prolongs the wait: 5 s,
//!   10 s, 20 s, up to 60 s.
//!
//! A rejection is a 429 or a 503 with the remaining wait in `Retry-After`. Other clients are never
//! affected.

mod identity;
mod layer;
mod wait_map;

pub(super) use self::layer::ClientWaitLayer;
