//! Traefik.

use super::{Fingerprint, Reference, gateway};
use crate::{
    failure::{Cause::DestinationUnavailable, Processed::Unlikely, Product::Traefik},
    fingerprint::matcher::Matcher::{BodyPrefix, HeaderPrefix},
};

pub(super) static BY_BODY: &[Fingerprint] = &[Fingerprint {
    reporter: gateway(Traefik),
    statuses: &[503],
    matchers: &[BodyPrefix("no available server"), HeaderPrefix("content-type", "text/plain")],
    cause: Some(DestinationUnavailable),
    processed: Unlikely,
    summary: "Traefik has no healthy server for this service",
    reference: Reference::Documented("https://doc.traefik.io/traefik/routing/services/"),
}];
