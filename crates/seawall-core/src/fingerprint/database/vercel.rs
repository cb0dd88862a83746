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
    fingerprint(gateway(Vercel), &[502], &[HeaderPrefix("x-vercel-error", "DNS_HOSTNAME_")], DnsError, Unlikely, "Vercel could not resolve the name of what the request is rewritten to", VERCEL),
    fingerprint(gateway(Vercel), &[504], &[HeaderPrefix("x-vercel-error", "FUNCTION_INVOCATION_TIMEOUT")], HttpResponseTimeout, Maybe, "the function took longer than it may", VERCEL),
    fingerprint(gateway(Vercel), &[503], &[HeaderPrefix("x-vercel-error", "FUNCTION_THROTTLED")], ConnectionLimitReached, Unlikely, "the function's limit of concurrent calls is reached", VERCEL),
    fingerprint(gateway(Vercel), &[502], &[HeaderPresent("x-vercel-error")], BadGateway, Maybe, "Vercel got no valid response, from a function or from what the request is rewritten to", VERCEL),
];
