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
    // The footer identifies nginx. `Server: nginx` does not, since relayed responses have it too.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[502],
        matchers: &[
            BodyContains("<center><h1>502 Bad Gateway</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "nginx got no valid response: the connection was refused or closed, the name or TLS failed, or the response's head was broken or too large; its error log says which",
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
        summary: "nginx waited too long, for a response or already for a connection: it answers the same to both",
        reference: NGINX,
    },
    // Not always a rate limit: ingress-nginx returns the same page for a service without endpoints.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[503],
        matchers: &[
            BodyContains("<center><h1>503 Service Temporarily Unavailable</h1></center>"),
            BodyContains("<hr><center>nginx"),
        ],
        cause: Some(Overloaded),
        processed: Maybe,
        summary: "nginx made this answer itself: limit_req or limit_conn, a `return 503`, an error page in place of the origin's, or in ingress-nginx a service without endpoints",
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
        summary: "nginx made this answer itself: limit_req or limit_conn with that status",
        reference: Reference::Documented(
            "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
        ),
    },
];
