//! What gateways answer of themselves, as data: one row for each answer that can be told from others.
//!
//! The first row of which everything holds is taken. What holds of nearly everything stands in [`last`], which is looked
//! at when no more of a body will be read.
//!
//! Only what a gateway writes itself is a clue. A `Server` header alone is none, but for AWS's load balancer: nginx, Envoy
//! and others put theirs on what they relay, and some leave the origin's on their own.
//!
//! A request was *probably not processed* only where no further try of the gateway's own can end in the same answer. Where
//! one can, or it is not known, the row says that it may have been.

mod apis;
mod clouds;
mod last;
mod proxies;
mod reasons;
mod relays;
mod servers;
#[cfg(test)]
mod tests;

use http::StatusCode;

use super::matcher::{Matcher, PeekedResponse};
use crate::failure::{Cause, Processed, Product, Reporter};

/// One answer of one product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint {
    pub(super) reporter: Reporter,
    /// Empty: any failure status.
    statuses: &'static [u16],
    /// All of them must hold.
    matchers: &'static [Matcher],
    /// `None`: what the status says.
    pub(super) cause: Option<Cause>,
    pub(super) processed: Processed,
    pub(super) note: &'static str,
    pub(super) source: Source,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Recorded from the product, of this version; `tests/data/` has the recording.
    Recorded(&'static str),
    /// Unverified: written about the product, here.
    Documented(&'static str),
}

impl Fingerprint {
    /// The body first: there may be many headers.
    fn holds(&self, seen: PeekedResponse<'_>) -> bool {
        let all = |of_body: bool| {
            let matchers = self.matchers.iter().filter(|matcher| matcher.of_body() == of_body);
            { matchers }.all(|matcher| matcher.holds(seen))
        };
        all(true) && all(false)
    }

    fn is_of(&self, status: StatusCode) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status.as_u16())
    }
}

/// The row that the head alone is enough for.
pub(super) fn by_head(
    status: StatusCode,
    seen: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let rows = proxies::BY_HEAD.iter().chain(reasons::BY_HEAD).chain(clouds::BY_HEAD);
    let rows = rows.chain(relays::BY_HEAD);
    rows.filter(|row| row.is_of(status)).find(|row| row.holds(seen))
}

/// The row that what was read of the body is enough for.
///
/// Unless that is the whole of it, a row is taken only if no earlier one of the same reporter may yet hold: so a page that
/// comes in pieces is read like one that comes whole, and of one that breaks off nothing else is said.
pub(super) fn by_body(
    status: StatusCode,
    seen: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let tables = || {
        let rows = proxies::BY_BODY.iter().chain(reasons::BY_BODY).chain(clouds::BY_BODY);
        let rows = rows.chain(apis::BY_BODY).chain(servers::BY_BODY).chain(relays::BY_BODY);
        rows.filter(|row| row.is_of(status))
    };
    let (at, row) = tables().enumerate().find(|(_, row)| row.holds(seen))?;
    let final_now =
        seen.whole || !tables().take(at).any(|earlier| earlier.reporter == row.reporter);
    final_now.then_some(row)
}

/// What is said of an answer that is in neither, once no more of its body will be read.
pub(super) fn by_nothing(
    status: StatusCode,
    seen: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    last::ROWS.iter().filter(|row| row.is_of(status)).find(|row| row.holds(seen))
}

const fn gateway(product: Product) -> Reporter {
    Reporter::Gateway(product)
}

const fn row(
    reporter: Reporter,
    statuses: &'static [u16],
    matchers: &'static [Matcher],
    cause: Cause,
    processed: Processed,
    note: &'static str,
    source: Source,
) -> Fingerprint {
    Fingerprint { reporter, statuses, matchers, cause: Some(cause), processed, note, source }
}
