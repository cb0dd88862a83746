//! nginx and ingress-nginx.

use super::{Fingerprint, Reference, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, HttpResponseTimeout, Overloaded, RateLimited},
        Processed::{Maybe, Unlikely},
        Product::Nginx,
    },
    fingerprint::matcher::Matcher::BodyContains,
};

const NGINX: Reference = Reference::Recorded("nginx 1.22.1");

pub(super) static BY_BODY: &[Fingerprint] = &[
    // The footer identifies nginx. `Server: nginx` does not, because relayed responses have it too.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[502],
        matchers: &[
            BodyContains("<center><h1>502 Bad Gateway</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "nginx received no valid response (connection refused or closed, DNS or TLS failure, or response headers invalid or too large); its error log has the reason",
        reference: NGINX,
    },
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[504],
        matchers: &[
            BodyContains("<center><h1>504 Gateway Time-out</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        summary: "nginx timed out while it connected or waited for the response; the page is the same for both",
        reference: NGINX,
    },
    // The cause is not always a rate limit: ingress-nginx returns the same page for a service
    // without endpoints.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[503],
        matchers: &[
            BodyContains("<center><h1>503 Service Temporarily Unavailable</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(Overloaded),
        processed: Maybe,
        summary: "nginx generated this response: by limit_req, limit_conn, `return 503` or an error page that replaces the origin's, or in ingress-nginx for a service without endpoints",
        reference: NGINX,
    },
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[429],
        matchers: &[
            BodyContains("<center><h1>429 Too Many Requests</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(RateLimited),
        processed: Unlikely,
        summary: "nginx generated this response: limit_req or limit_conn is configured with this status",
        reference: Reference::Documented(
            "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
        ),
    },
];
