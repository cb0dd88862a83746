//! The next troubleshooting steps for each cause.

use super::Cause;

const NEVER_SENT: &str = "Retrying is safe if this process saw the failure, since nothing was sent; on a gateway's word, only if the request is idempotent.";
const MAYBE_PROCESSED: &str =
    "Retry only what is idempotent: this request may have been processed.";
const USELESS: &str = "Do not retry it unchanged: the same would happen again.";
const AFTER_WAITING: &str = "Retry after the wait that the response names, and never in a loop.";

/// Declares the best next step for each cause, and then all steps in this order: the server is up, the network is open, the
/// configuration is right, resources suffice, a request by hand reproduces it, the logs, whether a retry is safe.
macro_rules! advice {
    ($($cause:ident: $advice:literal, [$($check:expr),* $(,)?];)*) => {
        impl Cause {
            /// Returns the first step of one sentence for a person. [`checks`](Self::checks) returns all steps.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$cause => $advice,)*
                }
            }

            /// Returns two to five steps for a person, in this order: the server is up, the network is open, the
            /// configuration is right, resources suffice, a request by hand reproduces it, the logs; and finally whether a retry is
            /// safe.
            ///
            /// Commands are between backticks and contain the placeholders `HOST`, `PORT` and `URL`. The text is ASCII.
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
    DnsTimeout: "Check that the resolver is reachable from this host.", [
        "Ask the resolver by hand: `dig HOST`.",
        "Check that UDP and TCP port 53 are open from here to the resolver.",
        "Check which resolver is used: `cat /etc/resolv.conf`.",
        NEVER_SENT,
    ];
    DnsError: "Check the upstream's host name for a typing error, and that its DNS record exists and resolves from this host.", [
        "Check the host name in the configuration, letter by letter.",
        "Resolve it from this host: `dig HOST`, and `getent hosts HOST`.",
        "Check that its record has not been removed or has expired.",
        NEVER_SENT,
    ];
    DestinationNotFound: "Check the gateway's routes: none leads to an upstream for this host and path.", [
        "Compare host and path of the request with the gateway's routes.",
        "Check that the gateway runs the configuration you mean: reload it if it changed.",
        "Repeat it by hand: `curl -v URL`.",
        USELESS,
    ];
    DestinationUnavailable: "Check that the upstream is running and that its health check passes.", [
        "Check that the upstream is running: `systemctl status`, `docker ps` or `kubectl get pods`.",
        "Run its health check by hand: `curl -v URL`.",
        "Check that the health check's path, port and time limit are right.",
        "Read the gateway's log for why it was taken out.",
        AFTER_WAITING,
    ];
    DestinationIpProhibited: "Check firewall rules and egress policies for the upstream's address.", [
        "Check which address the name resolves to: `dig HOST`.",
        "Check egress policies and allow-lists for that address.",
        USELESS,
    ];
    DestinationIpUnroutable: "Check the network between here and the upstream: routes, security groups, a VPN that is down.", [
        "Check the route from this host: `ip route get ADDRESS`.",
        "Check that the VPN, peering or tunnel to that network is up.",
        "Check that the address is right: `dig HOST`.",
        NEVER_SENT,
    ];
    ConnectionRefused: "Check that the upstream is running and listens on this address and port.", [
        "Check on its host that it is running and listens on this port: `ss -ltnp`.",
        "Check that it listens on an address that is reachable from here, and not on 127.0.0.1 only.",
        "Check host and port in the configuration.",
        "Try it from this host: `curl -v URL`.",
        NEVER_SENT,
    ];
    ConnectionTerminated: "Check the upstream's log for a crash or restart at this time, and that its keep-alive timeout is longer than the idle timeout of the connections to it.", [
        "Check whether the upstream crashed or was restarted: `dmesg` and its log, for this time.",
        "Check that its keep-alive timeout is longer than the idle timeout of the connections to it.",
        "Check whether it was killed for want of memory.",
        "Repeat it by hand: `curl -v URL`.",
        MAYBE_PROCESSED,
    ];
    ConnectionTimeout: "Check that the upstream's address is right and that no firewall silently drops packets to it.", [
        "Check that the upstream's host is up.",
        "Try the port from this host: `nc -vz HOST PORT`; a firewall that drops packets makes it hang.",
        "Check host and port in the configuration.",
        "Check on its host whether its queue of connections is full: `ss -ltn`, Recv-Q.",
        NEVER_SENT,
    ];
    ConnectionReadTimeout: "Check whether the upstream is overloaded or waits for something itself, such as a database.", [
        "Check the upstream's load, and what it waits for, such as a database or a lock.",
        "Measure it by hand: `curl -sv -o /dev/null -w '%{time_total}' URL`.",
        "Read the upstream's log for slow requests at this time.",
        MAYBE_PROCESSED,
    ];
    ConnectionWriteTimeout: "Check whether the upstream is too busy to read, or the network between drops packets.", [
        "Check whether packets are lost on the way: `ss -ti`, retrans.",
        "Check whether the upstream is too busy to read what it is sent.",
        "Check whether the request's body is larger than the upstream expects.",
        MAYBE_PROCESSED,
    ];
    ConnectionLimitReached: "Check whether the upstream has become slow, then whether the limit is too low for the load.", [
        "Check whether the upstream has become slow: slow calls fill any limit.",
        "Count the connections to it: `ss -tn dst HOST`.",
        "Check whether the limit suits the load.",
        AFTER_WAITING,
    ];
    TlsProtocolError: "Check that the upstream speaks TLS on this port and that both sides have a version and cipher in common.", [
        "Look at the handshake: `openssl s_client -connect HOST:PORT -servername HOST`.",
        "Check that this port speaks TLS, and not plain HTTP.",
        "Check that both sides have a TLS version and a cipher in common.",
        MAYBE_PROCESSED,
    ];
    TlsCertificateError: "Check the upstream's certificate: its expiry, its host names, and that its issuer is trusted here.", [
        "Look at the certificate: `openssl s_client -connect HOST:PORT -servername HOST`.",
        "Check its dates, and this host's clock: `date -u`.",
        "Check that its names include the host that is asked for, and that the chain is complete.",
        "Check that its issuer is trusted here.",
        NEVER_SENT,
    ];
    TlsAlertReceived: "Check the upstream's TLS log: it may want a client certificate or another host name.", [
        "Look at the alert: `openssl s_client -connect HOST:PORT -servername HOST`.",
        "Check whether the upstream wants a client certificate, or another host name.",
        "Read the upstream's TLS log.",
        MAYBE_PROCESSED,
    ];
    HttpRequestError: "Check the request: the gateway could not send it as it is.", [
        "Check its method, target and headers for what HTTP does not allow.",
        "Repeat it by hand: `curl -v URL`.",
        USELESS,
    ];
    HttpRequestDenied: "Check the gateway's access rules or web application firewall for this request.", [
        "Check the gateway's access rules for this path, address and method.",
        "Read the log of its web application firewall for the rule that matched.",
        USELESS,
    ];
    HttpResponseIncomplete: "Check the upstream's log for a crash, and for a worker killed for time or memory, while it was answering.", [
        "Check whether the upstream crashed while it was answering: `dmesg` and its log.",
        "Check its limits of time and memory for a worker.",
        "Check the time limits of every gateway between.",
        "Repeat it by hand and see where it stops: `curl -v -o /dev/null URL`.",
        MAYBE_PROCESSED,
    ];
    HttpResponseHeaderSectionSize: "Check what the upstream puts into its headers, most often cookies, or raise the limit.", [
        "Look at the headers: `curl -s -D - -o /dev/null URL`.",
        "Raise the limit if they are meant to be this large.",
        MAYBE_PROCESSED,
    ];
    HttpResponseHeaderSize: "Check what the upstream puts into that header, most often a cookie, or raise the limit.", [
        "Look for the largest header: `curl -s -D - -o /dev/null URL`.",
        "Raise the limit if it is meant to be this large.",
        MAYBE_PROCESSED,
    ];
    HttpResponseBodySize: "Check whether the response is meant to be this large, or raise the limit.", [
        "Measure it: `curl -s -o /dev/null -w '%{size_download}' URL`.",
        "Raise the limit if it is meant to be this large.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTrailerSectionSize: "Check what the upstream puts into its trailers, or raise the limit.", [
        "Look at what the upstream puts into its trailers.",
        "Raise the limit if they are meant to be this large.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTrailerSize: "Check what the upstream puts into that trailer, or raise the limit.", [
        "Look for the largest trailer of the upstream's.",
        "Raise the limit if it is meant to be this large.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTransferCoding: "Check what stands between here and the upstream: a proxy may be damaging chunked responses.", [
        "Ask the upstream without what stands between: `curl -v --raw URL`.",
        "Check that only one side sets Transfer-Encoding: a framework and a handler may both do.",
        MAYBE_PROCESSED,
    ];
    HttpResponseContentCoding: "Check that the upstream compresses in the coding it names, and only once.", [
        "Compare Content-Encoding with the bytes: `curl -s -H 'accept-encoding: gzip, br' -D /dev/stderr URL | file -`.",
        "Check that only one of the upstream and the gateways before it compresses.",
        MAYBE_PROCESSED,
    ];
    HttpResponseTimeout: "Check what the upstream was doing with this request, then whether the time limit suits it.", [
        "Check the upstream's load, and what it waits for, such as a database or a lock.",
        "Check whether the time limit suits this request, and is below that of every gateway in front.",
        "Measure it by hand: `curl -sv -o /dev/null -w '%{time_total}' URL`.",
        "Read the upstream's log for this request: it may still be running.",
        MAYBE_PROCESSED,
    ];
    HttpUpgradeFailed: "Check that the upstream and every gateway before it allow the upgrade, for example to WebSocket.", [
        "Check that every gateway on the way passes Connection and Upgrade on.",
        "Try the upstream by hand: `curl -v --http1.1 -H 'connection: upgrade' -H 'upgrade: websocket' -H 'sec-websocket-version: 13' -H 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==' URL`.",
        USELESS,
    ];
    HttpProtocolError: "Check that this port speaks HTTP, that it is not TLS on a plain port, and that both sides mean the same version.", [
        "Check that the port is the right one, and speaks HTTP.",
        "Check that scheme and port agree: http for plain, https for TLS.",
        "Check that both sides mean the same version: `curl -v --http1.1 URL`, `curl -v --http2-prior-knowledge URL`.",
        "See the bytes by hand: `nc HOST PORT`.",
        MAYBE_PROCESSED,
    ];
    ProxyInternalResponse: "Check the gateway's configuration for a rule that answers this request.", [
        "Look for the rule of the gateway's that answers this request.",
        "Read the gateway's log for this request.",
        USELESS,
    ];
    ProxyInternalError: "Check the gateway's own log and resources: memory, file descriptors, disk, local ports.", [
        "Check the gateway's memory, disk and file descriptors: `free -m`, `df -h`, `ulimit -n`.",
        "Check that it has local ports left: `ss -s`.",
        "Read the gateway's own log for this time.",
        MAYBE_PROCESSED,
    ];
    ProxyConfigurationError: "Check the gateway's configuration, above all what changed last.", [
        "Check what changed last in the gateway's configuration.",
        "Have the gateway check it, such as `nginx -t`.",
        "Read the gateway's log of its last start or reload.",
        USELESS,
    ];
    ProxyLoopDetected: "Check the routes of the gateways on the way: one of them leads back.", [
        "Check whether an upstream's name resolves to a gateway: `dig HOST`.",
        "Follow the route from gateway to gateway, by Via and Proxy-Status: `curl -v URL`.",
        USELESS,
    ];

    RateLimited: "Send less, or ask for a higher quota; wait as long as the response says.", [
        "Look at what the response says of the quota: `curl -s -D - -o /dev/null URL`.",
        "Check who else spends the same quota.",
        "Check whether retries of your own make most of the requests.",
        AFTER_WAITING,
    ];
    Overloaded: "Check the upstream's load and resources, and whether it is in maintenance.", [
        "Check whether the upstream is starting, stopping or in maintenance.",
        "Check its load: processor, memory, workers, connections to its database.",
        "Read its log, and that of the gateway before it, for who answered.",
        AFTER_WAITING,
    ];
    OriginError: "Check the upstream's own log for this request: it was reached, and failed.", [
        "Check what was deployed last on the upstream.",
        "Repeat it by hand: `curl -v URL`.",
        "Read the upstream's own log for this request: it was reached, and failed.",
        MAYBE_PROCESSED,
    ];
    BadGateway: "Find out which gateway answered, and read its log: it could not get a valid response from the hop behind it.", [
        "Check that the server behind the gateway is running and listens: `ss -ltnp` on its host.",
        "Check the gateway's upstream address, port and scheme.",
        "See who answers: `curl -v URL`, its Server, Via and Proxy-Status.",
        "Read the log of that gateway: it says why.",
        MAYBE_PROCESSED,
    ];
    GatewayTimeout: "Find out which gateway answered, and read its log: the hop behind it took too long to connect or to answer.", [
        "Check that the server behind the gateway is up, and no firewall drops packets to it.",
        "Compare the gateway's time limits with what the request takes.",
        "See who answers, and after how long: `curl -v -w '%{time_total}' URL`.",
        "Read the log of that gateway: it says whether connecting or answering took too long.",
        MAYBE_PROCESSED,
    ];
    CircuitOpen: "Look at the cause that opened the circuit: the upstream failed too often just before.", [
        "Check that the upstream is running: the circuit closes by itself once it answers.",
        "Look at the cause that opened the circuit, in the log or in the error.",
        "Retrying is safe, since nothing was sent, but useless before the circuit lets calls through.",
    ];
    Cancelled: "Check who gave up: the caller, or a shutdown.", [
        "Check whether this process or the upstream was shutting down.",
        "Check whether the caller's time limit is shorter than the call takes.",
        MAYBE_PROCESSED,
    ];
    RequestTimeout: "Check the network towards the upstream and how fast the request's body is sent.", [
        "Check whether packets are lost on the way: `ss -ti`, retrans.",
        "Check how fast the request's body is made and sent.",
        "Check that idle connections are closed here before the server does.",
        MAYBE_PROCESSED,
    ];
    Conflict: "Fetch the current state before sending the request again.", [
        "Fetch the current state: `curl -v URL`.",
        "Check who else changes it at the same time.",
        USELESS,
    ];
    ClientError: "Check the request: its target, its headers and credentials, its body.", [
        "Check its target, headers, credentials and body against what the server expects.",
        "Repeat it by hand and read the answer: `curl -v URL`.",
        USELESS,
    ];
    Unknown: "Look at the error's own text, and at the logs of each hop at this time.", [
        "Check that the upstream is running and reachable: `curl -v URL`.",
        "Read the error's own text, and the log of each hop at this time.",
        "If it is an error of hyper, h2, rustls, reqwest or tonic, turn on seawall's feature of that name: it is then known.",
        MAYBE_PROCESSED,
    ];
}
