//! The responses that gateways generate themselves, and the diagnosis of a failed response by them.
//!
//! [`Evidence`] is the basis of a diagnosis. With the feature `fingerprint`, `Diagnosis` derives the [`Failure`] of a response from its
//! head and the first bytes of its body, by the field `Proxy-Status` (RFC 9209) and a database with a file for each product.
//!
//! A fingerprint matches only text that a gateway writes itself. A `Server` header alone identifies no gateway except AWS's load
//! balancer: nginx, Envoy and others add theirs to relayed responses, and some keep the header of the origin on their own.
//!
//! The request was [`Unlikely`] processed only if no retry of the gateway can end in the same response. Otherwise it was [`Maybe`].
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
