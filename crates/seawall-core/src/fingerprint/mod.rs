//! Fingerprints of the responses that gateways generate, and the diagnosis of failed responses.
//!
//! With the feature `fingerprint`, `Diagnosis` derives the [`Failure`] of a response from its head
//! and the first bytes of its body. It examines `Proxy-Status` (RFC 9209) and a database with one
//! file per product. [`Evidence`] is the basis of a diagnosis.
//!
//! A fingerprint matches only text that the gateway itself generates. A `Server` header alone
//! identifies no gateway except AWS's load balancer. nginx, Envoy and others add theirs to relayed
//! responses, and some keep the header of the origin in their own responses.
//!
//! [`Processed`](crate::Processed) is [`Unlikely`] only if the response cannot follow from a retry
//! of the gateway. Otherwise it is [`Maybe`].
//!
//! [`Failure`]: crate::failure::Failure
//! [`Maybe`]: crate::failure::Processed::Maybe
//! [`Unlikely`]: crate::failure::Processed::Unlikely

mod evidence;

#[cfg(feature = "fingerprint")]
mod database;
#[cfg(feature = "fingerprint")]
mod diagnosis;
#[cfg(feature = "fingerprint")]
mod matcher;
#[cfg(feature = "fingerprint")]
mod proxy_status;

#[cfg(feature = "fingerprint")]
pub use self::diagnosis::{Diagnosis, ReadProgress};
pub use self::evidence::{Evidence, ProxyStatus};
