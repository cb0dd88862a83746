//! What is said of an answer that no product is known by, once all that will be read of its body was read.

use super::{Row, Source};
use crate::{
    Cause::{OriginError, Unknown},
    Processed::Maybe,
    Reporter,
    bad_gateway::clue::Clue::{Begins, BodyBegins, BodyLacks, Has},
};

/// A gateway's own answer speaks of what it does; an application's of its own business.
const A_GATEWAYS_WORDS: &[&str] =
    &["gateway", "upstream", "proxy", "proxied", "backend", "server", "unavailable", "timeout"];

const SEEN: Source = Source::Recorded("six gateways that relay an application's answer");

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Envoy sets the header on what it relays, and on nothing else.
    Row {
        reporter: Reporter::Origin,
        statuses: &[500, 502, 504],
        clues: &[Has("x-envoy-upstream-service-time"), Begins("content-type", "application/json"), BodyBegins("{"), BodyLacks(A_GATEWAYS_WORDS)],
        cause: Some(OriginError),
        processed: Maybe,
        note: "an application's own answer, relayed by Envoy",
        source: Source::Recorded("Envoy 1.40.0"),
    },
    Row {
        reporter: Reporter::Unknown,
        statuses: &[500, 502, 504],
        clues: &[Begins("content-type", "application/json"), BodyBegins("{"), BodyLacks(A_GATEWAYS_WORDS)],
        cause: Some(OriginError),
        processed: Maybe,
        note: "an application's own answer: JSON that speaks of no gateway",
        source: SEEN,
    },
    // Apache answers 500 when a name does not resolve, Traefik when the answer is not HTTP, others when a connection is
    // closed: that a server says 500 does not say whose error it is.
    Row {
        reporter: Reporter::Unknown,
        statuses: &[500],
        clues: &[BodyLacks(&[])],
        cause: Some(Unknown),
        processed: Maybe,
        note: "an application's error, or that of a gateway which answers 500 to failures of its upstream",
        source: Source::Documented("https://github.com/traefik/traefik/blob/master/pkg/proxy/httputil/proxy.go"),
    },
];
