//! Azure: Application Gateway and Front Door.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, GatewayTimeout, HttpProtocolError, Overloaded},
        Processed::Maybe,
        Product::Azure,
    },
    fingerprint::matcher::Matcher::{BodyContains, HeaderPresent},
};

const FRONT_DOOR: Reference =
    Reference::Documented("https://learn.microsoft.com/azure/frontdoor/troubleshoot-issues");
const APP_GATEWAY: Reference = Reference::Documented(
    "https://learn.microsoft.com/azure/application-gateway/application-gateway-troubleshooting-502",
);

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Azure), &[502], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], BadGateway, Maybe, "Application Gateway received no valid response: check security groups, health probes, TLS and timeouts", APP_GATEWAY),
    fingerprint(gateway(Azure), &[503], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], Overloaded, Maybe, "Application Gateway cannot serve requests now", APP_GATEWAY),
    fingerprint(gateway(Azure), &[504], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], GatewayTimeout, Maybe, "the backend did not respond before Application Gateway's timeout", APP_GATEWAY),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("OriginTimeout")], GatewayTimeout, Maybe, "the origin did not respond before Front Door's timeout", FRONT_DOOR),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("OriginInvalidResponse")], HttpProtocolError, Maybe, "Front Door received an invalid response from the origin", FRONT_DOOR),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("Our services aren't available right now")], BadGateway, Maybe, "Front Door received no valid response", FRONT_DOOR),
];
