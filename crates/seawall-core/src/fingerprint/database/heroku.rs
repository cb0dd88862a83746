//! Heroku.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::Overloaded,
        Processed::{Maybe, Unlikely},
        Product::Heroku,
    },
    fingerprint::matcher::Matcher::BodyContains,
};

const HEROKU: Reference =
    Reference::Documented("https://devcenter.heroku.com/articles/error-codes");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Heroku), &[503], &[BodyContains("herokucdn.com/error-pages/maintenance-mode.html")], Overloaded, Unlikely, "the application is in maintenance mode", HEROKU),
    fingerprint(gateway(Heroku), &[503], &[BodyContains("herokucdn.com/error-pages/")], Overloaded, Maybe, "Heroku's router received no response (timeout, crash or no dyno); the H code in its log has the reason", HEROKU),
];
