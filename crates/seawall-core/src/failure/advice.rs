//! The next troubleshooting steps for each cause.

use super::Cause;

const NEVER_SENT: &str = "A retry is safe if this process observed the failure, because nothing was sent. If a gateway reported it, retry only an idempotent request.";
const MAYBE_PROCESSED: &str =
    "Retry only an idempotent request, because this one may have been processed.";
const SAME_RESULT: &str = "Do not retry the request unchanged: the result would be the same.";
const AFTER_WAITING: &str =
    "Before a retry, wait as long as the response requests. Never retry in a loop.";

/// Declares, for each cause, the advice and then the checks.
macro_rules! advice {
    ($($cause:ident: $advice:literal, [$($check:expr),* $(,)?];)*) => {
        impl Cause {
            /// Returns the most useful next step, as one sentence for people.
            ///
            /// [`checks`](Self::checks) returns the details.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$cause => $advice,)*
                }
            }

            /// Returns two to five steps for people.
            ///
            /// They check, in this order: the server, the network, the configuration, the
            /// resources, a request by hand, and the logs. The last step states whether a retry is
            /// safe.
            ///
            /// The text is ASCII. Commands are between backticks, and contain the placeholders
            /// `HOST`, `PORT`, `URL` and `ADDRESS` (an IP address).
            #[must_use]
            pub const fn checks(self) -> &'static [&'static str] {
                match self {
                    $(Self::$cause => &[$($check),*],)*
                }
            }
        }
    };
}

