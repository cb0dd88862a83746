//! Vercel.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, ConnectionLimitReached, DnsError, HttpResponseTimeout},
        Processed::{Maybe, Unlikely},
        Product::Vercel,
    },
    fingerprint::matcher::Matcher::{HeaderPrefix, HeaderPresent},
};

const VERCEL: Reference = Reference::Documented("https://vercel.com/docs/errors");

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    fingerprint(gateway(Vercel), &[502], &[HeaderPrefix("x-vercel-error", "DNS_HOSTNAME_")], DnsError, Unlikely, "Vercel could not resolve the host name of the rewrite destination", VERCEL),
    fingerprint(gateway(Vercel), &[504], &[HeaderPrefix("x-vercel-error", "FUNCTION_INVOCATION_TIMEOUT")], HttpResponseTimeout, Maybe, "the function exceeded its maximum duration", VERCEL),
    fingerprint(gateway(Vercel), &[503], &[HeaderPrefix("x-vercel-error", "FUNCTION_THROTTLED")], ConnectionLimitReached, Unlikely, "the function reached its concurrency limit", VERCEL),
    fingerprint(gateway(Vercel), &[502], &[HeaderPresent("x-vercel-error")], BadGateway, Maybe, "Vercel received no valid response from the function or the rewrite destination", VERCEL),
];
