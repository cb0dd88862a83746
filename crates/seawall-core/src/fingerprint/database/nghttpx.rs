//! nghttpx.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, HttpResponseTimeout},
        Processed::Maybe,
        Product::Nghttpx,
    },
    fingerprint::matcher::Matcher::BodyContains,
};

const NGHTTPX: Reference = Reference::Recorded("nghttpx 1.52.0");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Nghttpx), &[502], &[BodyContains("<h1>502 Bad Gateway</h1><footer>nghttpx</footer>")], BadGateway, Maybe, "nghttpx received no valid response; it returns this page for all such failures", NGHTTPX),
    fingerprint(gateway(Nghttpx), &[504], &[BodyContains("<h1>504 Gateway Timeout</h1><footer>nghttpx</footer>")], HttpResponseTimeout, Maybe, "nghttpx timed out while it connected or waited for the response; the page is the same for both", NGHTTPX),
];
