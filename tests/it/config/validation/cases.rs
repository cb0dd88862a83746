//! Invalid configurations, with the line and the key of the error and a part of its reason.

const TIME: &str = "expected a duration with a unit such as \"250ms\" or \"10s\"";
const PREFIX: &str = "expected a URL prefix such as \"https://\", ";
pub(super) const WHOLE_NUMBER: &str =
    "expected a whole number from 0 to 4294967295, or \"unlimited\"";
const TABLE: &str = "expected a table, or \"off\"";
const LIMIT: &str = "expected a whole number from 1 to 4294967295, \"adaptive\", \
    a table of `initial`, `min`, `max`, or \"off\"";

/// The text of the configuration, then the line, the key and a part of the reason of its error.
pub(super) const INVALID: &[(&str, usize, &str, &str)] = &[
    // Unknown keys.
    ("[defualt]", 1, "defualt", "unknown field `defualt`, expected `default` or `route`"),
    ("[default]\n\nretires = {}", 3, "default.retires", "unknown field `retires`, expected one of"),
    ("[default.retry]\ntotl = 3", 2, "default.retry.totl", "expected one of `total`, `connect`"),
    ("[default]\nretry.budget = { max = 3 }", 2, "default.retry.budget.max", "expected `ratio` or"),
    ("[[route]]\nprefix = \"x://\"\nfix = 1", 3, "route[0].fix", "unknown field `fix`"),
    ("[[route]]\n", 1, "route[0]", "missing field `prefix`"),
    // Times.
    ("[default.timeouts]\nattempt = 10", 2, "default.timeouts.attempt", TIME),
    ("[default.timeouts]\nattempt = \"10\"", 2, "default.timeouts.attempt", TIME),
    ("[default.timeouts]\nattempt = \"0\"", 2, "default.timeouts.attempt", TIME),
    ("[default.timeouts]\nattempt = \"10 parsecs\"", 2, "default.timeouts.attempt", TIME),
    ("[default.timeouts]\nattempt = \"-10s\"", 2, "default.timeouts.attempt", TIME),
    (
        "[default.timeouts]\nattempt = \"0s\"",
        2,
        "default.timeouts.attempt",
        ", 1ms or more, or \"off\"",
    ),
    ("[default.timeouts]\nattempt = true", 2, "default.timeouts.attempt", TIME),
    ("[default.retry]\nmin_attempt = \"off\"", 2, "default.retry.min_attempt", TIME),
    (
        "[default.circuit_breaker]\nwindow = \"9ms\"",
        2,
        "default.circuit_breaker.window",
        "10ms or more",
    ),
    // Numbers.
    ("[default.retry]\ntotal = -1", 2, "default.retry.total", WHOLE_NUMBER),
    ("[default.retry]\ntotal = 1.5", 2, "default.retry.total", WHOLE_NUMBER),
    ("[default.retry]\ntotal = \"many\"", 2, "default.retry.total", WHOLE_NUMBER),
    ("[default.retry]\ntotal = 4294967296", 2, "default.retry.total", WHOLE_NUMBER),
    (
        "[default.retry]\ntotal = 99999999999999999999",
        2,
        "default.retry.total",
        "99999999999999999999, expected a whole number",
    ),
    ("[default.retry]\ntotal = 1979-05-27", 2, "default.retry.total", WHOLE_NUMBER),
    ("[default]\nin_flight = 0", 2, "default.in_flight", LIMIT),
    ("[default]\nin_flight = 1.5", 2, "default.in_flight", LIMIT),
    ("[default]\nin_flight = true", 2, "default.in_flight", LIMIT),
    ("[default]\nin_flight = [3]", 2, "default.in_flight", LIMIT),
    ("[default]\nin_flight = \"adaptiv\"", 2, "default.in_flight", LIMIT),
    ("[default.in_flight]\nmin = 0", 2, "default.in_flight.min", "from 1 to 4294967295"),
    ("[default.in_flight]\nmax = \"off\"", 2, "default.in_flight.max", "from 1 to 4294967295"),
    (
        "[default.in_flight]\nlimit = 3",
        2,
        "default.in_flight.limit",
        "unknown field `limit`, expected one of `initial`, `min`, `max`",
    ),
    ("[default.circuit_breaker]\nprobes = 0", 2, "default.circuit_breaker.probes", "from 1 to"),
    (
        "[default.circuit_breaker]\nconsecutive_failures = 0",
        2,
        "default.circuit_breaker.consecutive_failures",
        "from 1 to 4294967295, or \"off\"",
    ),
    ("[default.bad_gateway]\npeek = 2000000", 2, "default.bad_gateway.peek", "from 0 to 1048576"),
    ("[default.logging]\nfailed_body = 2049", 2, "default.logging.failed_body", "from 0 to 2048"),
    // Ratios.
    (
        "[default.circuit_breaker]\nfailure_ratio = 1.5",
        2,
        "default.circuit_breaker.failure_ratio",
        "`1.5`, expected a number from 0 to 1, or \"off\"",
    ),
    (
        "[default.circuit_breaker]\nfailure_ratio = nan",
        2,
        "default.circuit_breaker.failure_ratio",
        "expected a number from 0 to 1",
    ),
    (
        "[default.circuit_breaker]\nfailure_ratio = \"none\"",
        2,
        "default.circuit_breaker.failure_ratio",
        "\"none\", expected a number from 0 to 1, or \"off\"",
    ),
    (
        "[default.circuit_breaker]\nfailure_ratio = false",
        2,
        "default.circuit_breaker.failure_ratio",
        "expected a number from 0 to 1, or \"off\"",
    ),
    ("[default.retry.budget]\nratio = -1", 2, "default.retry.budget.ratio", "a number from 0 to 1"),
    ("[default.logging]\nsample = \"50%\"", 2, "default.logging.sample", "a number from 0 to 1"),
    // Strings.
    ("[default]\nretry = \"on\"", 2, "default.retry", TABLE),
    ("[default]\nretry = 3", 2, "default.retry", TABLE),
    ("[default]\ncircuit_breaker = false", 2, "default.circuit_breaker", TABLE),
    (
        "[default.logging]\nsuccess = \"inf\"",
        2,
        "default.logging.success",
        "one of \"trace\", \"debug\"",
    ),
    ("[default.logging]\nheaders = [\"x y\"]", 2, "default.logging.headers[0]", "a header name"),
    ("[default.retry]\nraise_on_status = \"yes\"", 2, "default.retry.raise_on_status", "a boolean"),
    (
        "[default.retry]\nmethods = [\n\"GET\",\n\"post\"]",
        4,
        "default.retry.methods[1]",
        "expected an upper-case method such as \"GET\"",
    ),
    (
        "[default.retry]\nmethods = \"GET\"",
        2,
        "default.retry.methods",
        "\"idempotent\", \"any\", or a list",
    ),
    (
        "[default.retry]\nstatus_forcelist = [502, 5003]",
        2,
        "default.retry.status_forcelist[1]",
        "`5003`, expected a status from 100 to 599",
    ),
    (
        "[default.retry]\nstatus_forcelist = 502",
        2,
        "default.retry.status_forcelist",
        "expected a list",
    ),
    // Backoff.
    (
        "[default.retry.backoff]\nkind = \"linear\"",
        2,
        "default.retry.backoff.kind",
        "one of \"exponential\"",
    ),
    (
        "[default.retry]\nbackoff = { kind = \"none\", base = \"1s\" }",
        2,
        "default.retry.backoff.base",
        "not a key of a backoff of kind \"none\", expected only `kind`",
    ),
    (
        "[default.retry.backoff]\nfactor = 1",
        2,
        "default.retry.backoff.factor",
        "not a key of a backoff of kind \"exponential\", expected `base`, `max` or `jitter`",
    ),
    (
        "[default.retry.backoff]\nkind = \"urllib3\"\nfactor = -1",
        3,
        "default.retry.backoff.factor",
        "expected a number of seconds, zero or more",
    ),
    (
        "[default.retry.backoff]\njitter = 1",
        2,
        "default.retry.backoff.jitter",
        "true, false, or the maximum jitter",
    ),
    // Contradicting values.
    (
        "[default.timeouts]\nattempt = \"40s\"",
        2,
        "default.timeouts.attempt",
        "is 40s, expected at most `total`, which defaults to 30s",
    ),
    (
        "[default.timeouts]\ntotal = \"20s\"\nattempt = \"off\"",
        3,
        "default.timeouts.attempt",
        "is off, expected at most `total`, which is 20s",
    ),
    (
        "[default.timeouts]\ntotal = \"5s\"",
        2,
        "default.timeouts.total",
        "is 5s, expected at least `attempt`, which defaults to 10s",
    ),
    (
        "[default.timeouts]\nattempt = \"5s\"\n[[route]]\nprefix = \"x://\"\ntimeouts.total = \"2s\"",
        5,
        "route[0].timeouts.total",
        "is 2s, expected at least `attempt`, which is 5s",
    ),
    (
        "[default.circuit_breaker]\nopen_for = \"10s\"\nopen_max = \"5s\"",
        2,
        "default.circuit_breaker.open_for",
        "is 10s, expected at most `open_max`, which is 5s",
    ),
    (
        "[default]\ncircuit_breaker.open_for = \"10s\"\n[[route]]\nprefix = \"x://\"\n\
         circuit_breaker.open_max = \"5s\"",
        5,
        "route[0].circuit_breaker.open_max",
        "is 5s, expected at least `open_for`, which is 10s",
    ),
    (
        "[default.circuit_breaker]\nfailure_ratio = \"off\"",
        2,
        "default.circuit_breaker.failure_ratio",
        "is off, expected a value: `consecutive_failures` defaults to off, so the circuit could not open; \
         to disable it, set `circuit_breaker = \"off\"`",
    ),
    (
        "[default.circuit_breaker]\nconsecutive_failures = \"off\"\nfailure_ratio = \"off\"",
        3,
        "default.circuit_breaker.failure_ratio",
        "expected a value: `consecutive_failures` is off, so the circuit could not open",
    ),
    (
        "[default]\ncircuit_breaker = { failure_ratio = \"off\", consecutive_failures = 5 }\n\
         [[route]]\nprefix = \"x://\"\ncircuit_breaker.consecutive_failures = \"off\"",
        5,
        "route[0].circuit_breaker.consecutive_failures",
        "is off, expected a value: `failure_ratio` is off, so the circuit could not open",
    ),
    (
        "[default.in_flight]\nmin = 20\nmax = 5",
        2,
        "default.in_flight.min",
        "is 20, expected at most `max`, which is 5",
    ),
    (
        "[default]\nin_flight.max = 5",
        2,
        "default.in_flight.max",
        "is 5, expected at least `min`, which defaults to 10",
    ),
    (
        "[default]\nin_flight.min = 1001",
        2,
        "default.in_flight.min",
        "is 1001, expected at most `max`, which defaults to 1000",
    ),
    (
        "[default]\nin_flight.initial = 9",
        2,
        "default.in_flight.initial",
        "is 9, expected at least `min`, which defaults to 10",
    ),
    (
        "[default]\nin_flight.initial = 900\n[[route]]\nprefix = \"x://\"\nin_flight.max = 500",
        5,
        "route[0].in_flight.max",
        "is 500, expected at least `initial`, which is 900",
    ),
    (
        "[default]\ntimeouts = { trust = [\"grpc-timeout\"], total = \"off\", attempt = \"off\" }",
        2,
        "default.timeouts.trust",
        "headers are trusted, expected `total` as their limit, but it is off",
    ),
    (
        "[default]\ntimeouts.trust = [\"grpc-timeout\"]\n[[route]]\nprefix = \"x://\"\n\
         timeouts.total = \"off\"",
        5,
        "route[0].timeouts.total",
        "is off, expected a limit for the headers that `trust` names",
    ),
    // Timeout headers.
    ("[default]\nnext_hop = \"grpc-timeout\"", 2, "default.next_hop", TABLE),
    ("[default]\nnext_hop = {}", 2, "default.next_hop", "missing field `header`, expected one of"),
    ("[default.next_hop]\nmargin = \"9ms\"", 1, "default.next_hop", "missing field `header`"),
    (
        "[default.next_hop]\nheader = \"x-timeout\"",
        2,
        "default.next_hop.header",
        "\"x-timeout\", expected one of \"grpc-timeout\", \"x-envoy-expected-rq-timeout-ms\"",
    ),
    (
        "[default.next_hop]\nheader = \"grpc-timeout\"\nmargin = 50",
        3,
        "default.next_hop.margin",
        TIME,
    ),
    (
        "[default.timeouts]\ntrust = \"grpc-timeout\"",
        2,
        "default.timeouts.trust",
        "expected a list, each item one of \"grpc-timeout\"",
    ),
    (
        "[default.timeouts]\ntrust = [\"grpc-timeout\",\n\"Grpc\"]",
        3,
        "default.timeouts.trust[1]",
        "one of \"grpc-timeout\", \"x-envoy-expected-rq-timeout-ms\"",
    ),
    // Prefixes.
    ("[[route]]\nprefix = 3", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"/v1\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"api.example.com\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https:///v1\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://a?x\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://a/?\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://a/#x\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://u:p@a\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://a:99999\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://a:\"", 2, "route[0].prefix", PREFIX),
    ("[[route]]\nprefix = \"https://*.example.com/\\u0000\"", 2, "route[0].prefix", PREFIX),
    (
        "[[route]]\nprefix = \"https://api.example.com/v1\"\n[[route]]\n\
         prefix = \"HTTPS://API.example.com:443/v1/\"",
        4,
        "route[1].prefix",
        "duplicate prefix, first used on line 2",
    ),
    (
        "route = [{ prefix = \"http://\" },\n{ prefix = \"x://\" },\n{ prefix = \"HTTP://\" }]",
        3,
        "route[2].prefix",
        "duplicate prefix, first used on line 1",
    ),
    // Other shapes.
    ("default = 3", 1, "default", "expected a table"),
    ("default.timeouts = \"10s\"", 1, "default.timeouts", "expected a table"),
    ("route = 3", 1, "route", "expected a list of tables such as [[route]]"),
    ("[route]\nprefix = \"x://\"", 1, "route", "expected a list of tables"),
    ("route = [3]", 1, "route[0]", "expected a table"),
    // Duplicate keys.
    ("[default.retry]\ntotal = 1\ntotal = 2", 3, "total", "duplicate key"),
    ("[default]\n[default]", 2, "default", "duplicate key"),
];
