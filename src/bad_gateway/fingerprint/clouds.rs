//! Load balancers, content delivery networks and platforms that cannot be run here. Unverified: each row is what the
//! page named beside it says, or an answer quoted there.

use super::{Fingerprint, Source, gateway, row};
use crate::{
    bad_gateway::matcher::Matcher::{self, Begins, BodyHolds, Has, Is, JsonHolds},
    failure::{
        Cause::{
            BadGateway, ConnectionLimitReached, ConnectionRefused, ConnectionTerminated,
            ConnectionTimeout, DestinationIpUnroutable, DestinationUnavailable, DnsError,
            GatewayTimeout, HttpProtocolError, HttpResponseTimeout, Overloaded, ProxyInternalError,
            RateLimited, TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::{
            Akamai, ApiGateway, AwsAlb, Azure, CloudFront, Cloudflare, Fastly, Google, Heroku,
            Vercel,
        },
    },
};

const ALB: Source = Source::Documented(
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
);
const API: Source = Source::Documented(
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html",
);
const FRONT: Source = Source::Documented(
    "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html",
);
const FLARE: Source = Source::Documented(
    "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/",
);
const FLARE_1XXX: Source = Source::Documented(
    "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/",
);
const GOOGLE: Source = Source::Documented(
    "https://cloud.google.com/load-balancing/docs/https/troubleshooting-ext-https-lbs",
);
const AZURE: Source =
    Source::Documented("https://learn.microsoft.com/azure/frontdoor/troubleshoot-issues");
const APP_GATEWAY: Source = Source::Documented(
    "https://learn.microsoft.com/azure/application-gateway/application-gateway-troubleshooting-502",
);
const FASTLY: Source =
    Source::Documented("https://www.fastly.com/documentation/guides/vcl/errors/");
const AKAMAI: Source =
    Source::Documented("https://techdocs.akamai.com/edge-diagnostics/docs/error-codes");
const HEROKU: Source = Source::Documented("https://devcenter.heroku.com/articles/error-codes");
const VERCEL: Source = Source::Documented("https://vercel.com/docs/errors");

// What it relays keeps the origin's `Server`, so here the header tells who answered.
const OF_ALB: &[Matcher] = &[Is("server", "awselb/2.0")];
// On all that passes; the status is Cloudflare's own.
const OF_CLOUDFLARE: &[Matcher] = &[Has("cf-ray")];

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    row(gateway(AwsAlb), &[502], OF_ALB, BadGateway, Maybe, "the load balancer got no valid response: reset, closed, malformed, or TLS failed", ALB),
    row(gateway(AwsAlb), &[503], OF_ALB, DestinationUnavailable, Unlikely, "the target group has no registered targets, or a rule of the load balancer answers so", ALB),
    row(gateway(AwsAlb), &[504], OF_ALB, GatewayTimeout, Maybe, "a target took too long, to accept a connection (10 s) or to respond (idle timeout)", ALB),
    row(gateway(AwsAlb), &[500], OF_ALB, ProxyInternalError, Maybe, "the load balancer's own error: a rule, its firewall or authentication", ALB),
    row(gateway(ApiGateway), &[429], &[Has("x-amz-apigw-id"), Begins("x-amzn-errortype", "TooManyRequestsException")], RateLimited, Unlikely, "API Gateway throttled the request", API),
    row(gateway(ApiGateway), &[429], &[Has("x-amz-apigw-id"), Begins("x-amzn-errortype", "LimitExceededException")], RateLimited, Unlikely, "the usage plan's quota is spent", API),
    row(gateway(Cloudflare), &[520], OF_CLOUDFLARE, BadGateway, Maybe, "the origin's answer was empty, broken or too large for Cloudflare", FLARE),
    row(gateway(Cloudflare), &[521], OF_CLOUDFLARE, ConnectionRefused, Unlikely, "the origin refused Cloudflare's connection", FLARE),
    // Also if the connection was made, and the request was then not acknowledged.
    row(gateway(Cloudflare), &[522], OF_CLOUDFLARE, ConnectionTimeout, Maybe, "Cloudflare's connection to the origin timed out", FLARE),
    row(gateway(Cloudflare), &[523], OF_CLOUDFLARE, DestinationIpUnroutable, Unlikely, "Cloudflare found no route to the origin", FLARE),
    row(gateway(Cloudflare), &[524], OF_CLOUDFLARE, HttpResponseTimeout, Maybe, "Cloudflare sent the request and the origin took too long to respond", FLARE),
    row(gateway(Cloudflare), &[525], OF_CLOUDFLARE, TlsProtocolError, Unlikely, "Cloudflare's TLS handshake with the origin failed", FLARE),
    row(gateway(Cloudflare), &[526], OF_CLOUDFLARE, TlsCertificateError, Unlikely, "Cloudflare did not accept the origin's certificate", FLARE),
    row(gateway(Cloudflare), &[527], OF_CLOUDFLARE, ConnectionTerminated, Maybe, "the connection between Cloudflare and the origin's Railgun failed", FLARE),
    row(gateway(Vercel), &[502], &[Begins("x-vercel-error", "DNS_HOSTNAME_")], DnsError, Unlikely, "Vercel could not resolve the name of what the request is rewritten to", VERCEL),
    row(gateway(Vercel), &[504], &[Begins("x-vercel-error", "FUNCTION_INVOCATION_TIMEOUT")], HttpResponseTimeout, Maybe, "the function took longer than it may", VERCEL),
    row(gateway(Vercel), &[503], &[Begins("x-vercel-error", "FUNCTION_THROTTLED")], ConnectionLimitReached, Unlikely, "the function's limit of concurrent calls is reached", VERCEL),
    row(gateway(Vercel), &[502], &[Has("x-vercel-error")], BadGateway, Maybe, "Vercel got no valid response, from a function or from what the request is rewritten to", VERCEL),
];

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    row(gateway(ApiGateway), &[502], &[Has("x-amz-apigw-id"), JsonHolds("Internal server error")], BadGateway, Maybe, "the integration failed, or answered something that API Gateway cannot use", API),
    row(gateway(ApiGateway), &[504], &[Has("x-amz-apigw-id"), JsonHolds("\"Endpoint request timed out\"")], HttpResponseTimeout, Maybe, "the integration took longer than API Gateway waits", API),
    row(gateway(ApiGateway), &[504], &[Has("x-amz-apigw-id"), JsonHolds("\"Network error communicating with endpoint\"")], GatewayTimeout, Maybe, "API Gateway could not reach the integration, or lost it", API),
    row(gateway(CloudFront), &[502, 503, 504], &[Is("server", "CloudFront"), BodyHolds("Generated by cloudfront"), BodyHolds("Lambda")], BadGateway, Maybe, "a function at CloudFront's edge failed", FRONT),
    row(gateway(CloudFront), &[502], &[Is("server", "CloudFront"), BodyHolds("Generated by cloudfront")], BadGateway, Maybe, "CloudFront could not connect to the origin, or got no valid response: name, TLS, port, or closed", FRONT),
    row(gateway(CloudFront), &[503], &[Is("server", "CloudFront"), BodyHolds("Generated by cloudfront")], Overloaded, Maybe, "CloudFront cannot serve now: its own capacity, or the origin's", FRONT),
    row(gateway(CloudFront), &[504], &[Is("server", "CloudFront"), BodyHolds("Generated by cloudfront")], GatewayTimeout, Maybe, "the origin took too long, to accept a connection or to respond", FRONT),
    row(gateway(Cloudflare), &[530], &[Has("cf-ray"), BodyHolds("error code: 1016")], DnsError, Unlikely, "Cloudflare could not resolve the origin's name", FLARE_1XXX),
    row(gateway(Cloudflare), &[502, 503], &[Has("cf-ray"), BodyHolds("<hr><center>cloudflare")], BadGateway, Maybe, "Cloudflare itself, or its connection to the origin, failed", FLARE),
    row(gateway(Cloudflare), &[502], &[Has("cf-ray"), BodyHolds("id=\"cf-wrapper\"")], BadGateway, Maybe, "Cloudflare itself, or its connection to the origin, failed", FLARE),
    row(gateway(Cloudflare), &[504], &[Has("cf-ray"), BodyHolds("<hr><center>cloudflare")], GatewayTimeout, Maybe, "the origin took too long for Cloudflare", FLARE),
    row(gateway(Cloudflare), &[504], &[Has("cf-ray"), BodyHolds("id=\"cf-wrapper\"")], GatewayTimeout, Maybe, "the origin took too long for Cloudflare", FLARE),
    row(gateway(Cloudflare), &[429], &[Has("cf-ray"), BodyHolds("error code: 1015")], RateLimited, Unlikely, "a rate limiting rule at Cloudflare", FLARE_1XXX),
    row(gateway(Google), &[502], &[BodyHolds("<title>502 Server Error</title>"), BodyHolds("The server encountered a temporary error and could not complete your request.")], BadGateway, Maybe, "Google's load balancer got no valid response; `statusDetails` in its log says why", GOOGLE),
    row(gateway(Google), &[502], &[Begins("via", "1.1 google"), BodyHolds("<title>Error 502 (Server Error)!!1</title>")], BadGateway, Maybe, "Google's front end got no valid response", GOOGLE),
    row(gateway(Azure), &[502], &[BodyHolds("<center>Microsoft-Azure-Application-Gateway/")], BadGateway, Maybe, "Application Gateway got no valid response: a security group, a health probe, TLS or a timeout", APP_GATEWAY),
    row(gateway(Azure), &[503], &[BodyHolds("<center>Microsoft-Azure-Application-Gateway/")], Overloaded, Maybe, "Application Gateway cannot serve now", APP_GATEWAY),
    row(gateway(Azure), &[504], &[BodyHolds("<center>Microsoft-Azure-Application-Gateway/")], GatewayTimeout, Maybe, "the backend took longer than Application Gateway waits", APP_GATEWAY),
    row(gateway(Azure), &[502, 503, 504], &[Has("x-azure-ref"), BodyHolds("OriginTimeout")], GatewayTimeout, Maybe, "the origin took too long for Front Door", AZURE),
    row(gateway(Azure), &[502, 503, 504], &[Has("x-azure-ref"), BodyHolds("OriginInvalidResponse")], HttpProtocolError, Maybe, "Front Door cannot use what the origin answered", AZURE),
    row(gateway(Azure), &[502, 503, 504], &[Has("x-azure-ref"), BodyHolds("Our services aren't available right now")], BadGateway, Maybe, "Front Door got no valid response", AZURE),
    row(gateway(Fastly), &[503], &[Begins("x-served-by", "cache-"), BodyHolds("Guru Mediation"), BodyHolds("Details: cache-")], BadGateway, Maybe, "Fastly got no response from the origin; over HTTP/1.1 its reason phrase says why", FASTLY),
    row(gateway(Fastly), &[503], &[Begins("x-served-by", "cache-"), BodyHolds("Guru Meditation"), BodyHolds("Details: cache-")], BadGateway, Maybe, "Fastly got no response from the origin; over HTTP/1.1 its reason phrase says why", FASTLY),
    row(gateway(Akamai), &[503], &[Is("server", "AkamaiGHost"), BodyHolds("DNS failure")], DnsError, Unlikely, "Akamai could not resolve the origin's name", AKAMAI),
    row(gateway(Akamai), &[500, 502, 503], &[Is("server", "AkamaiGHost"), BodyHolds("Reference&#32;&#35;")], BadGateway, Maybe, "Akamai's own page; its reference number can be looked up", AKAMAI),
    row(gateway(Akamai), &[504], &[Is("server", "AkamaiGHost"), BodyHolds("Reference&#32;&#35;")], GatewayTimeout, Maybe, "the origin took too long for Akamai; the reference number can be looked up", AKAMAI),
    row(gateway(Heroku), &[503], &[BodyHolds("herokucdn.com/error-pages/maintenance-mode.html")], Overloaded, Unlikely, "the application is in maintenance mode", HEROKU),
    row(gateway(Heroku), &[503], &[BodyHolds("herokucdn.com/error-pages/")], Overloaded, Maybe, "Heroku's router got no response: a timeout, a crash or no dyno; the H code in its log says which", HEROKU),
];
