use std::fmt;

/// The party that reports a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reporter {
    /// This process, which received no response.
    Local,
    /// A gateway that generated the response.
    Gateway(Product),
    /// The origin that generated the response.
    Origin,
    /// Unknown, for a response that does not identify its sender.
    Unknown,
}

impl Reporter {
    /// Returns the name used in logs and metrics: `local`, `origin`, `unknown`, or the gateway's [`Product`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Gateway(product) => product.as_str(),
            Self::Origin => "origin",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! products {
    ($($variant:ident = $name:literal,)*) => {
        /// A gateway, load balancer or content delivery network that generates responses of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Product {
            $(#[doc = concat!($name, ".")] $variant,)*
        }

        impl Product {
            /// Every product, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the product's own spelling of its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

products! {
    Nginx = "nginx",
    HaProxy = "HAProxy",
    Apache = "Apache",
    Envoy = "Envoy",
    Varnish = "Varnish",
    Squid = "Squid",
    Caddy = "Caddy",
    Lighttpd = "lighttpd",
    Traefik = "Traefik",
    AwsAlb = "AWS ALB",
    CloudFront = "CloudFront",
    ApiGateway = "API Gateway",
    Cloudflare = "Cloudflare",
    Google = "Google Front End",
    Azure = "Azure",
    Fastly = "Fastly",
    Akamai = "Akamai",
    Heroku = "Heroku",
    Kong = "Kong",
    TrafficServer = "Apache Traffic Server",
    H2o = "h2o",
    Nghttpx = "nghttpx",
    Tinyproxy = "tinyproxy",
    Privoxy = "Privoxy",
    Mitmproxy = "mitmproxy",
    Fastify = "@fastify/http-proxy",
    Hapi = "@hapi/h2o2",
    HttpProxyMiddleware = "http-proxy-middleware",
    ExpressHttpProxy = "express-http-proxy",
    ConfigurableHttpProxy = "configurable-http-proxy",
    Apisix = "Apache APISIX",
    Vercel = "Vercel",
    Other = "another gateway",
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