advice! {
    DnsTimeout: "Check that the DNS resolver is reachable from this host.", [
        "Check that UDP and TCP port 53 are open from this host to the resolver.",
        "Check which resolver this host uses: `cat /etc/resolv.conf`.",
        "Query the resolver directly: `dig HOST`.",
        NEVER_SENT,
    ];
    DnsError: "Check that the upstream's host name is spelled correctly and resolves from this host.", [
        "Compare the host name in the client's configuration with the DNS record.",
        "Check that the DNS record still exists and has not expired.",
        "Resolve the name from this host: `dig HOST` and `getent hosts HOST`.",
        NEVER_SENT,
    ];
    DestinationNotFound: "Check the gateway's routes: none matches this host and path.", [
        "Compare the request's host and path with the gateway's routes.",
        "Check that the gateway has loaded its latest configuration.",
        "Reproduce the failure: `curl -v URL`.",
        SAME_RESULT,
    ];
    DestinationUnavailable: "Check that the upstream is running and passes its health check.", [
        "Check the state of the upstream: `systemctl status`, `docker ps` or `kubectl get pods`.",
        "Check the path, port and timeout of the health check.",
        "Send the health check request by hand, from the gateway's host.",
        "Read the gateway's log to find why it considers the upstream unavailable.",
        AFTER_WAITING,
    ];
    DestinationIpProhibited: "Check the firewall rules and egress policies for the upstream's address.", [
        "Find the upstream's address: `dig HOST`.",
        "Check that egress policies and allowlists include this address.",
        SAME_RESULT,
    ];
    DestinationIpUnroutable: "Check the network between this host and the upstream: routes, security groups and VPNs.", [
        "Check the route from this host: `ip route get ADDRESS`.",
        "Check that the VPN, peering or tunnel to that network is up.",
        "Check that the upstream's name resolves to the right address: `dig HOST`.",
        NEVER_SENT,
    ];
    ConnectionRefused: "Check that the upstream is running and listening on this address and port.", [
        "List the listening ports on the upstream's host: `ss -ltnp`.",
        "Check that the upstream listens on an address that the client can reach, not only on 127.0.0.1.",
        "Check the host and port in the client's configuration.",
        NEVER_SENT,
    ];
    ConnectionTerminated: "Check the upstream's log for a crash or restart at this time, and check its keep-alive timeout.", [
        "Look for a crash or an out-of-memory kill on the upstream's host: `dmesg`.",
        "Check that the upstream's keep-alive timeout is longer than the idle timeout of the client's connections.",
        "Reproduce the failure: `curl -v URL`.",
        MAYBE_PROCESSED,
    ];
    ConnectionTimeout: "Check the upstream's address, and check that no firewall silently drops packets to it.", [
        "Check that the upstream's host is running.",
        "Connect to the port from this host: `nc -vz HOST PORT`. The command hangs if a firewall drops the packets.",
        "Check the host and port in the client's configuration.",
        "Check for a full accept queue: run `ss -ltn` on the upstream's host, and read the column Recv-Q.",
        NEVER_SENT,
    ];
    ConnectionReadTimeout: "Check whether the upstream is overloaded, or is itself waiting, for example for a database.", [
        "Check the upstream's load, database queries and locks.",
        "Measure the request: `curl -sv -o /dev/null -w '%{time_total}' URL`.",
        "Search the upstream's log for slow requests at this time.",
        MAYBE_PROCESSED,
    ];
    ConnectionWriteTimeout: "Check whether the upstream is too busy to read, or the network drops packets.", [
        "Look for lost packets: `ss -ti` reports them as retrans.",
        "Check the upstream's load.",
        "Check whether the request body is larger than the upstream expects.",
        MAYBE_PROCESSED,
    ];
    ConnectionLimitReached: "Check whether the upstream has become slow, then whether the limit is too low for the load.", [
        "Check the upstream's response times: slow requests fill any limit.",
        "Count the connections to the upstream: `ss -tn dst HOST`.",
        "Compare the limit with the number of requests in flight under normal load.",
        AFTER_WAITING,
    ];
    TlsProtocolError: "Check that the upstream serves TLS on this port, with a version and cipher that the client supports.", [
        "If the port serves plain HTTP, use the scheme http.",
        "Compare the TLS versions and ciphers of both sides.",
        "Inspect the handshake: `openssl s_client -connect HOST:PORT -servername HOST`.",
        MAYBE_PROCESSED,
    ];
    TlsCertificateError: "Check the upstream's certificate: its dates, host names and issuer.", [
        "Compare the dates with this host's clock: `date -u`.",
        "Check that the names include the requested host, and that the chain is complete.",
        "Check that this host trusts the issuer.",
        "Print the certificate: `openssl s_client -connect HOST:PORT -servername HOST`.",
        NEVER_SENT,
    ];
    TlsAlertReceived: "Check whether the upstream requires a client certificate or another host name.", [
        "Inspect the alert: `openssl s_client -connect HOST:PORT -servername HOST`.",
        "Read the upstream's TLS log.",
        MAYBE_PROCESSED,
    ];
    HttpRequestError: "Check the request: the gateway could not send it unchanged.", [
        "Check that HTTP allows the request's method, target and headers.",
        "Reproduce the failure: `curl -v URL`.",
        SAME_RESULT,
    ];
    HttpRequestDenied: "Check the gateway's access rules and web application firewall for this request.", [
        "Check the access rules for this path, method and client address.",
        "Search the log of the web application firewall for the rule that matched.",
        SAME_RESULT,
    ];
    HttpResponseIncomplete: "Check the upstream's log for a crash or a killed worker during the response.", [
        "Look for a crash on the upstream's host: `dmesg`.",
        "Check the timeouts of all gateways between this host and the upstream.",
        "Check the time and memory limits of the upstream's workers.",
        "Find the point at which the response ends: `curl -v -o /dev/null URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseHeaderSectionSize: "Find the large response headers of the upstream, which are most often cookies.", [
        "If the headers need this size, raise the limit.",
        "List the headers: `curl -s -D - -o /dev/null URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseHeaderSize: "Find the large response header of the upstream, which is most often a cookie.", [
        "If the header needs this size, raise the limit.",
        "List the headers: `curl -s -D - -o /dev/null URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseBodySize: "Check whether the response body is meant to be this large.", [
        "If the body needs this size, raise the limit.",
        "Measure the body: `curl -s -o /dev/null -w '%{size_download}' URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTrailerSectionSize: "Check whether the upstream's trailers are meant to be this large.", [
        "If the trailers need this size, raise the limit.",
        "List the trailers that the upstream sends.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTrailerSize: "Check whether the upstream's largest trailer is meant to be this large.", [
        "If the trailer needs this size, raise the limit.",
        "List the trailers that the upstream sends.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTransferCoding: "Check the proxies between this host and the upstream: one may corrupt chunked responses.", [
        "Check that either the framework or the handler sets Transfer-Encoding, not both.",
        "Send the request directly to the upstream: `curl -v --raw URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseContentCoding: "Check that the upstream compresses the response once, with the coding in Content-Encoding.", [
        "Check that only one hop compresses: the upstream or one of the gateways.",
        "Compare Content-Encoding with the bytes: `curl -s -H 'accept-encoding: gzip, br' -D /dev/stderr URL | file -`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTimeout: "Check why the upstream is slow, then whether the timeout suits this request.", [
        "Check that the timeout is shorter than that of every gateway in front.",
        "Check the upstream's load, database queries and locks.",
        "Measure the request: `curl -sv -o /dev/null -w '%{time_total}' URL`.",
        "Search the upstream's log for this request, which may still be running; if it is missing, set HTTP/2 pings on the client.",
        MAYBE_PROCESSED,
    ];
    HttpUpgradeFailed: "Check that the upstream and all gateways allow the upgrade, for example to WebSocket.", [
        "Check that every gateway forwards the headers Connection and Upgrade.",
        "Send the upgrade request to the upstream: `curl -v --http1.1 -H 'connection: upgrade' -H 'upgrade: websocket' -H 'sec-websocket-version: 13' -H 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==' URL`.",
        SAME_RESULT,
    ];
    HttpProtocolError: "Check that this port serves HTTP, with the scheme and HTTP version that the client uses.", [
        "Check the port in the client's configuration.",
        "Use the scheme https if the port serves TLS, and http if it does not.",
        "Try both HTTP versions: `curl -v --http1.1 URL` and `curl -v --http2-prior-knowledge URL`.",
        "Read the raw bytes: `nc HOST PORT`.",
        MAYBE_PROCESSED,
    ];
    ProxyInternalResponse: "Find the rule in the gateway's configuration that generates this response.", [
        "Search the gateway's log for this request.",
        SAME_RESULT,
    ];
    ProxyInternalError: "Check the gateway's log, and the resources of its host.", [
        "Check the gateway's memory, disk and file descriptors: `free -m`, `df -h` and `ulimit -n`.",
        "Check that the gateway has free local ports: `ss -s`.",
        MAYBE_PROCESSED,
    ];
    ProxyConfigurationError: "Check the gateway's configuration, starting with the latest change.", [
        "Validate the configuration, for example with `nginx -t`.",
        "Read the log of the gateway's last start or reload.",
        SAME_RESULT,
    ];
    ProxyLoopDetected: "Check the gateways' routes: one of them leads back to an earlier gateway.", [
        "Check whether the upstream's name resolves to a gateway: `dig HOST`.",
        "Read the headers Via and Proxy-Status, which list the gateways: `curl -v URL`.",
        SAME_RESULT,
    ];

    RateLimited: "Send fewer requests or request a higher quota.", [
        "Check which other clients use the same quota.",
        "Check how many of your requests are retries.",
        "Read the quota in the response headers: `curl -s -D - -o /dev/null URL`.",
        AFTER_WAITING,
    ];
    Overloaded: "Check the upstream's load, and whether it is in maintenance.", [
        "Check whether the upstream is starting or stopping.",
        "Check the upstream's CPU, memory, workers and database connections.",
        "Read the logs of the upstream and of the gateway to find which of them responded.",
        AFTER_WAITING,
    ];
    OriginError: "Read the upstream's log for this request: the upstream received it and failed.", [
        "Check the latest deployment of the upstream.",
        "Reproduce the failure: `curl -v URL`.",
        MAYBE_PROCESSED,
    ];
    BadGateway: "Read the log of the gateway that responded: it received no valid response from the next hop.", [
        "Check that the next hop is running and listening: run `ss -ltnp` on its host.",
        "Check the next hop's address, port and scheme in the gateway's configuration.",
        "Identify the gateway by the headers Server, Via and Proxy-Status: `curl -v URL`.",
        MAYBE_PROCESSED,
    ];
    GatewayTimeout: "Read the log of the gateway that responded, to find whether the next hop was slow to connect or to respond.", [
        "Check that the next hop is running, and that no firewall drops packets to it.",
        "Compare the gateway's timeouts with the normal duration of the request.",
        "Identify the gateway by its headers, and measure its timeout: `curl -v -w '%{time_total}' URL`.",
        MAYBE_PROCESSED,
    ];
    CircuitOpen: "Find the failures that opened the circuit.", [
        "Check that the upstream is running: the circuit closes when its probes succeed.",
        "Read the cause of the failures in the log or in the error.",
        "A retry is safe, because nothing was sent, but fails until the circuit admits requests.",
    ];
    Cancelled: "Find out why the request was cancelled: by its caller or by a shutdown.", [
        "Check whether this process or the upstream was shutting down.",
        "Check whether the caller's timeout is shorter than the request takes.",
        MAYBE_PROCESSED,
    ];
    RequestTimeout: "Check the network to the upstream, and how fast the client sends the request body.", [
        "Look for lost packets: `ss -ti` reports them as retrans.",
        "Check that the client closes idle connections before the server does.",
        "Check how fast the client generates the request body.",
        MAYBE_PROCESSED,
    ];
    Conflict: "Fetch the current state of the resource before you send the request again.", [
        "Check which other clients change the resource at the same time.",
        "Read the resource: `curl -v URL`.",
        SAME_RESULT,
    ];
    ClientError: "Check the request: its target, headers, credentials and body.", [
        "Compare the request with the API that the server expects.",
        "Reproduce the failure and read the response body: `curl -v URL`.",
        SAME_RESULT,
    ];
    Unknown: "Read the error message, and the log of each hop at this time.", [
        "Check that the upstream is running and reachable: `curl -v URL`.",
        "If the error comes from hyper, h2, rustls, reqwest or tonic, enable seawall's feature of that name to classify it.",
        MAYBE_PROCESSED,
    ];
}
