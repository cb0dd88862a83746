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

const AZURE: Reference =
    Reference::Documented("https://learn.microsoft.com/azure/frontdoor/troubleshoot-issues");
const APP_GATEWAY: Reference = Reference::Documented(
    "https://learn.microsoft.com/azure/application-gateway/application-gateway-troubleshooting-502",
);

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Azure), &[502], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], BadGateway, Maybe, "Application Gateway got no valid response: a security group, a health probe, TLS or a timeout", APP_GATEWAY),
    fingerprint(gateway(Azure), &[503], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], Overloaded, Maybe, "Application Gateway cannot serve now", APP_GATEWAY),
    fingerprint(gateway(Azure), &[504], &[BodyContains("<center>Microsoft-Azure-Application-Gateway/")], GatewayTimeout, Maybe, "the backend took longer than Application Gateway waits", APP_GATEWAY),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("OriginTimeout")], GatewayTimeout, Maybe, "the origin took too long for Front Door", AZURE),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("OriginInvalidResponse")], HttpProtocolError, Maybe, "Front Door cannot use what the origin answered", AZURE),
    fingerprint(gateway(Azure), &[502, 503, 504], &[HeaderPresent("x-azure-ref"), BodyContains("Our services aren't available right now")], BadGateway, Maybe, "Front Door got no valid response", AZURE),
];
