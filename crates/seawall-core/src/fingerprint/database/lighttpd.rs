//! lighttpd with `mod_proxy`.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DestinationUnavailable, HttpResponseTimeout},
        Processed::{Maybe, Unlikely},
        Product::Lighttpd,
    },
    fingerprint::matcher::Matcher::{self, BodyPrefix},
};

const LIGHTTPD: Reference = Reference::Recorded("lighttpd 1.4.69");

/// The first lines of the page are the same for every status.
const ERROR_PAGE: Matcher = BodyPrefix(
    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>",
);

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Lighttpd), &[503], &[ERROR_PAGE], DestinationUnavailable, Unlikely, "lighttpd could not reach an upstream: the connection was refused or timed out, or the upstream is disabled after a failure", LIGHTTPD),
    fingerprint(gateway(Lighttpd), &[500], &[ERROR_PAGE], BadGateway, Maybe, "lighttpd sent the request, and the connection was closed before the response headers were received", LIGHTTPD),
    fingerprint(gateway(Lighttpd), &[502], &[ERROR_PAGE], BadGateway, Maybe, "the upstream's response to lighttpd was not HTTP, or its headers were too large", LIGHTTPD),
    fingerprint(gateway(Lighttpd), &[504], &[ERROR_PAGE], HttpResponseTimeout, Maybe, "lighttpd sent the request, and received no response before its timeout", LIGHTTPD),
];
