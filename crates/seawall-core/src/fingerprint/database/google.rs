//! Google Cloud: load balancers and the Google Front End.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::Google},
    fingerprint::matcher::Matcher::{BodyContains, HeaderPrefix},
};

const GOOGLE: Reference = Reference::Documented(
    "https://cloud.google.com/load-balancing/docs/https/troubleshooting-ext-https-lbs",
);

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Google), &[502], &[BodyContains("<title>502 Server Error</title>"), BodyContains("The server encountered a temporary error and could not complete your request.")], BadGateway, Maybe, "Google's load balancer received no valid response; `statusDetails` in its log has the reason", GOOGLE),
    fingerprint(gateway(Google), &[502], &[HeaderPrefix("via", "1.1 google"), BodyContains("<title>Error 502 (Server Error)!!1</title>")], BadGateway, Maybe, "the Google Front End received no valid response", GOOGLE),
];
